// SPDX-License-Identifier: MIT
use crate::EXECUTOR;
use peer::{count, measure_memory, Run};
use smol::channel::{self, Sender};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static PARKED: AtomicU64 = AtomicU64::new(0);

/// Tasks that each wait for a channel of its own. The table of the senders is there, and written to, before.
pub fn mem_task(_: &()) -> Run {
    let tasks = count(1_000_000);
    let mut senders: Vec<Option<Sender<()>>> = (0..tasks).map(|_| None).collect();
    let run = measure_memory(tasks, || {
        for place in senders.iter_mut() {
            let (sender, receiver) = channel::bounded(1);
            *place = Some(sender);
            let task = EXECUTOR.spawn(async move {
                PARKED.fetch_add(1, Ordering::Relaxed);
                receiver.recv().await
            });
            task.detach();
        }
        while PARKED.load(Ordering::Relaxed) < tasks {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    drop(senders);
    run
}
