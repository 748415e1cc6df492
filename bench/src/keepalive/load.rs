//! A machine that has more to do than it can.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// Two threads for each CPU that never sleep, until this is dropped.
#[derive(Debug)]
pub(super) struct Load {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    pub(super) fn new() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..2 * cpus).map(|_| {
            let over = over.clone();
            thread::spawn(move || {
                let mut n = 0_u64;
                while !over.load(Ordering::Relaxed) {
                    n = black_box(n.wrapping_mul(31).wrapping_add(7));
                }
            })
        });
        let threads = threads.collect();
        Self { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
