// SPDX-License-Identifier: MIT
//! smol: an executor that each of the workers runs together with async-io's reactor, as smol::spawn() does it.

mod channels;
mod locks;
mod memory;
mod outside;
mod tasks;
mod timers;
mod trees;

use peer::{Bench, Peer};
use smol::{future, Executor};
use std::future::Future;

static EXECUTOR: Executor = Executor::new();

const BENCHES: &[Bench<()>] = &[
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
    Bench::warm("mutex_contended", locks::mutex_contended),
    Bench::warm("semaphore", locks::semaphore),
    Bench::warm("notify", locks::notify),
    Bench::cold("mem_task", memory::mem_task), // bytes of resident memory in place of wall time
];

fn open(workers: usize) {
    for _ in 0..workers {
        std::thread::spawn(|| smol::block_on(EXECUTOR.run(future::pending::<()>())));
    }
}

/// Runs `body` as a task. The thread that calls this only waits; it helps neither executor nor reactor.
fn in_task<T: Send + 'static>(body: impl Future<Output = T> + Send + 'static) -> T {
    future::block_on(EXECUTOR.spawn(body))
}

fn main() {
    Peer {
        benches: BENCHES,
        open: |workers| open(workers),
        echo: None,
    }
    .main();
}
