//! Stopping and restarting without a new connection that nobody answers: the master has those go
//! elsewhere first, and a restart goes from node to node, each ready before the next one's turn.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssi_api::control::{Failure, Reply};
use ssi_api::service::ServiceOutcome;
use ssi_keepalive::Node;
use ssi_keepalive::config::Config;
use tokio::time::{Instant, sleep};

use super::lookup::{missing, processes, up};
use super::service::{Deed, SERVICE, op};
use crate::cluster::Member;
use crate::cluster::join::{internal, refused};
use crate::keepalive::{Desk, Keepalive};

/// How long new connections may take to go elsewhere. Then it is done all the same: an operator
/// who wants something to stop gets it.
const OUT: Duration = Duration::from_secs(3);
/// How often it is looked whether they do, and whether what was restarted is ready.
const LOOK: Duration = Duration::from_millis(20);
/// What a restart may take besides the times that the configuration gives it.
const RESTART: Duration = Duration::from_secs(15);

/// What the master is to do about new connections.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rest {
    names: Vec<Arc<str>>,
    node: Option<Node>,
    /// Whether they may come again.
    over: bool,
}

impl Rest {
    /// Does it; whether they go elsewhere, or may come. None: this node is not the master.
    pub(super) fn at(&self, desk: &mut Desk) -> Option<bool> {
        if self.over {
            desk.wake(&self.names, self.node);
            return Some(true);
        }
        desk.rest(&self.names, self.node)
    }
}

/// Whether what a node has of processes is settled ([`Desk::settled`]).
pub(super) async fn settled(
    desk: &Keepalive,
    names: Vec<Arc<str>>,
) -> Result<Result<Option<String>, String>, String> {
    let settled = desk.with(move |desk| desk.settled(&names)).await;
    settled.map_err(|error| error.to_string())
}

impl Member {
    /// Has new connections go elsewhere than to these processes, if any are balanced.
    pub(super) async fn rest(&self, config: &Config, names: &[Arc<str>], node: Option<Node>) {
        if !is_balanced(config, names) {
            return;
        }
        let rest = Rest {
            names: names.to_vec(),
            node,
            over: false,
        };
        let until = Instant::now() + OUT;
        while self.tell_master(&rest).await != Some(true) {
            if Instant::now() > until {
                tracing::info!("new connections may still come to {}", names.join(" "));
                return;
            }
            sleep(LOOK).await;
        }
    }

    /// They may come again.
    pub(super) async fn wake(&self, config: &Config, names: &[Arc<str>], node: Option<Node>) {
        if is_balanced(config, names) {
            let wake = Rest {
                names: names.to_vec(),
                node,
                over: true,
            };
            // If the master doesn't hear it, it ends by itself.
            self.tell_master(&wake).await;
        }
    }

    async fn tell_master(&self, rest: &Rest) -> Option<bool> {
        let master = self.handle.views().borrow().master.map(|it| it.node.number);
        let master = master?.get();
        if master == self.kept().number {
            let rest = rest.clone();
            let said = self.supervision.desk.with(move |desk| rest.at(desk)).await;
            return said.ok().flatten();
        }
        let said = self.ask(&SERVICE, master, op::REST, rest).await;
        said.ok().flatten()
    }

    /// Restarts what one node has of processes, and waits until it is ready.
    pub(super) async fn restart(&self, names: &[String], number: u16) -> Result<Reply, Failure> {
        let config = self.agreed_config().await?;
        let all = processes(&config, names)?;
        let mut instances = self.places(names).await?;
        instances.retain(|(_, node)| *node == Some(number));
        let Some(node) = Node::new(number).filter(|_| !instances.is_empty()) else {
            let names = names.join(" ");
            return Err(refused(format!(
                "node {number} has nothing of {names}; `ssi service list {names}` shows who has"
            )));
        };
        self.rest(&config, &all, Some(node)).await;
        let done = self.restart_there(&config, &all, number).await;
        self.wake(&config, &all, Some(node)).await;
        let view = self.handle.views().borrow().clone();
        let silent = done.err().map(|why| missing(&view, number, why));
        Ok(Reply::ServiceOutcome(ServiceOutcome {
            instances,
            missing: silent.into_iter().collect(),
        }))
    }

    /// Why it was not, in words that follow the node's name.
    async fn restart_there(
        &self,
        config: &Config,
        names: &[Arc<str>],
        node: u16,
    ) -> Result<(), String> {
        let named = || names.to_vec();
        let desk = &self.supervision.desk;
        let order = |deed: Deed| async move {
            let done = desk.with(move |desk| desk.order(deed.into())).await;
            done.map_err(|error| error.to_string())?
        };
        let restart = |_| Deed::Restart(named());
        let said = self.ask_each(vec![node], op::DO, restart, order);
        said.await.into_values().collect::<Result<(), String>>()?;
        let until = Instant::now() + patience(config, names);
        loop {
            let look = |names| settled(desk, names);
            let said = self.ask_each(vec![node], op::SETTLED, |_| named(), look);
            let said: Result<Option<String>, String> = match said.await.remove(&node) {
                Some(Ok(said)) => said,
                Some(Err(why)) if !up(&self.handle.views().borrow()).contains(&node) => Err(why),
                // It may be back in a moment, what it keeps alive runs meanwhile.
                Some(Err(why)) => Ok(Some(why)),
                None => return Err("was not asked".to_owned()),
            };
            match said {
                Ok(None) => return Ok(()),
                Ok(Some(why)) if Instant::now() > until => {
                    return Err(format!("is not ready in time: {why}"));
                }
                Ok(Some(_)) => sleep(LOOK).await,
                Err(why) => return Err(why),
            }
        }
    }

    /// The configuration that all nodes agreed on.
    pub(super) async fn agreed_config(&self) -> Result<Arc<Config>, Failure> {
        let desk = &self.supervision.desk;
        let config = desk.with(|desk| desk.agreed.config.clone());
        config.await.map_err(|e| internal(&e))
    }
}

fn is_balanced(config: &Config, names: &[Arc<str>]) -> bool {
    let mut named = names.iter().filter_map(|name| config.process(name));
    named.any(|process| !process.balance.is_empty())
}

/// How long processes may take to end, and to be ready again.
fn patience(config: &Config, names: &[Arc<str>]) -> Duration {
    let named = names.iter().filter_map(|name| config.process(name));
    RESTART
        + named
            .map(|p| p.term_wait.0 + p.ready_timeout.0)
            .sum::<Duration>()
}
