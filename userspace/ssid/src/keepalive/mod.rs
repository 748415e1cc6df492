//! What is kept alive on this node, and what all nodes agreed about it.
//!
//! It has a thread of its own: what runs here must be stood still when the lease is over,
//! whatever else the daemon is busy with.

mod conditions;
mod desk;
mod events;
mod guard;
mod install;
mod logs;
mod moving;
mod opener;
mod places;
mod resting;
mod saved;
mod show;
mod unload;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use ssi_clms::core::{Epoch, NodeId};
use ssi_keepalive::placement::Life;
use ssi_loader::map::OwnNode;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::desk::Desk;
pub(crate) use self::guard::serve_if_asked as guard_if_asked;
pub(crate) use self::logs::Piece;
pub(crate) use self::moving::Balancing;
pub(crate) use self::saved::forget;
pub(crate) use self::unload::end_all;
use crate::config::Config;

type Work = Box<dyn FnOnce(&mut Desk) + Send>;

/// The thread's desk, for whoever has something to say or to ask.
#[derive(Clone)]
pub(crate) struct Keepalive {
    work: mpsc::UnboundedSender<Work>,
    /// What membership said last of the lease: that it is over (true).
    over: Arc<AtomicBool>,
    due: watch::Receiver<u64>,
    done: watch::Receiver<Epoch>,
    news: watch::Receiver<u64>,
    balance: watch::Receiver<u64>,
}

/// How a node begins.
pub(crate) struct Beginning {
    /// Its number.
    pub(crate) number: u16,
    /// The life that goes on; none: it has none yet.
    pub(crate) life: Option<NodeId>,
    /// Up to which epoch the views were taken in.
    pub(crate) epoch: Epoch,
    /// Whether it is without a lease.
    pub(crate) fenced: bool,
    /// What the kernel says of the lease.
    pub(crate) own: OwnNode,
}

impl Keepalive {
    /// Goes on where this node was: its processes run all along.
    pub(crate) fn start(config: &Config, beginning: Beginning) -> Result<Self> {
        let (work, mut works) = mpsc::unbounded_channel::<Work>();
        let over = Arc::new(AtomicBool::new(beginning.fenced));
        let (due, due_seen) = watch::channel(0);
        let (done, done_seen) = watch::channel(beginning.epoch);
        let (news, news_seen) = watch::channel(0);
        let (balance, balance_seen) = watch::channel(0);
        let said = desk::Said {
            due,
            done,
            news,
            balance,
        };
        let (config, lease) = (config.clone(), over.clone());
        let (tell, opened) = std::sync::mpsc::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(4)
                .build();
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = tell.send(Err(error.into()));
                    return;
                }
            };
            runtime.block_on(async move {
                let mut desk = match Desk::open(&config, beginning, lease, said) {
                    Ok(desk) => desk,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                let _ = tell.send(Ok(()));
                // Until nobody has a handle any more.
                loop {
                    tokio::select! {
                        biased;
                        work = works.recv() => match work {
                            Some(work) => work(&mut desk),
                            None => return,
                        },
                        () = desk.step() => {}
                    }
                    desk.listen();
                }
            });
        };
        thread::Builder::new()
            .name("keepalive".to_owned())
            .spawn(run)
            .context("cannot start a thread")?;
        opened
            .recv()
            .map_err(|_| anyhow!("supervision has stopped"))??;
        Ok(Self {
            work,
            over,
            due: due_seen,
            done: done_seen,
            news: news_seen,
            balance: balance_seen,
        })
    }

    /// Does something at the desk.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> T + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |desk| {
            // Whoever asked may have gone.
            let _ = tell.send(work(desk));
        });
        let stopped = || anyhow!("supervision has stopped");
        self.work.send(work).map_err(|_| stopped())?;
        told.await.map_err(|_| stopped())
    }

    /// The lease is over: at once, before anything else that waits.
    pub(crate) fn lease_over(&self) {
        self.over.store(true, Ordering::SeqCst);
        // It is about to end if it doesn't listen.
        let _ = self.work.send(Box::new(Desk::fence));
    }

    /// There is a lease again, as far as membership is; the desk hears it in its turn.
    pub(crate) fn lease_back(&self) {
        self.over.store(false, Ordering::SeqCst);
    }

    /// Counts up whenever there may be something to propose.
    pub(crate) fn due(&self) -> watch::Receiver<u64> {
        self.due.clone()
    }

    /// Up to which epoch it has taken entries in.
    pub(crate) fn done(&self) -> watch::Receiver<Epoch> {
        self.done.clone()
    }

    /// Counts up whenever there is something to tell other nodes.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// Counts up whenever real servers of virtual services may be others.
    pub(crate) fn balance(&self) -> watch::Receiver<u64> {
        self.balance.clone()
    }
}

/// A life, as supervision has it.
pub(crate) fn life(id: NodeId) -> Option<Life> {
    Some(Life {
        node: ssi_keepalive::Node::new(id.number.get())?,
        life: id.incarnation,
    })
}

/// Where this node's supervision keeps what it has to know, below the state directory.
fn folder(config: &Config) -> PathBuf {
    config.state.directory.join("keepalive")
}
