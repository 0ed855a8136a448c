// SPDX-License-Identifier: MIT
//! What a thread does that is none of the pool's. There is no remote_spawn_busy: a worker does not look at what comes from
//! outside while it has jobs of its own, so jobs that yield by spawning themselves again would keep it out for ever.

use peer::{count, measure, Remaining, Run};
use rayon::ThreadPool;

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
