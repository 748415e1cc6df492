//! How machines that run become a cluster: the first founds it, the others join it, each
//! by its own `ssid`, as an operator would have them do it with `ssi`.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use ssi_api::cluster::{ClusterRequest, ClusterView, NodeState};
use ssi_api::control::{Client, DEFAULT_SOCKET, FailureKind, Reply, Request};

use crate::plan::{CLUSTER, Machine, Net};
use crate::state::{self, State};

/// How long an `ssid` may take to answer, and a node to be UP: fifteen start at once, on
/// few cores.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);
/// Seconds that a join token is valid for.
const TOKEN: u64 = 300;

/// Where a machine's `ssid` listens, as seen from here; none if the machine is not up.
#[must_use]
pub fn socket(state: &State, machine: Machine) -> Option<PathBuf> {
    let init = state.init_of(machine)?;
    let path = DEFAULT_SOCKET.trim_start_matches('/');
    Some(PathBuf::from(format!("/proc/{init}/root")).join(path))
}

/// Asks a machine's `ssid`.
fn ask(state: &State, machine: Machine, request: Request) -> Result<Reply> {
    let socket = socket(state, machine).with_context(|| format!("{machine} is not up"))?;
    let until = Instant::now() + PATIENCE;
    let mut client = loop {
        match Client::connect(&socket, PATIENCE) {
            Ok(client) => break client,
            // The log goes with a cluster that does not come to be.
            Err(error) if Instant::now() > until => {
                return Err(anyhow!(error).context(format!(
                    "ssid on {machine} does not answer; the end of its log:\n{}\n",
                    state::log_end(machine)
                )));
            }
            Err(_) => thread::sleep(LOOK),
        }
    };
    client
        .request(request)
        .with_context(|| format!("on {machine}"))
}

/// The view that a machine goes by; none if it is in no cluster, or doesn't answer.
#[must_use]
pub fn view(state: &State, machine: Machine) -> Option<ClusterView> {
    let socket = socket(state, machine)?;
    let mut client = Client::connect(&socket, Duration::from_secs(2)).ok()?;
    match client.request(Request::Cluster(ClusterRequest::Show)) {
        Ok(Reply::Cluster(view)) => Some(*view),
        _ => None,
    }
}

/// The view of a node that can act, if there is one.
#[must_use]
pub fn agreed(state: &State) -> Option<ClusterView> {
    let awake = state.nodes().filter(|node| !state.paused.contains(node));
    let mut views = awake.filter_map(|node| view(state, node));
    views.find(|view| !view.fenced && view.incarnation.is_some())
}

/// Makes all nodes one cluster, which `founder` founds.
///
/// # Errors
/// One of them can't, and why.
pub fn form(state: &State, founder: Machine) -> Result<()> {
    let Machine::Node(number) = founder else {
        bail!("a node founds a cluster");
    };
    let init = ClusterRequest::Init {
        name: CLUSTER.to_owned(),
        number: Some(number.into()),
    };
    ask(state, founder, Request::Cluster(init))?;
    let others: Vec<Machine> = state.nodes().filter(|node| *node != founder).collect();
    join(state, founder, &others)
}

/// Has nodes join by way of one that is UP.
///
/// # Errors
/// One of them can't, and why.
pub fn join(state: &State, door: Machine, newcomers: &[Machine]) -> Result<()> {
    if newcomers.is_empty() {
        return Ok(());
    }
    let token = Request::Cluster(ClusterRequest::Token { valid: TOKEN });
    let Reply::Token(token) = ask(state, door, token)? else {
        bail!("{door} gives no token");
    };
    let [address, _] = door.addresses(Net::Interconnect);
    thread::scope(|scope| {
        let joins: Vec<_> = newcomers
            .iter()
            .map(|node| {
                let request = ClusterRequest::Join {
                    host: address.to_string(),
                    token: token.token.clone(),
                    number: match node {
                        Machine::Node(number) => Some((*number).into()),
                        Machine::Client => None,
                    },
                };
                scope.spawn(move || ask(state, *node, Request::Cluster(request)))
            })
            .collect();
        joins.into_iter().try_for_each(|joined| {
            let joined = joined.join();
            joined.map_err(|_| anyhow!("a join panicked"))?.map(drop)
        })
    })
}

/// Waits until a node that was in the cluster before has been taken in again.
///
/// # Errors
/// It takes too long; what it waits for.
pub fn back(state: &State, node: Machine) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let shown = ask(state, node, Request::Cluster(ClusterRequest::Show));
        let Ok(Reply::Cluster(view)) = shown else {
            return shown.map(drop);
        };
        let own = view.nodes.iter().find(|known| known.number == view.node);
        let up = own.is_some_and(|own| own.state == NodeState::Up);
        if up && view.incarnation.is_some() && !view.fenced {
            return Ok(());
        }
        if Instant::now() > until {
            let waits = view.waits_for.unwrap_or_else(|| "it is not UP".to_owned());
            bail!("{node} is up, but the cluster has not taken it in: it waits for {waits}");
        }
        thread::sleep(LOOK);
    }
}

/// Whether a node that answers is in a cluster, or has been.
///
/// # Errors
/// It does not answer.
pub fn belongs(state: &State, node: Machine) -> Result<bool> {
    match ask(state, node, Request::Cluster(ClusterRequest::Show)) {
        Ok(_) => Ok(true),
        Err(error) => match error.downcast_ref::<ssi_api::control::ClientError>() {
            Some(ssi_api::control::ClientError::Failed(failure))
                if failure.kind == FailureKind::Refused =>
            {
                Ok(false)
            }
            _ => Err(error),
        },
    }
}
