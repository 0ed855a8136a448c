// SPDX-License-Identifier: MIT
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::{self, Thread};

/// Counts tasks that have run, and wakes the thread that waits for all.
pub struct Remaining {
    tasks: AtomicU64,
    waiter: Thread,
}

impl Remaining {
    /// The thread that calls this is the one that waits.
    pub fn new(tasks: u64) -> Arc<Self> {
        Arc::new(Remaining {
            tasks: tasks.into(),
            waiter: thread::current(),
        })
    }

    pub fn ran(&self) {
        if self.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiter.unpark();
        }
    }

    pub fn wait(&self) {
        while self.tasks.load(Ordering::Acquire) > 0 {
            thread::park();
        }
    }
}
