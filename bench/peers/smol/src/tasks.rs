// SPDX-License-Identifier: MIT
use crate::{in_task, EXECUTOR};
use peer::{check, count, measure, Run};
use smol::channel;
use smol::future::yield_now;

pub fn spawn_join(_: &()) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || {
        in_task(async move {
            let mut handles = Vec::with_capacity(tasks as usize);
            for _ in 0..tasks {
                handles.push(EXECUTOR.spawn(async {}));
            }
            for handle in handles {
                handle.await;
            }
        })
    })
}

async fn yields(times: u64) {
    for _ in 0..times {
        yield_now().await;
    }
}

pub fn yield_many(_: &()) -> Run {
    let (tasks, times) = (1000, count(1000));
    measure(tasks * times, || {
        in_task(async move {
            let handles: Vec<_> = (0..tasks).map(|_| EXECUTOR.spawn(yields(times))).collect();
            for handle in handles {
                handle.await;
            }
        })
    })
}

pub fn yield_one(_: &()) -> Run {
    let times = count(1_000_000);
    measure(times, || in_task(yields(times)))
}

/// smol has no oneshot of its own: a channel with one place is what its users take.
pub fn ping_pong(_: &()) -> Run {
    let rounds = count(100_000);
    measure(rounds, || {
        in_task(async move {
            for round in 0..rounds {
                let (ping, pinged) = channel::bounded(1);
                let (pong, ponged) = channel::bounded(1);
                EXECUTOR
                    .spawn(async move { pong.try_send(pinged.recv().await.expect("ping")) })
                    .detach();
                ping.try_send(round).expect("ping");
                check("pong", ponged.recv().await.expect("pong"), round);
            }
        })
    })
}

fn chain(tasks: u64, end: channel::Sender<()>) {
    let task = EXECUTOR.spawn(async move {
        match tasks {
            1 => end.try_send(()).expect("end"),
            _ => chain(tasks - 1, end),
        }
    });
    task.detach();
}

pub fn chained_spawn(_: &()) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || {
        in_task(async move {
            let (end, ended) = channel::bounded(1);
            chain(tasks, end);
            ended.recv().await.expect("end");
        })
    })
}
