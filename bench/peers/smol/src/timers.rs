// SPDX-License-Identifier: MIT
use crate::{in_task, EXECUTOR};
use peer::{check, count, measure, Run, Sleeps};
use smol::future::{or, yield_now};
use smol::Timer;
use std::time::Duration;

pub fn timers_fire(_: &()) -> Run {
    let timers = count(1_000_000);
    measure(timers, || {
        in_task(async move {
            let mut handles = Vec::with_capacity(timers as usize);
            for time in Sleeps::new().take(timers as usize) {
                handles.push(EXECUTOR.spawn(Timer::after(time)));
            }
            for handle in handles {
                handle.await;
            }
        })
    })
}

async fn in_time() -> u64 {
    yield_now().await;
    1
}

async fn too_late() -> u64 {
    Timer::after(Duration::from_secs(10)).await;
    0
}

pub fn timer_cancel(_: &()) -> Run {
    let timers = count(1_000_000);
    measure(timers, || {
        in_task(async move {
            for _ in 0..timers {
                check("in time", or(in_time(), too_late()).await, 1);
            }
        })
    })
}
