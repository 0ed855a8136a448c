// SPDX-License-Identifier: MIT
use crate::in_task;
use peer::{check, count, measure, Run};
use tokio::runtime::Runtime;
use tokio::sync;
use tokio::task::yield_now;

fn mpsc(runtime: &Runtime, producers: u64) -> Run {
    let each = count(1_000_000 / producers);
    measure(producers * each, || {
        let sum = in_task(runtime, async move {
            let (sender, mut receiver) = sync::mpsc::channel(64);
            for _ in 0..producers {
                let sender = sender.clone();
                tokio::spawn(async move {
                    for value in 0..each {
                        sender.send(value).await.expect("receiver");
                    }
                });
            }
            drop(sender);
            let mut sum = 0;
            while let Some(value) = receiver.recv().await {
                sum += value;
            }
            sum
        });
        check("sum", sum, producers * (each * (each - 1) / 2));
    })
}

pub fn mpsc_1_1(runtime: &Runtime) -> Run {
    mpsc(runtime, 1)
}

pub fn mpsc_8_1(runtime: &Runtime) -> Run {
    mpsc(runtime, 8)
}

pub fn oneshot(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            for value in 0..times {
                let (sender, receiver) = sync::oneshot::channel();
                sender.send(value).expect("receiver");
                check("oneshot", receiver.await.expect("sender"), value);
            }
        })
    })
}

pub fn broadcast(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            let (sender, mut receiver) = sync::broadcast::channel(64);
            for value in 0..times {
                sender.send(value).expect("receiver");
                check("broadcast", receiver.recv().await.expect("sender"), value);
            }
        })
    })
}

pub fn watch(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            let (sender, mut receiver) = sync::watch::channel(0);
            for value in 0..times {
                sender.send(value).expect("receiver");
                receiver.changed().await.expect("sender");
                check("watch", *receiver.borrow(), value);
            }
        })
    })
}

/// One that waits for each value; the sender lets it run after each.
pub fn broadcast_waits(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        let received = in_task(runtime, async move {
            let (sender, mut receiver) = sync::broadcast::channel(64);
            let listener = tokio::spawn(async move {
                let mut received = 0;
                while receiver.recv().await.is_ok() {
                    received += 1;
                }
                received
            });
            for value in 0..times {
                sender.send(value).expect("receiver");
                yield_now().await;
            }
            drop(sender);
            listener.await.expect("listener")
        });
        check("received", received, times);
    })
}

/// The same with a watch.
pub fn watch_changed(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            let (sender, mut receiver) = sync::watch::channel(0);
            let reader = tokio::spawn(async move {
                let mut last = 0;
                while receiver.changed().await.is_ok() {
                    last = *receiver.borrow_and_update();
                }
                last
            });
            for value in 1..=times {
                sender.send(value).expect("receiver");
                yield_now().await;
            }
            drop(sender);
            check("last", reader.await.expect("reader"), times);
        })
    })
}
