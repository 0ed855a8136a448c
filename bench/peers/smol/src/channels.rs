// SPDX-License-Identifier: MIT
use crate::{in_task, EXECUTOR};
use peer::{check, count, measure, Run};
use smol::channel;

fn mpsc(producers: u64) -> Run {
    let each = count(1_000_000 / producers);
    measure(producers * each, || {
        let sum = in_task(async move {
            let (sender, receiver) = channel::bounded(64);
            for _ in 0..producers {
                let sender = sender.clone();
                let producer = EXECUTOR.spawn(async move {
                    for value in 0..each {
                        sender.send(value).await.expect("receiver");
                    }
                });
                producer.detach();
            }
            drop(sender);
            let mut sum = 0;
            while let Ok(value) = receiver.recv().await {
                sum += value;
            }
            sum
        });
        check("sum", sum, producers * (each * (each - 1) / 2));
    })
}

pub fn mpsc_1_1(_: &()) -> Run {
    mpsc(1)
}

pub fn mpsc_8_1(_: &()) -> Run {
    mpsc(8)
}

/// A channel with one place, used once.
pub fn oneshot(_: &()) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(async move {
            for value in 0..times {
                let (sender, receiver) = channel::bounded(1);
                sender.try_send(value).expect("receiver");
                check("oneshot", receiver.recv().await.expect("sender"), value);
            }
        })
    })
}
