// SPDX-License-Identifier: MIT
//! What a thread does that is none of the pool's.

use peer::{count, measure, Remaining, Run};
use rayon::ThreadPool;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

fn spawn_all(pool: &ThreadPool, tasks: u64) {
    let remaining = Remaining::new(tasks);
    for _ in 0..tasks {
        let remaining = remaining.clone();
        pool.spawn(move || remaining.ran());
    }
    remaining.wait();
}

pub fn remote_spawn_idle(pool: &ThreadPool) -> Run {
    let tasks = count(200_000);
    measure(tasks, || spawn_all(pool, tasks))
}

/// A job cannot be suspended. It yields by spawning itself again, behind all that its worker has.
fn busy(stop: Arc<AtomicBool>, left: Arc<Remaining>) {
    if stop.load(Ordering::Relaxed) {
        left.ran();
    } else {
        rayon::spawn_fifo(move || busy(stop, left));
    }
}

pub fn remote_spawn_busy(pool: &ThreadPool) -> Run {
    let tasks = count(200_000);
    let stop = Arc::new(AtomicBool::new(false));
    let yielders = 4 * peer::workers();
    let left = Remaining::new(yielders as u64);
    for _ in 0..yielders {
        let (stop, left) = (stop.clone(), left.clone());
        pool.spawn_fifo(move || busy(stop, left));
    }
    let run = measure(tasks, || spawn_all(pool, tasks));
    stop.store(true, Ordering::Relaxed);
    left.wait();
    run
}
