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

/// Eight tasks for two permits; each keeps its own across a yield.
pub fn semaphore_contended(runtime: &Runtime) -> Run {
    let (tasks, times) = (8, count(125_000));
    measure(tasks * times, || {
        in_task(runtime, async move {
            let semaphore = Arc::new(Semaphore::new(2));
            let handles: Vec<_> = (0..tasks)
                .map(|_| {
                    let semaphore = semaphore.clone();
                    tokio::spawn(async move {
                        for _ in 0..times {
                            let permit = semaphore.acquire().await.expect("permit");
                            yield_now().await;
                            drop(permit);
                        }
                    })
                })
                .collect();
            for handle in handles {
                handle.await.expect("task");
            }
        })
    })
}

async fn play(mine: Arc<Notify>, other: Arc<Notify>, serves: bool, times: u64) {
    for _ in 0..times {
        if serves {
            other.notify_one();
        }
        mine.notified().await;
        if !serves {
            other.notify_one();
        }
    }
}

/// Four pairs of tasks that notify each other in turn.
pub fn notify_ping(runtime: &Runtime) -> Run {
    let (pairs, times) = (4, count(125_000));
    measure(2 * pairs * times, || {
        in_task(runtime, async move {
            let handles: Vec<_> = (0..pairs)
                .flat_map(|_| {
                    let (one, two) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
                    [
                        tokio::spawn(play(one.clone(), two.clone(), true, times)),
                        tokio::spawn(play(two, one, false, times)),
                    ]
                })
                .collect();
            for handle in handles {
                handle.await.expect("task");
            }
        })
    })
}
