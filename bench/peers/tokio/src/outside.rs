// SPDX-License-Identifier: MIT
//! What a thread does that is none of the runtime's.

use peer::{count, measure, Remaining, Run};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::{self, Thread};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::yield_now;

fn spawn_all(runtime: &Runtime, tasks: u64) {
    let remaining = Remaining::new(tasks);
    for _ in 0..tasks {
        let remaining = remaining.clone();
        runtime.spawn(async move { remaining.ran() });
    }
    remaining.wait();
}

pub fn remote_spawn_idle(runtime: &Runtime) -> Run {
    let tasks = count(200_000);
    measure(tasks, || spawn_all(runtime, tasks))
}

/// Four tasks for each worker yield all the time.
pub fn remote_spawn_busy(runtime: &Runtime) -> Run {
    let tasks = count(200_000);
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4 * peer::workers())
        .map(|_| {
            let stop = stop.clone();
            runtime.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    yield_now().await;
                }
            })
        })
        .collect();
    let run = measure(tasks, || spawn_all(runtime, tasks));
    stop.store(true, Ordering::Relaxed);
    for task in busy {
        runtime.block_on(task).expect("busy");
    }
    run
}

struct Echo {
    notify: Notify,
    rounds: AtomicU64,
    waker: Thread,
}

impl Echo {
    async fn answer(self: Arc<Self>, rounds: u64) {
        for round in 1..=rounds {
            self.notify.notified().await;
            self.rounds.store(round, Ordering::Release);
            self.waker.unpark();
        }
    }

    fn ask(&self, round: u64) {
        self.notify.notify_one();
        while self.rounds.load(Ordering::Acquire) < round {
            thread::park();
        }
    }
}

pub fn wake_parked(runtime: &Runtime) -> Run {
    let rounds = count(20_000);
    let echo = Arc::new(Echo {
        notify: Notify::new(),
        rounds: 0.into(),
        waker: thread::current(),
    });
    let task = runtime.spawn(echo.clone().answer(rounds));
    let run = measure(rounds, || (1..=rounds).for_each(|round| echo.ask(round)));
    runtime.block_on(task).expect("echo");
    run
}
