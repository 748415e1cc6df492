//! Who waits for the calls that are under way.
//!
//! All are in one table under the engine's lock, so that when a node goes, however many calls
//! to it end in one pass over memory that lies together.

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::core::CallError;
use crate::core::peer::CallId;

type Said = Result<Bytes, CallError>;

/// How far a call is.
enum Waiting {
    /// Nobody has asked yet.
    Unasked,
    /// This task is to be woken.
    Asked(Waker),
    Over(Said),
}

/// By this node's own numbers, which nobody else chooses.
#[derive(Default)]
pub(super) struct Waiters(FxHashMap<CallId, Waiting>);

impl Waiters {
    /// A call has begun.
    pub(super) fn begin(&mut self, call: CallId) {
        self.0.insert(call, Waiting::Unasked);
    }

    /// Whether a call is.
    pub(super) fn is_over(&self, call: CallId) -> bool {
        !matches!(
            self.0.get(&call),
            Some(Waiting::Unasked | Waiting::Asked(_))
        )
    }

    /// A call is complete.
    pub(super) fn complete(&mut self, call: CallId, said: Said) {
        // Nobody may wait any more.
        if let Some(waiting) = self.0.get_mut(&call) {
            waiting.end(said);
        }
    }

    /// All calls are complete, and alike.
    pub(super) fn complete_all(&mut self, error: &CallError) {
        for waiting in self.0.values_mut() {
            waiting.end(Err(error.clone()));
        }
    }

    /// What came of a call, once it is complete; it is forgotten then.
    pub(super) fn poll(&mut self, call: CallId, cx: &mut Context<'_>) -> Poll<Said> {
        match self.0.get_mut(&call) {
            Some(Waiting::Asked(waker)) => waker.clone_from(cx.waker()),
            Some(waiting @ Waiting::Unasked) => *waiting = Waiting::Asked(cx.waker().clone()),
            Some(Waiting::Over(_)) | None => {
                let Some(Waiting::Over(said)) = self.0.remove(&call) else {
                    return Poll::Ready(Err(CallError::Cancelled));
                };
                return Poll::Ready(said);
            }
        }
        Poll::Pending
    }

    /// Nobody waits for it any more.
    pub(super) fn forget(&mut self, call: CallId) {
        self.0.remove(&call);
    }
}

impl Waiting {
    fn end(&mut self, said: Said) {
        if matches!(self, Self::Over(_)) {
            return;
        }
        if let Self::Asked(waker) = std::mem::replace(self, Self::Over(said)) {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn each_is_woken_once_and_told_what_came_first() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        let mut waiters = Waiters::default();
        for call in 1..=3 {
            waiters.begin(CallId(call));
        }
        assert!(waiters.poll(CallId(1), &mut cx).is_pending());
        assert!(waiters.poll(CallId(2), &mut cx).is_pending());
        assert!(waiters.poll(CallId(2), &mut cx).is_pending());
        waiters.complete(CallId(1), Ok(Bytes::from_static(b"it")));
        let down = CallError::NodeDown { node: 2, epoch: 5 };
        waiters.complete_all(&down);
        assert_eq!(woken.0.load(Ordering::Relaxed), 2);
        let said = Bytes::from_static(b"it");
        assert_eq!(waiters.poll(CallId(1), &mut cx), Poll::Ready(Ok(said)));
        for call in [2, 3] {
            let ended = Poll::Ready(Err(down.clone()));
            assert_eq!(waiters.poll(CallId(call), &mut cx), ended);
        }
        // Told already.
        let gone = Poll::Ready(Err(CallError::Cancelled));
        assert_eq!(waiters.poll(CallId(2), &mut cx), gone);
        assert!(waiters.0.is_empty());
    }

    #[test]
    fn nobody_has_to_wait() {
        let mut waiters = Waiters::default();
        waiters.begin(CallId(1));
        waiters.forget(CallId(1));
        waiters.complete(CallId(1), Ok(Bytes::new()));
        assert!(waiters.0.is_empty());
    }
}
