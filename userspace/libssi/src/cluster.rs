//! Asking `ssid` of one's own node.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ssi_api::control::{Client, ClientError, Reply, Request, socket};
use ssi_api::process::{Cpid, Pid, ProcessRequest, Signalled, Target};

use crate::Error;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The cluster, as the node that this program runs on knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    socket: PathBuf,
}

impl Default for Cluster {
    fn default() -> Self {
        Self::local()
    }
}

impl Cluster {
    /// By the control socket that `SSI_SOCKET` names, else the usual one.
    #[must_use]
    pub fn local() -> Self {
        Self::at(socket())
    }

    /// By this control socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// The control socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Sends a signal to a process on any node, with this program's rights; 0 only looks
    /// whether it could be sent.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NotPermitted`], [`Error::NoNode`], or `ssid` doesn't
    /// answer. After [`Error::Unknown`] it may have been sent.
    pub fn kill(&self, pid: Pid, signal: i32) -> Result<(), Error> {
        self.signal(pid, pid.pid().cast_signed(), signal)
    }

    /// Sends a signal to a process group, named by the number of its leader.
    ///
    /// # Errors
    /// As [`kill`](Self::kill).
    pub fn kill_group(&self, leader: Pid, signal: i32) -> Result<(), Error> {
        self.signal(leader, -leader.pid().cast_signed(), signal)
    }

    fn signal(&self, of: Pid, pid: i32, signal: i32) -> Result<(), Error> {
        let target = Target {
            node: of.node(),
            pid,
            start: None,
        };
        let request = ProcessRequest::Signal {
            signal,
            targets: vec![target],
            sessions: false,
            behalf: None,
        };
        let said = self.ask(Request::Process(request), |reply| match reply {
            Reply::Signalled(said) => said.into_iter().next(),
            _ => None,
        })?;
        match said {
            Signalled::Sent => Ok(()),
            Signalled::NoProcess => Err(Error::NoProcess(of)),
            Signalled::NotPermitted => Err(Error::NotPermitted(of)),
            Signalled::NoNode(why) => Err(Error::NoNode(why)),
            Signalled::Unknown(why) => Err(Error::Unknown(why)),
            Signalled::Failed(why) => Err(Error::Failed(why)),
        }
    }

    /// On which node a process is; one without a node is on this one.
    ///
    /// # Errors
    /// [`Error::NoProcess`], [`Error::NoNode`], or `ssid` doesn't answer.
    pub fn find(&self, pid: Pid) -> Result<u16, Error> {
        match self.kill(pid, 0) {
            Ok(()) | Err(Error::NotPermitted(_)) => match pid {
                Pid::At(cpid) => Ok(cpid.node()),
                Pid::Here(_) => self.node(),
            },
            Err(error) => Err(error),
        }
    }

    /// The clusterwide number of a process of this node.
    ///
    /// # Errors
    /// This node is in no cluster, `pid` can be no process's number, or `ssid` doesn't answer.
    pub fn number(&self, pid: u32) -> Result<Cpid, Error> {
        Cpid::new(self.node()?, pid).ok_or(Error::NoProcess(Pid::Here(pid)))
    }

    pub(crate) fn ask<T>(
        &self,
        request: Request,
        wanted: impl FnOnce(Reply) -> Option<T>,
    ) -> Result<T, Error> {
        let mut client = Client::connect(&self.socket, PATIENCE)?;
        let reply = client.request(request)?;
        let strange = || ClientError::Strange {
            path: self.socket.clone(),
            what: "answered something else".to_owned(),
        };
        wanted(reply).ok_or_else(|| strange().into())
    }
}
