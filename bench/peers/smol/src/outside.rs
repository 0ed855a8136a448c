// SPDX-License-Identifier: MIT
//! What a thread does that is none of the executor's.

use crate::EXECUTOR;
use peer::{count, measure, Remaining, Run};
use smol::channel::{self, Receiver};
use smol::future::{self, yield_now};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;
use std::thread::{self, Thread};

fn spawn_all(tasks: u64) {
    let remaining = Remaining::new(tasks);
    for _ in 0..tasks {
        let remaining = remaining.clone();
        EXECUTOR.spawn(async move { remaining.ran() }).detach();
    }
    remaining.wait();
}

pub fn remote_spawn_idle(_: &()) -> Run {
    let tasks = count(200_000);
    measure(tasks, || spawn_all(tasks))
}

/// Four tasks for each worker yield all the time.
pub fn remote_spawn_busy(_: &()) -> Run {
    let tasks = count(200_000);
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4 * peer::workers())
        .map(|_| {
            let stop = stop.clone();
            EXECUTOR.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    yield_now().await;
                }
            })
        })
        .collect();
    let run = measure(tasks, || spawn_all(tasks));
    stop.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(future::block_on);
    run
}

async fn answer(asked: Receiver<u64>, answered: Arc<AtomicU64>, asker: Thread) {
    while let Ok(round) = asked.recv().await {
        answered.store(round, Ordering::Release);
        asker.unpark();
    }
}

pub fn wake_parked(_: &()) -> Run {
    let rounds = count(20_000);
    let (ask, asked) = channel::bounded(1);
    let answered = Arc::new(AtomicU64::new(0));
    let task = EXECUTOR.spawn(answer(asked, answered.clone(), thread::current()));
    let run = measure(rounds, || {
        for round in 1..=rounds {
            ask.try_send(round).expect("ask");
            while answered.load(Ordering::Acquire) < round {
                thread::park();
            }
        }
    });
    drop(ask);
    future::block_on(task);
    run
}
