//! Who lives behind this node's door: the cluster, as far as newcomers are concerned.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ssi_clms::core::command::Command;
use ssi_clms::core::member::Key;
use ssi_clms::core::message::Message;
use ssi_clms::core::witness::Witness;
use ssi_clms::core::{Number, View};
use ssi_clms::door::{Authority, Enrolled, House, Newcomer, Token};
use ssi_clms::log::WITNESS;
use ssi_clms::runner::Handle;

use super::ask::Ask;
use super::kept::Kept;

/// How long a number is kept for the newcomer that it was promised to.
const PROMISE: Duration = Duration::from_secs(60);

/// This node's household.
pub(crate) struct Home {
    pub(super) handle: Handle,
    pub(super) authority: Authority,
    pub(super) kept: Kept,
    ask: Ask,
    /// Numbers that newcomers have been promised and have not taken yet.
    pub(super) promised: Mutex<BTreeMap<Number, Instant>>,
}

impl Home {
    pub(super) fn new(ask: Ask, authority: Authority, kept: Kept) -> Self {
        Self {
            handle: ask.handle.clone(),
            ask,
            authority,
            kept,
            promised: Mutex::default(),
        }
    }

    /// Whether a token lets anybody in.
    fn admit(&self, token: &str) -> Result<(), String> {
        let token: Token = token.parse().map_err(|bad| format!("{bad}"))?;
        let checked = token.check(&self.authority, now());
        checked.map_err(|bad| bad.to_string())
    }

    /// The number that a newcomer shall ask for.
    fn promise(&self, view: &View, wanted: Option<u16>) -> Result<Number, String> {
        let max = view.max_nodes;
        let mut promised = self.promised.lock().unwrap_or_else(PoisonError::into_inner);
        promised.retain(|_, since| since.elapsed() < PROMISE);
        let number = match wanted {
            Some(wanted) => {
                let number = Number::new(wanted).filter(|number| number.get() <= max);
                let number =
                    number.ok_or_else(|| format!("this cluster has node numbers 1 to {max}"))?;
                if let Some(known) = view.members.get(&number) {
                    return Err(format!(
                        "node number {number} belongs to {}; take another, or free it with `ssi forget {number}` once that node is down",
                        known.candidate.name
                    ));
                }
                number
            }
            None => Number::up_to(max)
                .find(|number| !view.members.contains_key(number) && !promised.contains_key(number))
                .ok_or_else(|| format!("all {max} node numbers are in use"))?,
        };
        promised.insert(number, Instant::now());
        Ok(number)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

impl House for Home {
    fn view(&self) -> Arc<View> {
        self.handle.views().borrow().clone()
    }

    fn enrol(&self, newcomer: &Newcomer, seen: IpAddr) -> Result<Enrolled, String> {
        self.admit(&newcomer.token)?;
        let view = self.view();
        let witness = newcomer.number == Some(WITNESS);
        let number = if witness {
            WITNESS
        } else {
            self.promise(&view, newcomer.number)?.get()
        };
        let issued = self.authority.issue(&newcomer.public);
        let certificate = issued.map_err(|bad| bad.to_string())?;
        let members = view.present();
        let doors = members.filter_map(|member| member.candidate.addresses.first().copied());
        tracing::info!("node {number} enrols from {seen}");
        Ok(Enrolled {
            cluster: self.kept.cluster.clone(),
            identity: self.authority.identity(),
            number,
            security: self.kept.security.clone(),
            certificate,
            authority: self.authority.certificate().to_vec(),
            // A witness makes nobody a member.
            authority_key: if witness {
                Vec::new()
            } else {
                self.authority.key().to_vec()
            },
            doors: doors.collect(),
            seen,
        })
    }

    async fn knock(&self, key: Key, token: Option<&str>, message: Message) -> Result<(), String> {
        if matches!(message, Message::Join(_)) {
            let view = self.view();
            let known = |key: Key| view.members.values().any(|m| m.candidate.key == key);
            if !known(key) {
                self.admit(token.unwrap_or_default()).map_err(|why| {
                    format!("this node is not known here (or forgotten), and {why}")
                })?;
            }
        }
        let message = postcard::to_stdvec(&message).map_err(|e| e.to_string())?;
        let brought = self.handle.message(None, &message).await;
        brought.map_err(|error| error.to_string())
    }

    async fn log(&self, key: Key, question: Vec<u8>) -> Result<Vec<u8>, String> {
        let view = self.view();
        let node = view.members.values().any(|m| m.candidate.key == key);
        let witness = view.witness.as_ref().map(|seated| seated.witness.key);
        if !node && witness != Some(key) {
            return Err("only voters ask a node's log".to_owned());
        }
        let said = self.handle.log(&question).await;
        said.map(Into::into).map_err(|error| error.to_string())
    }

    async fn witness(&self, key: Key, token: &str, address: SocketAddr) -> Result<(), String> {
        self.admit(token)?;
        let witness = Witness {
            key,
            addresses: vec![address],
        };
        let command = Command::Witness {
            witness: Some(witness),
        };
        let written = self.ask.propose(command).await;
        written.map_err(|failure| failure.to_string())?;
        tracing::info!("a witness at {address}");
        Ok(())
    }
}
