// SPDX-License-Identifier: MIT
use crate::{in_task, EXECUTOR};
use event_listener::Event;
use peer::{check, count, measure, Run};
use smol::future::yield_now;
use smol::lock::{Mutex, Semaphore};
use std::sync::Arc;

async fn locks(mutex: Arc<Mutex<u64>>, times: u64) {
    for _ in 0..times {
        let mut value = mutex.lock().await;
        *value += 1;
        yield_now().await;
    }
}

pub fn mutex_contended(_: &()) -> Run {
    let (tasks, times) = (64, count(10_000));
    measure(tasks * times, || {
        let value = in_task(async move {
            let mutex = Arc::new(Mutex::new(0));
            let handles: Vec<_> = (0..tasks)
                .map(|_| EXECUTOR.spawn(locks(mutex.clone(), times)))
                .collect();
            for handle in handles {
                handle.await;
            }
            let value = *mutex.lock().await;
            value
        });
        check("locks", value, tasks * times);
    })
}

pub fn semaphore(_: &()) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(async move {
            let semaphore = Semaphore::new(1);
            for _ in 0..times {
                drop(semaphore.acquire().await);
            }
        })
    })
}

/// An event keeps no notification for later, so who waits has to listen first.
pub fn notify(_: &()) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(async move {
            let event = Event::new();
            for _ in 0..times {
                let listener = event.listen();
                event.notify(1);
                listener.await;
            }
        })
    })
}
