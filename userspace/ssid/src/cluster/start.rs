//! Membership put together: internode communication, the door, the view log, the node.

use std::fs;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use ssi_abi::member::{LANES, own_flag};
use ssi_clms::core::command::Command;
use ssi_clms::core::engine::Start;
use ssi_clms::core::member::{Candidate, Facts};
use ssi_clms::core::{MAX_NODES, NodeId, Number, Timing, View};
use ssi_clms::door::{self, Caller, Door, Heard};
use ssi_clms::log::Store;
use ssi_clms::runner::{Handle, Linux, Node, Order, Settings};
use ssi_ics::core::Lane;
use ssi_ics::core::frame::SharedKey;
use ssi_ics::runner::{Config as IcsConfig, Ics, Identity, PORT, Security, WORKERS, worker};
use ssi_keeper::Keeper;
use ssi_loader::map::{Maps, OwnNode};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::ask::Ask;
use super::home::Home;
use super::kept::Kept;
use super::saved::Saved;
use super::ways::{self, Ways};
use crate::config::Config;
use crate::data_path::{self, DataPath};
use crate::random;

/// The subsystems that take views in, besides the kernel, in this order.
pub(super) const SUBSYSTEMS: [&str; 3] = [CVIP, LVS, KEEPALIVE];
pub(super) const CVIP: &str = "cvip";
pub(super) const LVS: &str = "lvs";
pub(super) const KEEPALIVE: &str = "keepalive";

/// The view log's file in the state directory.
const LOG: &str = "view-log.redb";

/// Membership that runs.
pub(super) struct Running {
    pub(super) ask: Ask,
    pub(super) ics: Ics,
    pub(super) handle: Handle,
    pub(super) door: Door<Home>,
    pub(super) node: Node<Linux, Ways>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) listener: TcpListener,
    /// Where other nodes' surrogates connect.
    pub(super) commands: TcpListener,
    /// Who this node says it is.
    pub(super) candidate: Candidate,
    /// The life that goes on from an earlier daemon.
    pub(super) resumed: Option<NodeId>,
}

/// The resource that a virtual address is.
pub(super) fn resource(address: IpAddr) -> String {
    format!("cvip {address}")
}

/// Which life of this node the kernel goes by, if the saved view still has it: `ssid` was
/// restarted, the node was not.
pub(crate) fn life(kept: &Kept, saved: &Saved, maps: &Maps) -> Option<NodeId> {
    let own = maps.own.get();
    let id = Number::new(kept.number).and_then(|number| saved.view.current(number))?;
    let same = own.flags & own_flag::MEMBER != 0
        && (own.node, own.incarnation) == (u32::from(id.number.get()), id.incarnation);
    same.then_some(id)
}

/// What the kernel knows of this node, for somebody else to look at.
pub(super) async fn own(data_path: &Arc<Mutex<DataPath>>) -> Result<OwnNode> {
    let maps = data_path::with(data_path, |path| Ok(path.maps().clone())).await?;
    Ok(OwnNode::of(maps.own.share()?)?)
}

/// Puts it together; nothing runs yet but what listens.
pub(super) async fn assemble(
    config: &Config,
    kept: &Kept,
    saved: &Saved,
    data_path: &Arc<Mutex<DataPath>>,
    heard: impl Fn(String) + Send + Sync + 'static,
) -> Result<Running> {
    let timing = Timing::default();
    let papers = kept.papers();
    let authority = kept.issuer()?;
    let number = Number::new(kept.number).context("the node's number is 0")?;
    let address = *kept
        .addresses
        .first()
        .context("this node has no address on the interconnect; set node.addresses")?;
    let security = match kept.security.as_str() {
        "none" => Security::None,
        "mac" => {
            let mut key = [0; 16];
            key.copy_from_slice(&authority.secret("ics mac")[..16]);
            Security::Mac {
                key: SharedKey(key),
            }
        }
        _ => Security::Tls(Identity::new(
            papers.certificate.clone(),
            papers.key.clone(),
        )),
    };
    let cluster = tag(kept);
    let at = SocketAddr::new(address, PORT);
    let Listening {
        members: listeners,
        door: listener,
        commands,
    } = sockets(config, at)?;
    steer(data_path, &listeners).await?;
    let mut speaking = IcsConfig::new(kept.number, cluster, at, security);
    let around = data_path::with(data_path, move |path| path.around(cluster)).await?;
    speaking.bypass = around.map(|around| Arc::new(around) as _);
    let ics = Ics::start_with(speaking, listeners)?;
    let (tell, heard) = listener_of_doors(heard);
    let caller = Caller::new(&papers, heard).context("this node's certificate is of no use")?;
    let ways = Ways::new(ics.clone(), caller, kept.token.clone());
    let maps = data_path::with(data_path, |path| Ok(path.maps().clone())).await?;
    let resumed = life(kept, saved, &maps);
    let log = log(config, kept, &timing).await?;
    let ground = Linux::new(maps, address, resumed, timing.lease)
        .with_context(|| format!("cannot probe other nodes from {address}"))?;
    let candidate = candidate(config, kept, resumed.map(|_| &saved.view));
    let settings = Settings {
        start: Start {
            timing,
            candidate: candidate.clone(),
            number: Some(number),
            view: saved.view.clone(),
            id: resumed,
            subsystems: SUBSYSTEMS.map(ToOwned::to_owned).into(),
            resources: config.cvip.iter().map(|c| resource(c.address)).collect(),
            fencing: !config.cluster.fence.is_empty(),
            entropy: Box::new(random::random),
        },
        log,
        doors: kept.doors.clone(),
        seed: random::random(),
    };
    let (node, handle, orders) = Node::new(settings, ground, ways.clone())
        .await
        .context("cannot start membership")?;
    // It is said once.
    let _ = tell.set(handle.clone());
    ways::serve(&ics, &handle)?;
    let ask = Ask {
        ics: ics.clone(),
        handle: handle.clone(),
    };
    let home = Home::new(ask.clone(), authority, kept.clone());
    let door = Door::new(home, &papers)?;
    ways.open(door.clone());
    Ok(Running {
        ask,
        ics,
        handle,
        door,
        node,
        orders,
        listener,
        commands,
        candidate,
        resumed,
    })
}

/// By what the nodes of a cluster tell their connections from another's.
fn tag(kept: &Kept) -> [u8; 16] {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(&kept.identity.to_be_bytes());
    tag
}

/// Forgets where this node's cluster meets around the network stack.
pub(crate) fn forget_around(config: &Config) -> Result<()> {
    match Kept::load(&config.state.directory)? {
        Some(kept) => data_path::forget_around(config, tag(&kept)),
        None => Ok(()),
    }
}

/// The first entry: a cluster of this node.
pub(super) fn founding(kept: &Kept, candidate: Candidate) -> Result<Command> {
    Ok(Command::Found {
        cluster: kept.cluster.clone(),
        identity: kept.identity,
        max_nodes: MAX_NODES,
        number: Number::new(kept.number).context("the node's number is 0")?,
        candidate,
        probe_key: [random::random(), random::random()],
    })
}

/// What doors say goes to the node, once there is one.
fn listener_of_doors(
    refused: impl Fn(String) + Send + Sync + 'static,
) -> (Arc<OnceLock<Handle>>, Heard) {
    let handle: Arc<OnceLock<Handle>> = Arc::default();
    let tell = Arc::clone(&handle);
    let heard = move |said: Result<Vec<u8>, String>| match (said, handle.get()) {
        (Ok(message), Some(handle)) => {
            let handle = handle.clone();
            tokio::spawn(async move {
                if let Err(error) = handle.message(None, &message).await {
                    tracing::warn!("a door says what makes no sense: {error}");
                }
            });
        }
        (Ok(_), None) => {}
        (Err(why), _) => refused(why),
    };
    (tell, Arc::new(heard))
}

/// This node's log, if it may become a voter. What an earlier daemon promised as a voter
/// is not on disk, and over only after a while.
async fn log(config: &Config, kept: &Kept, timing: &Timing) -> Result<Option<(u16, Store)>> {
    if !config.cluster.potential_master {
        return Ok(None);
    }
    let path = config.state.directory.join(LOG);
    if path.exists() {
        tokio::time::sleep(timing.mastery).await;
    }
    let store = Store::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(Some((kept.number, store)))
}

/// Forgets the log: this machine is no node any more.
pub(super) fn remove_log(directory: &Path) -> Result<()> {
    crate::state::remove(&directory.join(LOG))
}

/// Who this node says it is. One that goes on says what it said.
fn candidate(config: &Config, kept: &Kept, going_on: Option<&View>) -> Candidate {
    let key = kept.papers().fingerprint();
    let said = going_on.and_then(|view| {
        let mut known = view.present().map(|member| &member.candidate);
        known.find(|candidate| candidate.key == key)
    });
    Candidate {
        name: crate::nodes::own_name(config),
        addresses: kept.addresses.clone(),
        key,
        life: said.map_or_else(random::random, |said| said.life),
        potential_master: config.cluster.potential_master,
        facts: facts(),
    }
}

fn facts() -> Facts {
    let kernel = nix::sys::utsname::uname()
        .map(|name| name.release().to_string_lossy().into_owned())
        .unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kib = text.lines().next()?.split_whitespace().nth(1)?;
        kib.parse::<u64>().ok()
    });
    let cpus = std::thread::available_parallelism();
    Facts {
        kernel,
        cpus: cpus.map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        memory: memory.unwrap_or(0) * 1024,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The sockets that listen.
struct Listening {
    /// For members, one for each worker.
    members: Vec<OwnedFd>,
    /// For newcomers.
    door: TcpListener,
    /// For remote execution.
    commands: TcpListener,
}

/// Those of an earlier daemon go on, with whoever has connected meanwhile.
fn sockets(config: &Config, members: SocketAddr) -> Result<Listening> {
    let mut keeper = Keeper::open(&config.runtime());
    let listeners = keeper
        .listeners(members, WORKERS, || ssi_ics::runner::listeners(members))
        .with_context(|| {
            format!("cannot listen for other nodes at {members}; is it this machine's, and no other ssid running?")
        })?;
    let newcomers = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), door::PORT);
    let door = keeper
        .listeners(newcomers, 1, || Ok(vec![listen(newcomers)?]))
        .with_context(|| format!("cannot listen for newcomers at port {}", door::PORT))?;
    let door = door.into_iter().next().context("no socket for newcomers")?;
    let remote = SocketAddr::new(members.ip(), ssi_rexec::PORT);
    let commands = keeper
        .listeners(remote, 1, || Ok(vec![listen(remote)?]))
        .with_context(|| format!("cannot listen for other nodes' commands at {remote}"))?;
    let commands = commands
        .into_iter()
        .next()
        .context("no socket for commands")?;
    if let Err(error) = keeper.hold() {
        tracing::warn!("{error}: while ssid is restarted, other nodes will be refused");
    }
    let waiting = |socket| TcpListener::from_std(std::net::TcpListener::from(socket));
    Ok(Listening {
        members: listeners,
        door: waiting(door)?,
        commands: waiting(commands)?,
    })
}

/// Has the kernel give each new connection to the worker of its lane.
async fn steer(data_path: &Arc<Mutex<DataPath>>, listeners: &[OwnedFd]) -> Result<()> {
    let again: Vec<OwnedFd> = listeners
        .iter()
        .map(OwnedFd::try_clone)
        .collect::<std::io::Result<_>>()?;
    let mut workers = [0; LANES as usize];
    for lane in Lane::ALL {
        workers[lane.index()] = u32::try_from(worker(lane))?;
    }
    let steered = data_path::with(data_path, move |path| path.steer(&again, workers)).await;
    if let Err(error) = steered {
        tracing::info!("new connections are handed over in ssid, not in the kernel: {error:#}");
    }
    Ok(())
}

/// A socket at an address; for both families, if it is no address of one host.
fn listen(address: SocketAddr) -> std::io::Result<OwnedFd> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}
