// SPDX-License-Identifier: MIT
use crate::in_task;
use peer::{count, measure, Run, Sleeps};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

pub fn timers_fire(runtime: &Runtime) -> Run {
    let timers = count(1_000_000);
    measure(timers, || {
        in_task(runtime, async move {
            let mut handles = Vec::with_capacity(timers as usize);
            for time in Sleeps::new().take(timers as usize) {
                handles.push(tokio::spawn(sleep(time)));
            }
            for handle in handles {
                handle.await.expect("timer");
            }
        })
    })
}

pub fn timer_cancel(runtime: &Runtime) -> Run {
    let timers = count(1_000_000);
    measure(timers, || {
        in_task(runtime, async move {
            for _ in 0..timers {
                timeout(Duration::from_secs(10), yield_now())
                    .await
                    .expect("in time");
            }
        })
    })
}
