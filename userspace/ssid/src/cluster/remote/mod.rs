//! Remote execution: what it has to know of the cluster.

mod about;
mod choose;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::unistd::Group;
use serde::{Deserialize, Serialize};
use ssi_clms::core::{NodeId, Number, State, View};
use ssi_ics::core::Failure;
use ssi_ics::runner::{Ics, Register, Request};
use ssi_rexec::core::{Caller, Life, Nodes, Order, Place, Seat, Whom};
use ssi_rexec::runner::host::{self, Secrecy};

use super::Member;
use super::service::{Service, other, read, reply};
use super::world::World;
use crate::config::Config;
use crate::processes::Processes;

/// The service, and what it is asked for.
const SERVICE: Service = Service {
    name: "rexec",
    patience: Duration::from_secs(5),
    lacked: "knows no remote execution",
};
mod op {
    pub(super) const EXPECT: u16 = 1;
    pub(super) const ABOUT: u16 = 2;
}

/// The daemon's part in remote execution.
pub(crate) type Host = host::Host<Elsewhere>;

/// This node, if it is in a cluster.
pub(super) type MemberPlace = Arc<Mutex<Option<Arc<Member>>>>;

/// What remote execution knows of the cluster.
pub(crate) struct Elsewhere {
    member: MemberPlace,
    world: Arc<World>,
    processes: Processes,
}

/// The daemon's part, of a daemon that is configured so.
pub(super) fn host(
    config: &Config,
    member: MemberPlace,
    world: Arc<World>,
    processes: Processes,
) -> Arc<Host> {
    let elsewhere = Arc::new(Elsewhere {
        member,
        world,
        processes,
    });
    let own = std::env::current_exe().ok();
    let programs = own.as_deref().and_then(Path::parent);
    let programs = programs.unwrap_or(Path::new("/usr/bin"));
    Arc::new(Host::new(elsewhere, &config.runtime(), programs))
}

impl Elsewhere {
    fn member(&self) -> Option<Arc<Member>> {
        let member = self.member.lock();
        member.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn in_cluster(&self) -> Result<Arc<Member>, String> {
        self.member().ok_or_else(|| {
            "this node is in no cluster; `ssi init NAME` founds one, `ssi join HOST TOKEN` joins one"
                .to_owned()
        })
    }
}

impl host::World for Elsewhere {
    fn here(&self) -> Option<Life> {
        let member = self.member()?;
        let own = Number::new(member.kept().number)?;
        member.handle.views().borrow().current(own).map(life)
    }

    fn secrecy(&self) -> Secrecy {
        let security = self.member().map(|member| member.kept().security.clone());
        match security.as_deref() {
            Some("none") => Secrecy::Unwanted,
            Some("tls") => Secrecy::Carried,
            // Tags protect frames of internode communication from being changed, not from
            // being read.
            _ => Secrecy::Missing,
        }
    }

    fn is_member(&self, address: IpAddr) -> bool {
        let Some(member) = self.member() else {
            return false;
        };
        let view = member.handle.views().borrow().clone();
        let mut present = view.present();
        present.any(|member| member.candidate.addresses.contains(&address))
    }

    fn may(&self, caller: &Caller) -> Result<(), String> {
        let name = self.world.config().remote.group;
        if caller.uid == 0 || name.is_empty() {
            return Ok(());
        }
        let group = Group::from_name(&name).ok().flatten();
        let gid = group.map(|group| group.gid.as_raw());
        if gid.is_some_and(|gid| caller.gid == gid || caller.groups.contains(&gid)) {
            return Ok(());
        }
        Err(format!(
            "user {} may not run commands on other nodes: root and the group {name} may (remote.group in ssi.toml); an administrator adds a user by: usermod -aG {name} USER",
            caller.uid
        ))
    }

    async fn choose(&self, whom: Whom) -> Result<(Place, IpAddr), String> {
        let member = self.in_cluster()?;
        let number = member.choose(&self.processes, &self.world, whom).await?;
        let view = member.handle.views().borrow().clone();
        let found = view.members.get(&number).ok_or("it has just gone")?;
        let address = found.candidate.addresses.first();
        let address = *address.ok_or("it has no address on the interconnect")?;
        Ok((place(found.id, &found.candidate.name), address))
    }

    async fn nodes(&self, whom: Option<Whom>) -> Result<Nodes, String> {
        let member = self.in_cluster()?;
        let view = member.handle.views().borrow().clone();
        let up = || view.present().filter(|member| member.state == State::Up);
        let at = |number: &Number| up().find(|member| member.id.number == *number);
        let places = |numbers: &[Number]| {
            let there = numbers.iter().filter_map(at);
            there
                .map(|member| place(member.id, &member.candidate.name))
                .collect()
        };
        let (wanted, silent) = match whom {
            None => (up().map(|member| member.id.number).collect(), Vec::new()),
            Some(Whom::Class(class)) => {
                let about = member.about(&self.processes, &self.world).await;
                (choose::of_class(&about, &class)?, about.silent)
            }
            Some(whom) => {
                let one = member.choose(&self.processes, &self.world, whom).await?;
                (vec![one], Vec::new())
            }
        };
        Ok(Nodes {
            wanted: places(&wanted),
            silent: places(&silent),
        })
    }

    async fn order(&self, to: Life, order: Order) -> Result<Seat, String> {
        let member = self.in_cluster()?;
        let seat: Result<Seat, String> = member.ask_node(to.node, op::EXPECT, &order).await?;
        seat
    }

    async fn ended(&self, life: Life) -> u64 {
        let Some(member) = self.member() else {
            return std::future::pending().await;
        };
        let mut views = member.handle.views();
        drop(member);
        loop {
            if let Some(epoch) = ended(&views.borrow_and_update(), life) {
                return epoch;
            }
            if views.changed().await.is_err() {
                // This node has left; whoever waits hears of it by the connection's end.
                return std::future::pending().await;
            }
        }
    }
}

/// Whether a life is over, in this view; a view that does not know it yet is an earlier one.
fn ended(view: &View, life: Life) -> Option<u64> {
    let number = Number::new(life.node)?;
    let known = view.members.get(&number);
    let over = known.is_none_or(|member| {
        member.id.incarnation > life.incarnation
            || member.id.incarnation == life.incarnation && !member.state.is_member()
    });
    over.then_some(view.epoch)
}

fn life(id: NodeId) -> Life {
    Life {
        node: id.number.get(),
        incarnation: id.incarnation,
    }
}

fn place(id: NodeId, name: &str) -> Place {
    Place {
        life: life(id),
        name: name.to_owned(),
    }
}

impl Member {
    async fn ask_node<Q: Serialize, A: for<'a> Deserialize<'a> + Send + 'static>(
        &self,
        node: u16,
        op: u16,
        question: &Q,
    ) -> Result<A, String> {
        let said = self.ask(&SERVICE, node, op, question).await;
        said.map_err(|error| SERVICE.in_words(&error))
    }
}

/// Answers what other nodes ask.
pub(super) fn serve(
    ics: &Ics,
    host: &Arc<Host>,
    processes: &Processes,
    world: &Arc<World>,
) -> Result<(), Register> {
    let (host, processes, world) = (host.clone(), processes.clone(), world.clone());
    ics.register(SERVICE.name, move |request: Request| {
        let (host, processes, world) = (host.clone(), processes.clone(), world.clone());
        async move {
            match request.op {
                op::EXPECT => {
                    let order: Order = read(&request)?;
                    if order.from.node != request.from {
                        return Err(other("the order is another node's"));
                    }
                    // This ssid may have stood still.
                    if request.cancelled.is_set() {
                        return Err(Failure::Cancelled);
                    }
                    reply(&host.expect(order))
                }
                op::ABOUT => reply(&about::here(&processes, &world)),
                unknown => Err(other(format!("{} knows no {unknown}", SERVICE.name))),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use ssi_clms::core::member::{Candidate, Facts, Member};

    use super::*;

    #[test]
    fn only_a_life_that_was_and_is_not_any_more_has_ended() {
        let member = |incarnation, state| Member {
            id: NodeId {
                number: Number::new(2).unwrap(),
                incarnation,
            },
            state,
            since: 1,
            why: None,
            candidate: Candidate {
                name: "blue2".to_owned(),
                addresses: Vec::new(),
                key: [0; 32],
                life: 1,
                potential_master: true,
                facts: Facts::default(),
            },
        };
        let mut view = View {
            epoch: 7,
            ..View::default()
        };
        let life = Life {
            node: 2,
            incarnation: 3,
        };
        assert_eq!(ended(&view, life), Some(7), "it was forgotten");
        for (incarnation, state, expected) in [
            (2, State::Down, None),
            (3, State::Up, None),
            (3, State::Shutdown, None),
            (3, State::Down, Some(7)),
            (4, State::ComingUp, Some(7)),
        ] {
            let member = Arc::new(member(incarnation, state));
            view.members.insert(Number::new(2).unwrap(), member);
            assert_eq!(ended(&view, life), expected, "{incarnation} {state:?}");
        }
    }
}
