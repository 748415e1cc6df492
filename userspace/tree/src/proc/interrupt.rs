//! Requests that somebody waits for no more: whoever is blocked in one may be interrupted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Requests under way, by the kernel's numbers.
#[derive(Debug, Default)]
pub(super) struct Interrupts(Mutex<HashMap<u64, Arc<Notify>>>);

impl Interrupts {
    /// Does a request's work, unless it is interrupted.
    ///
    /// # Errors
    /// The work's own; EINTR.
    pub(super) async fn unless<T>(
        &self,
        request: u64,
        work: impl Future<Output = fuse3::Result<T>>,
    ) -> fuse3::Result<T> {
        let stop = Arc::new(Notify::new());
        self.all().insert(request, Arc::clone(&stop));
        let done = tokio::select! {
            biased;
            done = work => done,
            () = stop.notified() => Err(libc::EINTR.into()),
        };
        self.all().remove(&request);
        done
    }

    /// The kernel says that a request is interrupted; it may be done already.
    pub(super) fn interrupt(&self, request: u64) {
        if let Some(stop) = self.all().get(&request) {
            stop.notify_one();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_one_that_is_meant() {
        let all = Interrupts::default();
        assert_eq!(all.unless(1, async { Ok(7) }).await.ok(), Some(7));
        let (one, other) = tokio::join!(
            all.unless(2, std::future::pending::<fuse3::Result<()>>()),
            all.unless(3, async {
                tokio::task::yield_now().await;
                all.interrupt(2);
                all.interrupt(4);
                Ok(())
            }),
        );
        assert_eq!(one.err(), Some(libc::EINTR.into()));
        assert!(other.is_ok());
        assert!(all.all().is_empty());
    }
}
