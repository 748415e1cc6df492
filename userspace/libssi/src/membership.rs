//! Who belongs to the cluster.

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ssi_api::cluster::{ClusterRequest, ClusterView, Event, MemberView, NodeState};
use ssi_api::control::{Reply, Request};

use crate::{Cluster, Error};

/// How often it is looked whether the view has changed.
const LOOK: Duration = Duration::from_millis(100);

/// The view: the same on every node, in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The cluster's name.
    pub name: String,
    /// Counts the changes of the view.
    pub epoch: u64,
    /// The number of the node that this program runs on.
    pub node: u16,
    /// Who leads, if anybody has been agreed on.
    pub master: Option<u16>,
    /// How many nodes there can be, and so the largest number.
    pub max_nodes: u16,
    /// Whether this node has lost its lease, and has stopped what others may do instead.
    pub fenced: bool,
    /// Every node that is known, by number.
    pub nodes: Vec<Node>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number, from 1.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: NodeState,
    /// Which life of it, from 1.
    pub incarnation: u32,
    /// The epoch in which it came into its state.
    pub epoch: u64,
    /// When that was, if this node saw it.
    pub since: Option<SystemTime>,
    /// Its addresses on the interconnect.
    pub addresses: Vec<IpAddr>,
    /// Its processors.
    pub cpus: u32,
    /// Its memory, bytes.
    pub memory: u64,
    /// Its kernel's release.
    pub kernel: String,
}

/// A node went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The epoch that it led to.
    pub epoch: u64,
    /// When this node saw it.
    pub at: SystemTime,
    /// Which node.
    pub node: u16,
    /// Which life of it.
    pub incarnation: u32,
    /// Where it was.
    pub from: NodeState,
    /// Where it went.
    pub to: NodeState,
}

impl Membership {
    /// The node of this number.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&Node> {
        self.nodes.iter().find(|node| node.number == number)
    }
}

impl Cluster {
    /// The view as this node has it.
    ///
    /// # Errors
    /// [`Error::NotMember`], or `ssid` doesn't answer.
    pub fn membership(&self) -> Result<Membership, Error> {
        let request = Request::Cluster(ClusterRequest::Show);
        let answer = self.ask(request, |reply| match reply {
            Reply::Cluster(view) => Some(*view),
            _ => None,
        });
        match answer {
            Ok(view) => Ok(view.into()),
            // All that can be refused of a look.
            Err(Error::Failed(why)) => Err(Error::NotMember(why)),
            Err(error) => Err(error),
        }
    }

    /// The number of the node that this program runs on.
    ///
    /// # Errors
    /// As [`membership`](Self::membership).
    pub fn node(&self) -> Result<u16, Error> {
        Ok(self.membership()?.node)
    }

    /// The last transitions that this node saw, oldest first; some hundreds.
    ///
    /// # Errors
    /// `ssid` doesn't answer.
    pub fn transitions(&self) -> Result<Vec<Transition>, Error> {
        let request = Request::Cluster(ClusterRequest::History);
        let events = self.ask(request, |reply| match reply {
            Reply::History(events) => Some(events),
            _ => None,
        })?;
        Ok(events.into_iter().map(Into::into).collect())
    }

    /// Waits until the view has another epoch than the one that is known; none: it had not,
    /// in all that time. Looks ten times a second.
    ///
    /// # Errors
    /// As [`membership`](Self::membership); a daemon that is being restarted is waited for.
    pub fn changed(&self, known: u64, patience: Duration) -> Result<Option<Membership>, Error> {
        let until = Instant::now() + patience;
        loop {
            match self.membership() {
                Ok(view) if view.epoch != known => return Ok(Some(view)),
                Ok(_) if Instant::now() >= until => return Ok(None),
                Err(error) if Instant::now() >= until => return Err(error),
                Ok(_) | Err(Error::Daemon(_)) => {}
                Err(error) => return Err(error),
            }
            thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
    }
}

fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

impl From<ClusterView> for Membership {
    fn from(view: ClusterView) -> Self {
        Self {
            name: view.name,
            epoch: view.epoch,
            node: view.node,
            master: view.master,
            max_nodes: view.max_nodes.unwrap_or(511),
            fenced: view.fenced,
            nodes: view.nodes.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<MemberView> for Node {
    fn from(member: MemberView) -> Self {
        Self {
            number: member.number,
            name: member.name,
            state: member.state,
            incarnation: member.incarnation,
            epoch: member.epoch,
            since: member.since.map(moment),
            addresses: member.addresses,
            cpus: member.cpus,
            memory: member.memory,
            kernel: member.kernel,
        }
    }
}

impl From<Event> for Transition {
    fn from(event: Event) -> Self {
        Self {
            epoch: event.epoch,
            at: moment(event.at),
            node: event.node,
            incarnation: event.incarnation,
            from: event.from,
            to: event.to,
        }
    }
}
