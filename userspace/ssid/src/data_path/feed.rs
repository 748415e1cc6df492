//! What the scheduler must be told and asked again and again: ways to the servers,
//! connections that ended, rates, fragments that wait for their first.

use std::collections::HashSet;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ssi_lvs::runner::routes::{self, Way};
use ssi_lvs::runner::{Held, Lvs};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{DataPath, with};

/// How often the connection tables are looked through.
const SWEEP: Duration = Duration::from_secs(1);
/// How often the meters are read, as in IPVS.
const METER: Duration = Duration::from_secs(2);
/// How soon to look again for the first fragment of those that are held.
const HOLD: Duration = Duration::from_millis(2);

/// The scheduler's company.
pub(crate) struct Feed {
    held: Arc<Mutex<Held>>,
    wanted: watch::Receiver<HashSet<IpAddr>>,
}

impl Feed {
    pub(super) fn new(held: Held, lvs: &Lvs) -> Self {
        Self {
            held: Arc::new(Mutex::new(held)),
            wanted: lvs.wanted(),
        }
    }

    /// Runs until something fails.
    pub(crate) async fn run(self, data_path: Arc<Mutex<DataPath>>) -> Result<()> {
        let Self { held, wanted } = self;
        let (tell, mut ways) = mpsc::unbounded_channel();
        let mut follower = tokio::spawn(routes::follow(wanted, tell));
        let readable: OwnedFd = lock(&held)
            .readable()
            .context("cannot watch for fragments")?;
        // SAFETY: an owned descriptor is open, and stays so as long as its owner, which is
        // the AsyncFd from here on.
        let readable = unsafe { AsyncFd::register_with_interest(readable, Interest::READABLE) }
            .context("cannot watch for fragments")?;
        let mut sweep = interval(SWEEP);
        let mut meter = interval(METER);
        for timer in [&mut sweep, &mut meter] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut again: Option<Instant> = None;
        loop {
            tokio::select! {
                ended = &mut follower => {
                    ended.context("following routes and neighbours failed")?;
                    bail!("following routes and neighbours ended");
                }
                Some(changes) = ways.recv() => {
                    let changes: Vec<(IpAddr, Way)> = changes;
                    with(&data_path, move |path| Ok(path.lvs.ways(changes)?)).await?;
                }
                _ = sweep.tick() => with(&data_path, DataPath::sweep).await?,
                _ = meter.tick() => with(&data_path, |path| Ok(path.lvs.tick()?)).await?,
                ready = readable.readable() => {
                    ready.context("cannot watch for fragments")?.clear_ready();
                    again = release(&data_path, &held).await?;
                }
                () = until(again) => again = release(&data_path, &held).await?,
            }
        }
    }
}

/// Sends the fragments that can be sent; when to look again, if some are left.
async fn release(
    data_path: &Arc<Mutex<DataPath>>,
    held: &Arc<Mutex<Held>>,
) -> Result<Option<Instant>> {
    let held = held.clone();
    let left = with(data_path, move |path| Ok(lock(&held).run(&mut path.net)?)).await?;
    Ok(left.then(|| Instant::now() + HOLD))
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A panic ends the process (`log::end_on_panic`), so a poisoned lock is never met.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
