// SPDX-License-Identifier: MIT
use crate::in_task;
use peer::{check, count, measure, Run};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::yield_now;

async fn locks(mutex: Arc<Mutex<u64>>, times: u64) {
    for _ in 0..times {
        let mut value = mutex.lock().await;
        *value += 1;
        yield_now().await;
    }
}

pub fn mutex_contended(runtime: &Runtime) -> Run {
    let (tasks, times) = (64, count(10_000));
    measure(tasks * times, || {
        let value = in_task(runtime, async move {
            let mutex = Arc::new(Mutex::new(0));
            let handles: Vec<_> = (0..tasks)
                .map(|_| tokio::spawn(locks(mutex.clone(), times)))
                .collect();
            for handle in handles {
                handle.await.expect("task");
            }
            let value = *mutex.lock().await;
            value
        });
        check("locks", value, tasks * times);
    })
}

pub fn semaphore(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            let semaphore = Semaphore::new(1);
            for _ in 0..times {
                drop(semaphore.acquire().await.expect("permit"));
            }
        })
    })
}

pub fn notify(runtime: &Runtime) -> Run {
    let times = count(1_000_000);
    measure(times, || {
        in_task(runtime, async move {
            let notify = Notify::new();
            for _ in 0..times {
                notify.notify_one();
                notify.notified().await;
            }
        })
    })
}
