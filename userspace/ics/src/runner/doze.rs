//! Branches of a task that are looked at only when they have been woken.
//!
//! A `select!` polls all its branches whenever the task is woken, whichever of them that is
//! for. What a connection is told once in its life, to close or that all is stopped, would be
//! looked for in its waiters' list with each message.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::remote::lock;

/// A future that sleeps well.
pub(super) struct Doze<F: ?Sized> {
    /// Wakes this one, and the task it is part of.
    waker: Waker,
    bed: Arc<Bed>,
    /// What `bed` has.
    task: Option<Waker>,
    future: Pin<Box<F>>,
}

struct Bed {
    woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Bed {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the task is looked for: whoever polls puts the task there first, and looks
        // at this afterwards.
        self.woken.store(true, Ordering::SeqCst);
        if let Some(task) = &*lock(&self.task) {
            task.wake_by_ref();
        }
    }
}

impl<F: Future> Doze<F> {
    pub(super) fn new(future: F) -> Self {
        let bed = Arc::new(Bed {
            woken: AtomicBool::new(true),
            task: Mutex::default(),
        });
        Self {
            waker: Arc::clone(&bed).into(),
            bed,
            task: None,
            future: Box::pin(future),
        }
    }
}

impl<F: Future + ?Sized> Future for Doze<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let same = this.task.as_ref();
        if !same.is_some_and(|task| task.will_wake(cx.waker())) {
            this.task = Some(cx.waker().clone());
            this.task.clone_into(&mut lock(&this.bed.task));
        }
        if !this.bed.woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        let mut cx = Context::from_waker(&this.waker);
        this.future.as_mut().poll(&mut cx)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;

    use futures::task::{ArcWake, waker};
    use tokio::sync::Notify;

    use super::*;

    struct Count(std::sync::atomic::AtomicUsize);

    impl ArcWake for Count {
        fn wake_by_ref(count: &Arc<Self>) {
            count.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_is_polled_at_first_and_when_it_was_woken() {
        let count = Arc::new(Count(0.into()));
        let other = Arc::new(Count(0.into()));
        let (notify, polls) = (Notify::new(), Cell::new(0));
        let mut notified = Box::pin(notify.notified());
        let mut doze = Doze::new(poll_fn(|cx| {
            polls.set(polls.get() + 1);
            notified.as_mut().poll(cx)
        }));
        let (first, second) = (waker(Arc::clone(&count)), waker(Arc::clone(&other)));
        for task in [&first, &first, &second, &second] {
            let mut cx = Context::from_waker(task);
            assert!(Pin::new(&mut doze).poll(&mut cx).is_pending());
        }
        assert_eq!(polls.get(), 1);
        notify.notify_one();
        let woken = [&count, &other].map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1], "the task that polled last");
        let mut cx = Context::from_waker(&second);
        assert!(Pin::new(&mut doze).poll(&mut cx).is_ready());
        assert_eq!(polls.get(), 2);
    }
}
