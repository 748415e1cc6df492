//! Those who are measured: what each serves at the other end, and how it is called at this.

pub(super) mod ours;
pub(super) mod quinn;
pub(super) mod raw;
pub(super) mod tarpc;
pub(super) mod tonic;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};

/// Bytes of a call, and of its reply.
pub(super) const SIZE: usize = 64;
/// Bytes that a stream hands over at a time.
pub(super) const PIECE: usize = 64 << 10;
/// How long to go on trying to connect.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes so many calls, one after the other, and counts how long each took, nanoseconds.
pub(super) type Calls = Box<dyn FnMut(usize, &mut Histogram<u64>) -> Result<()>>;

/// Sends so many bytes, and returns when the other end says that it has them.
pub(super) type Sends = Box<dyn FnMut(u64) -> Result<()>>;

/// A runtime of one thread: this end has one CPU.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Durations up to a minute, to three figures.
pub(super) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

fn count(histogram: &mut Histogram<u64>, start: Instant) {
    let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    histogram.saturating_record(nanos);
}

/// Tries until it works: the other end says that it is ready a little before it is.
async fn until<T, E>(mut connect: impl AsyncFnMut() -> Result<T, E>) -> Result<T>
where
    anyhow::Error: From<E>,
{
    let start = Instant::now();
    loop {
        match connect().await {
            Ok(connected) => return Ok(connected),
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(anyhow::Error::from(error)).context("cannot connect to the other end");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
