// SPDX-License-Identifier: MIT
use crate::in_task;
use peer::{count, measure, Run};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::yield_now;

pub fn spawn_join(runtime: &Runtime) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || {
        in_task(runtime, async move {
            let mut handles = Vec::with_capacity(tasks as usize);
            for _ in 0..tasks {
                handles.push(tokio::spawn(async {}));
            }
            for handle in handles {
                handle.await.expect("task");
            }
        })
    })
}

async fn yields(times: u64) {
    for _ in 0..times {
        yield_now().await;
    }
}

pub fn yield_many(runtime: &Runtime) -> Run {
    let (tasks, times) = (1000, count(1000));
    measure(tasks * times, || {
        in_task(runtime, async move {
            let handles: Vec<_> = (0..tasks).map(|_| tokio::spawn(yields(times))).collect();
            for handle in handles {
                handle.await.expect("task");
            }
        })
    })
}

pub fn yield_one(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || in_task(runtime, yields(times)))
}

pub fn ping_pong(runtime: &Runtime) -> Run {
    let rounds = count(100_000);
    measure(rounds, || {
        in_task(runtime, async move {
            for round in 0..rounds {
                let (ping, pinged) = oneshot::channel();
                let (pong, ponged) = oneshot::channel();
                tokio::spawn(async move { pong.send(pinged.await.expect("ping")) });
                ping.send(round).expect("ping");
                peer::check("pong", ponged.await.expect("pong"), round);
            }
        })
    })
}

fn chain(tasks: u64, end: oneshot::Sender<()>) {
    tokio::spawn(async move {
        match tasks {
            1 => end.send(()).expect("end"),
            _ => chain(tasks - 1, end),
        }
    });
}

pub fn chained_spawn(runtime: &Runtime) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || {
        in_task(runtime, async move {
            let (end, ended) = oneshot::channel();
            chain(tasks, end);
            ended.await.expect("end");
        })
    })
}
