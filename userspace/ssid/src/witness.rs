//! `ssid --witness`: a voter that is no node, for a cluster of two.
//!
//! It has a vote and the log, and nothing else: no packet path, no addresses, no services.
//! It may run on any machine that both nodes reach, and needs no rights but to its own
//! directory and port.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssi_clms::core::member::Key;
use ssi_clms::core::message::Message;
use ssi_clms::core::{NodeId, Number, Timing, View};
use ssi_clms::door::{self, Caller, Door, Enrolled, House, Newcomer, Papers, Token, enrol};
use ssi_clms::log::{Applied, Store, Voter, WITNESS};
use ssi_clms::runner::{Messenger, Witness};
use tokio::net::{TcpListener, lookup_host};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::WitnessArgs;
use crate::random::random;
use crate::{log, memory, notify, state};

/// What a witness keeps in its directory, besides the log.
#[derive(Serialize, Deserialize)]
struct Kept {
    cluster: String,
    /// Where the cluster was found.
    doors: Vec<SocketAddr>,
    certificate: Vec<u8>,
    authority: Vec<u8>,
    key: Vec<u8>,
}

/// Where a witness keeps its things unless it is told otherwise.
pub(crate) const STATE: &str = "/var/lib/ssi-witness";

const FILE: &str = "witness.json";
const LOG: &str = "view-log.redb";

/// Runs until a signal says to leave.
pub(crate) async fn run(args: &WitnessArgs) -> Result<()> {
    log::start("info")?;
    log::end_on_panic();
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen at {}", args.listen))?;
    let port = listener.local_addr()?.port();
    let (kept, token) = papers(args).await?;
    let papers = Papers {
        certificate: kept.certificate.clone(),
        authority: kept.authority.clone(),
        key: kept.key.clone(),
    };
    let nobody = Arc::new(|_: Result<Vec<u8>, String>| {});
    let caller = Caller::new(&papers, nobody).context("the witness's certificate is of no use")?;
    let sight = Sight::default();
    let messenger = Way {
        caller: caller.clone(),
        sight: sight.clone(),
    };
    let path = args.state.join(LOG);
    let store = Store::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let told = sight.clone();
    let news = Box::new(move |applied: Applied| told.take(applied));
    let witness = Witness::new(&Timing::default(), messenger, store, random(), news)
        .await
        .context("cannot take the witness's seat")?;
    let witness = Arc::new(witness);
    let home = Home {
        sight,
        witness: witness.clone(),
    };
    let door = Door::new(home, &papers)?;
    tokio::spawn(door.serve(listener));
    if let Some(token) = token {
        offer(&caller, &kept.doors, &token, port).await?;
    }
    tracing::info!("witness of the cluster {} at port {port}", kept.cluster);
    memory::give_back();
    notify::ready("witnessing");
    tokio::select! {
        () = witness.run() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    notify::stopping();
    Ok(())
}

/// What was kept, or what a token brings; the token if it has to be shown again.
async fn papers(args: &WitnessArgs) -> Result<(Kept, Option<Token>)> {
    let path = args.state.join(FILE);
    let given = args.token()?;
    if let Some(bytes) = state::read(&path)? {
        let kept = serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged; remove it and enrol anew", path.display()))?;
        return Ok((kept, given));
    }
    let token = given.context(
        "this witness is of no cluster yet: give HOST and TOKEN, which `ssi token` makes there",
    )?;
    let host = args.host.clone().unwrap_or_default();
    let doors = addresses(&host).await?;
    let mut last = anyhow::anyhow!("{host} has no address");
    for door in &doors {
        match enrol(*door, &token, Some(WITNESS)).await {
            Ok((papers, enrolled)) => {
                let kept = Kept {
                    cluster: enrolled.cluster,
                    doors,
                    certificate: papers.certificate,
                    authority: papers.authority,
                    key: papers.key,
                };
                state::write(&path, &serde_json::to_vec(&kept)?)?;
                return Ok((kept, Some(token)));
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// Has the cluster ask this witness from now on.
async fn offer(caller: &Caller, doors: &[SocketAddr], token: &Token, port: u16) -> Result<()> {
    let mut last = anyhow::anyhow!("there is no node to ask");
    for door in doors {
        match caller.offer_witness(*door, token, port).await {
            Ok(()) => return Ok(()),
            Err(error) => last = error.into(),
        }
    }
    Err(last.context("the cluster does not take this witness"))
}

async fn addresses(host: &str) -> Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, door::PORT)]);
    }
    let target = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:{}", door::PORT)
    };
    let found = lookup_host(target).await;
    Ok(found
        .with_context(|| format!("cannot find {host}"))?
        .collect())
}

/// The view, as the witness's own log has it: whom to ask where, and who may ask.
#[derive(Clone, Default)]
struct Sight(Arc<Mutex<Arc<View>>>);

impl Sight {
    fn view(&self) -> Arc<View> {
        let view = self.0.lock();
        view.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, applied: Applied) {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match applied {
            Applied::Entry(epoch, command) if epoch == place.epoch + 1 => {
                // What a log has applied can't be refused.
                let _ = Arc::make_mut(&mut place).apply(&command);
            }
            Applied::Entry(..) => {}
            Applied::Whole(view) => *place = Arc::new(*view),
        }
    }
}

/// The witness's way to the nodes: their doors.
#[derive(Clone)]
struct Way {
    caller: Caller,
    sight: Sight,
}

impl Messenger for Way {
    fn send(&self, _: NodeId, _: Bytes) {}

    async fn ask_log(&self, to: Voter, question: Bytes, within: Duration) -> Option<Bytes> {
        let view = self.sight.view();
        let known = view.members.get(&Number::new(to)?)?;
        let address = known.candidate.addresses.first()?;
        let at = SocketAddr::new(*address, door::PORT);
        let said = self.caller.ask_log(at, question.to_vec(), within).await;
        said.map(Bytes::from)
    }

    fn knock(&self, _: IpAddr, _: Bytes) {}

    fn members(&self, _: &View, _: Option<NodeId>) {}
}

/// Who lives behind a witness's door.
struct Home {
    sight: Sight,
    witness: Arc<Witness>,
}

const NO_NODE: &str = "this is a witness, and no node";

impl House for Home {
    fn view(&self) -> Arc<View> {
        self.sight.view()
    }

    fn enrol(&self, _: &Newcomer, _: IpAddr) -> Result<Enrolled, String> {
        Err(NO_NODE.to_owned())
    }

    async fn knock(&self, _: Key, _: Option<&str>, _: Message) -> Result<(), String> {
        Err(NO_NODE.to_owned())
    }

    async fn log(&self, key: Key, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let view = self.sight.view();
        // Before the log has reached it, whoever has a certificate may bring it.
        let known = view.epoch == 0 || view.members.values().any(|m| m.candidate.key == key);
        if !known {
            return Err("only the cluster's nodes ask its witness".to_owned());
        }
        let said = self.witness.answer(&question).await;
        said.map(Into::into).map_err(|error| error.to_string())
    }

    async fn witness(&self, _: Key, _: &str, _: SocketAddr) -> Result<(), String> {
        Err(NO_NODE.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use ssi_clms::core::command::Command;

    use super::*;

    #[test]
    fn the_sight_follows_the_log_and_nothing_else() {
        let sight = Sight::default();
        let told = |epoch| {
            let command = Command::Tell {
                subsystem: "x".to_owned(),
                body: Vec::new(),
            };
            Applied::Entry(epoch, Box::new(command))
        };
        // Nothing before the first entry, which founds the cluster.
        sight.take(told(5));
        assert_eq!(sight.view().epoch, 0);
        let whole = View {
            epoch: 7,
            ..View::default()
        };
        sight.take(Applied::Whole(Box::new(whole)));
        sight.take(told(9));
        assert_eq!(sight.view().epoch, 7);
        sight.take(told(8));
        assert_eq!(sight.view().epoch, 8);
    }
}
