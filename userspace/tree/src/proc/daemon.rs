//! How `ssid` is asked.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ssi_api::cluster::{ClusterRequest, ClusterView};
use ssi_api::control::{Client, ClientError, FailureKind, Reply, Request};
use ssi_api::process::{
    ClusterLoads, ClusterPids, Cpid, Look, Looked, ProcessRequest, Reader, Seen, Swept,
};

/// How long the daemon may be away: it is started again within that time, also on a machine
/// that has much to do.
const AWAY: Duration = Duration::from_secs(10);
/// How long between two attempts to reach it.
const AGAIN: Duration = Duration::from_millis(50);
/// How long it may take to answer; other nodes have a second of that.
const PATIENCE: Duration = Duration::from_secs(5);

/// The node's `ssid`. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Daemon(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    socket: PathBuf,
    /// Connections that nobody uses now.
    idle: Mutex<Vec<Client>>,
}

impl Daemon {
    pub(super) fn new(socket: PathBuf) -> Self {
        let idle = Mutex::default();
        Self(Arc::new(Inner { socket, idle }))
    }

    /// Looks at a process, on behalf of whoever reads the tree.
    pub(super) async fn look(
        &self,
        cpid: Cpid,
        what: Look,
        reader: Reader,
    ) -> fuse3::Result<Looked> {
        let request = ProcessRequest::Look {
            node: Some(cpid.node()),
            pid: cpid.pid(),
            what,
            reader: Some(reader),
        };
        match self.ask(Request::Process(request)).await? {
            Reply::Looked(Looked::Refused(error)) => Err(error.into()),
            // A process of a node that is not there is not there.
            Reply::Looked(Looked::NoNode(_)) => Err(libc::ENOENT.into()),
            Reply::Looked(looked) => Ok(looked),
            _ => Err(libc::EIO.into()),
        }
    }

    /// What everybody may see of the processes of a node, from this one on, on behalf of whoever
    /// reads the tree: some of them, and whether there are more. Nothing if it doesn't say.
    pub(super) async fn sweep(
        &self,
        from: Cpid,
        reader: Reader,
    ) -> fuse3::Result<(Vec<Seen>, bool)> {
        let request = ProcessRequest::Sweep {
            node: Some(from.node()),
            after: from.pid() - 1,
            reader: Some(reader),
        };
        match self.ask(Request::Process(request)).await? {
            Reply::Swept(Swept::Page { processes, more }) => Ok((processes, more)),
            Reply::Swept(Swept::NoNode(_)) => Ok((Vec::new(), false)),
            _ => Err(libc::EIO.into()),
        }
    }

    /// The pids of all nodes that answer.
    pub(super) async fn pids(&self) -> fuse3::Result<ClusterPids> {
        let request = ProcessRequest::Pids { nodes: None };
        match self.ask(Request::Process(request)).await? {
            Reply::Pids(pids) => Ok(pids),
            _ => Err(libc::EIO.into()),
        }
    }

    /// How busy a node is.
    pub(super) async fn loads(&self, node: u16) -> fuse3::Result<ClusterLoads> {
        let nodes = Some(vec![node]);
        let request = ProcessRequest::Loads { nodes };
        match self.ask(Request::Process(request)).await? {
            Reply::Loads(loads) => Ok(loads),
            _ => Err(libc::EIO.into()),
        }
    }

    /// The view.
    pub(super) async fn view(&self) -> fuse3::Result<ClusterView> {
        match self.ask(Request::Cluster(ClusterRequest::Show)).await? {
            Reply::Cluster(view) => Ok(*view),
            _ => Err(libc::EIO.into()),
        }
    }

    async fn ask(&self, request: Request) -> fuse3::Result<Reply> {
        let inner = Arc::clone(&self.0);
        let asking = tokio::task::spawn_blocking(move || inner.ask(&request));
        asking.await.unwrap_or_else(|_| Err(libc::EIO.into()))
    }
}

impl Inner {
    fn ask(&self, request: &Request) -> fuse3::Result<Reply> {
        let begun = Instant::now();
        loop {
            match self.once(request) {
                Ok(reply) => return Ok(reply),
                Err(ClientError::Failed(failure)) => {
                    tracing::debug!("ssid refuses {request:?}: {failure}");
                    return Err(errno(failure.kind).into());
                }
                // It is asked to look only: asking again does no harm.
                Err(error) if begun.elapsed() < AWAY => {
                    tracing::debug!("{error}");
                    thread::sleep(AGAIN);
                }
                Err(error) => {
                    tracing::warn!("{error}");
                    return Err(libc::EIO.into());
                }
            }
        }
    }

    fn once(&self, request: &Request) -> Result<Reply, ClientError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut client = match idle {
            Some(client) => client,
            None => Client::connect(&self.socket, PATIENCE)?,
        };
        let reply = client.request(request.clone());
        if matches!(reply, Ok(_) | Err(ClientError::Failed(_))) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(client);
        }
        reply
    }
}

const fn errno(kind: FailureKind) -> i32 {
    match kind {
        FailureKind::Busy => libc::EAGAIN,
        _ => libc::EIO,
    }
}
