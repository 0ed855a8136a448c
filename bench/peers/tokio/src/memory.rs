// SPDX-License-Identifier: MIT
use peer::{count, measure_memory, Run};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

static PARKED: AtomicU64 = AtomicU64::new(0);

/// Tasks that each wait for a oneshot. The table of the senders is there, and written to, before.
pub fn mem_task(runtime: &Runtime) -> Run {
    let tasks = count(1_000_000);
    let mut senders: Vec<Option<oneshot::Sender<()>>> = (0..tasks).map(|_| None).collect();
    let run = measure_memory(tasks, || {
        let _context = runtime.enter();
        for place in senders.iter_mut() {
            let (sender, receiver) = oneshot::channel();
            *place = Some(sender);
            tokio::spawn(async move {
                PARKED.fetch_add(1, Ordering::Relaxed);
                receiver.await
            });
        }
        while PARKED.load(Ordering::Relaxed) < tasks {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    drop(senders);
    run
}
