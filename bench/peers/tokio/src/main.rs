// SPDX-License-Identifier: MIT
//! Tokio's multi-threaded runtime, with its I/O and time drivers on, as #[tokio::main] starts it.

mod channels;
mod echo;
mod locks;
mod memory;
mod outside;
mod tasks;
mod timers;
mod trees;

use peer::{Bench, Peer};
use std::future::Future;
use tokio::runtime::{Builder, Runtime};

const BENCHES: &[Bench<Runtime>] = &[
    Bench::warm("spawn_join", tasks::spawn_join),
    Bench::warm("yield_many", tasks::yield_many),
    Bench::warm("yield_one", tasks::yield_one),
    Bench::warm("ping_pong", tasks::ping_pong),
    Bench::warm("chained_spawn", tasks::chained_spawn),
    Bench::warm("skynet", trees::skynet),
    Bench::warm("fib_tasks", trees::fib_tasks),
    Bench::warm("remote_spawn_idle", outside::remote_spawn_idle),
    Bench::warm("remote_spawn_busy", outside::remote_spawn_busy),
    Bench::warm("wake_parked", outside::wake_parked),
    Bench::warm("timers_fire", timers::timers_fire),
    Bench::warm("timer_cancel", timers::timer_cancel),
    Bench::warm("mpsc_1_1", channels::mpsc_1_1),
    Bench::warm("mpsc_8_1", channels::mpsc_8_1),
    Bench::warm("oneshot", channels::oneshot),
    Bench::warm("broadcast", channels::broadcast),
    Bench::warm("broadcast/1", channels::broadcast_waits),
    Bench::warm("watch", channels::watch),
    Bench::warm("watch_changed", channels::watch_changed),
    Bench::warm("mutex_contended", locks::mutex_contended),
    Bench::warm("semaphore", locks::semaphore),
    Bench::warm("semaphore_contended", locks::semaphore_contended),
    Bench::warm("notify", locks::notify),
    Bench::warm("notify_ping", locks::notify_ping),
    Bench::cold("mem_task", memory::mem_task), // bytes of resident memory in place of wall time
];

fn open(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("runtime")
}

/// Runs `body` as a task of the workers: what block_on() is given would run on the thread that calls it.
fn in_task<T: Send + 'static>(
    runtime: &Runtime,
    body: impl Future<Output = T> + Send + 'static,
) -> T {
    runtime.block_on(runtime.spawn(body)).expect("task")
}

fn main() {
    Peer {
        benches: BENCHES,
        open,
        echo: Some(echo::serve),
    }
    .main();
}
