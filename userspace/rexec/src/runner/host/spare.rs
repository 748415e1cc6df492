//! Connections that are there before a command is: to nodes where commands have been run lately.
//! So a session has its connection as soon as it is asked for, and whoever asks needn't make one.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::secrets::fill;
use crate::core::{Id, Life};

/// How many there are to a node.
const ENOUGH: usize = 4;
/// How long one is kept that nobody uses, and half of that at most; the other end waits longer.
const IDLE: Duration = Duration::from_secs(20);
/// How long the other end keeps one.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);
/// How soon new ones are made: a surrogate that ends has the processor until its parent knows.
const SOON: Duration = Duration::from_millis(1);
/// How long it may take to make one.
const CONNECT: Duration = Duration::from_secs(3);

/// What the ids of such connections begin with: nobody claims a session by them.
const MARK: [u8; 8] = *b"spare 1\0";

/// Whether a connection that says this waits for a command.
pub(super) fn is_spare(id: &Id) -> bool {
    id.starts_with(&MARK)
}

/// One of them.
#[derive(Debug)]
pub(super) struct Spare {
    /// What it has said.
    pub(super) id: Id,
    pub(super) tcp: TcpStream,
    made: Instant,
}

/// All that there are from here.
#[derive(Clone, Debug, Default)]
pub(super) struct Spares(Arc<Mutex<HashMap<Life, Vec<Spare>>>>);

impl Spares {
    /// One to this node, if there is one that is still open.
    pub(super) fn take(&self, life: Life) -> Option<Spare> {
        let mut all = self.lock();
        let there = all.get_mut(&life)?;
        std::iter::from_fn(|| there.pop()).find(|spare| is_open(&spare.tcp))
    }

    /// Has some more made to a node, when whoever has just ended is gone.
    pub(super) fn fill_up(&self, life: Life, address: SocketAddr) {
        let spares = self.clone();
        tokio::spawn(async move {
            sleep(SOON).await;
            while spares.count(life) < ENOUGH {
                // Then the next command makes its own, and says why it can't.
                let Ok(Ok(spare)) = timeout(CONNECT, make(address)).await else {
                    break;
                };
                spares.keep(life, spare);
            }
        });
    }

    fn keep(&self, life: Life, spare: Spare) {
        let mut all = self.lock();
        let first = !all.contains_key(&life);
        all.entry(life).or_default().push(spare);
        if first {
            tokio::spawn(self.clone().sweep(life));
        }
    }

    /// Closes those that nobody uses, until there are none.
    async fn sweep(self, life: Life) {
        loop {
            sleep(IDLE / 2).await;
            let mut all = self.lock();
            let Some(there) = all.get_mut(&life) else {
                return;
            };
            there.retain(|spare| spare.made.elapsed() < IDLE);
            if there.is_empty() {
                all.remove(&life);
                return;
            }
        }
    }

    fn count(&self, life: Life) -> usize {
        self.lock().get(&life).map_or(0, Vec::len)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Life, Vec<Spare>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn make(address: SocketAddr) -> io::Result<Spare> {
    let mut id = Id::default();
    fill(&mut id)?;
    id[..MARK.len()].copy_from_slice(&MARK);
    let mut tcp = TcpStream::connect(address).await?;
    tcp.write_all(&id).await?;
    Ok(Spare {
        id,
        tcp,
        made: Instant::now(),
    })
}

/// The other end says nothing before it has a session.
fn is_open(tcp: &TcpStream) -> bool {
    let read = tcp.try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    const LIFE: Life = Life {
        node: 2,
        incarnation: 7,
    };

    #[tokio::test]
    async fn those_that_are_open_are_taken_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let spares = Spares::default();
        assert!(spares.take(LIFE).is_none());
        spares.fill_up(LIFE, listener.local_addr().unwrap());
        let mut others = Vec::new();
        for _ in 0..ENOUGH {
            let mut other = listener.accept().await.unwrap().0;
            let mut id = Id::default();
            other.read_exact(&mut id).await.unwrap();
            assert!(is_spare(&id));
            others.push((id, other));
        }
        while spares.count(LIFE) < ENOUGH {
            sleep(Duration::from_millis(1)).await;
        }
        // The last one is taken first; it was closed, and the next one is taken instead.
        others.pop();
        sleep(Duration::from_millis(50)).await;
        let spare = spares.take(LIFE).expect("it is open");
        assert_eq!(spare.id, others[ENOUGH - 2].0);
        let again = spares.take(LIFE).expect("and so is another");
        assert_eq!(again.id, others[ENOUGH - 3].0);
        let other = Life {
            incarnation: 8,
            ..LIFE
        };
        assert!(spares.take(other).is_none(), "the node was booted since");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_uses_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let spares = Spares::default();
        spares.fill_up(LIFE, listener.local_addr().unwrap());
        while spares.count(LIFE) < ENOUGH {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(IDLE * 2).await;
        assert_eq!(spares.count(LIFE), 0);
        assert!(spares.lock().is_empty());
    }
}
