//! What calls on clusterwide numbers return: `ssid` is asked, on behalf of whoever called.

use std::io;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use ssi_api::control::{Client, ClientError, Reply, Request};
use ssi_api::process::{Behalf, Cpid, Look, Looked, Niced, ProcFile, ProcessRequest, Target};

use super::call::{self, Call, Returned, Whom};
use super::caller::Caller;
use super::listener::{Listener, Waiting};
use crate::args::Common;

/// How long `ssid` may be away: it is started again within that time.
const AWAY: Duration = Duration::from_secs(3);
/// How long between two attempts to reach it.
const AGAIN: Duration = Duration::from_millis(50);
/// How old what a node shows of its processes can be, and a little more.
const STALE: Duration = Duration::from_millis(150);

/// Answers calls.
#[derive(Debug)]
pub(super) struct Answers {
    pub(super) listener: Listener,
    pub(super) common: Common,
    /// The node's own /proc.
    pub(super) native: OwnedFd,
    /// Whether we may say on whose behalf we ask. Else all that we answer are ours: who isn't
    /// root has a shell in which nobody becomes another user.
    pub(super) for_others: bool,
}

impl Answers {
    /// Answers a call.
    pub(super) fn answer(&self, waiting: &Waiting) {
        let caller = Caller::of(&self.native, waiting.thread);
        // If it waits no more, that was another's.
        if let Some(caller) = caller.filter(|_| self.listener.waits(waiting)) {
            let returned = Call::of(waiting.number, waiting.args)
                .and_then(|call| self.carry_out(call, caller));
            self.listener.answer(waiting, returned);
        }
    }

    fn carry_out(&self, call: Call, caller: Caller) -> Returned {
        match call {
            Call::Signal { whom, signal } => self.signal(whom, signal, caller),
            Call::SetNice { whom, nice } => {
                let behalf = self.behalf(caller.changes_as())?;
                call::niced(&self.change(nice, self.targets(whom)?, behalf)?)
            }
            Call::GetNice { whom } => {
                let targets = self.targets(whom)?.into_iter();
                let all = targets.map(|target| self.nice(target));
                // Who has ended meanwhile has none.
                let all = all.filter(|nice| *nice != Err(libc::ESRCH));
                call::nice(all.collect::<Result<Vec<_>, _>>()?.into_iter())
            }
        }
    }

    /// Signals with one right of the caller's after the other.
    fn signal(&self, whom: Whom, signal: i32, caller: Caller) -> Returned {
        let pid = whom.cpid().pid().cast_signed();
        let target = Target {
            node: Some(whom.cpid().node()),
            pid: match whom {
                Whom::Process(_) => pid,
                Whom::Group(_) => -pid,
            },
            start: None,
        };
        let mut rights: Vec<_> = caller.signals_as().map(Some).collect();
        if !self.for_others {
            rights = vec![None];
        }
        let mut returned = Err(libc::EPERM);
        for behalf in rights {
            let request = ProcessRequest::Signal {
                signal,
                targets: vec![target],
                sessions: false,
                behalf,
            };
            returned = match self.ask(request)? {
                Reply::Signalled(sent) => sent.first().map_or(Err(libc::EIO), call::signalled),
                _ => Err(libc::EIO),
            };
            if returned != Err(libc::EPERM) {
                break;
            }
        }
        returned
    }

    fn change(
        &self,
        nice: i32,
        targets: Vec<Target>,
        behalf: Option<Behalf>,
    ) -> Result<Vec<Niced>, i32> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let request = ProcessRequest::Nice {
            nice,
            relative: false,
            targets,
            behalf,
        };
        match self.ask(request)? {
            Reply::Niced(niced) => Ok(niced),
            _ => Err(libc::EIO),
        }
    }

    /// Whose rights are to be named.
    fn behalf(&self, rights: Option<Behalf>) -> Result<Option<Behalf>, i32> {
        if !self.for_others {
            return Ok(None);
        }
        rights.map(Some).ok_or(libc::EPERM)
    }

    /// The process, or those of the group.
    fn targets(&self, whom: Whom) -> Result<Vec<Target>, i32> {
        let (node, pid) = (Some(whom.cpid().node()), whom.cpid().pid());
        if let Whom::Process(_) = whom {
            let pid = pid.cast_signed();
            let start = None;
            return Ok(vec![Target { node, pid, start }]);
        }
        let group = self.group(whom.cpid())?;
        if !group.is_empty() {
            return Ok(group);
        }
        // It may be younger than what the node knows of its processes.
        thread::sleep(STALE);
        self.group(whom.cpid())
    }

    /// The processes of a group, as their node has seen them last.
    fn group(&self, leader: Cpid) -> Result<Vec<Target>, i32> {
        let (node, pid) = (Some(leader.node()), leader.pid());
        let (mut targets, mut after) = (Vec::new(), Some(0));
        while let Some(last) = after {
            let request = ProcessRequest::List {
                args: false,
                nodes: node.map(|node| vec![node]),
                after: last,
            };
            let Reply::ClusterProcesses(all) = self.ask(request)? else {
                return Err(libc::EIO);
            };
            after = all.rest.map(|rest| rest.after);
            let nodes = all.nodes.into_iter();
            let all = nodes.flat_map(|node| node.said.processes);
            let group = all.filter(|process| process.pgid == pid);
            targets.extend(group.map(|process| Target {
                node,
                pid: process.pid.cast_signed(),
                start: Some(process.start),
            }));
        }
        Ok(targets)
    }

    /// The niceness of a process now.
    fn nice(&self, target: Target) -> Result<i32, i32> {
        let request = ProcessRequest::Look {
            node: target.node,
            pid: target.pid.unsigned_abs(),
            what: Look::File(ProcFile::Stat),
            reader: None,
        };
        match self.ask(request)? {
            Reply::Looked(Looked::Bytes(stat)) => call::nice_of(&stat.0).ok_or(libc::EIO),
            Reply::Looked(Looked::Refused(_) | Looked::NoNode(_)) => Err(libc::ESRCH),
            _ => Err(libc::EIO),
        }
    }

    /// Asks `ssid`; waits for the next if there is none.
    fn ask(&self, request: ProcessRequest) -> Result<Reply, i32> {
        let begun = Instant::now();
        let mut client = loop {
            match self.common.connect() {
                Ok(client) => break client,
                Err(error) if !refused(&error) && begun.elapsed() < AWAY => thread::sleep(AGAIN),
                Err(error) if refused(&error) => return Err(libc::EPERM),
                Err(_) => return Err(libc::EHOSTUNREACH),
            }
        };
        reply(&mut client, request)
    }
}

fn reply(client: &mut Client, request: ProcessRequest) -> Result<Reply, i32> {
    use ssi_api::control::FailureKind::{Busy, Refused};
    client
        .request(Request::Process(request))
        .map_err(|error| match error {
            ClientError::Failed(failure) => match failure.kind {
                Busy => libc::EAGAIN,
                Refused => libc::EPERM,
                _ => libc::EIO,
            },
            // It may have been done or not.
            _ => libc::EHOSTUNREACH,
        })
}

/// Whether we may not connect.
fn refused(error: &ClientError) -> bool {
    let ClientError::Unreachable { source, .. } = error else {
        return false;
    };
    source.kind() == io::ErrorKind::PermissionDenied
}
