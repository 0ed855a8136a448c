// SPDX-License-Identifier: MIT
//! Rayon: work stealing without suspension. What waits for a job runs others meanwhile.

mod outside;

use peer::{
    check, count, fib_argument, fib_calls, fib_value, measure, skynet_tree, Bench, Peer, Run,
};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

const BENCHES: &[Bench<ThreadPool>] = &[
    Bench::warm("spawn_join", spawn_join),
    Bench::warm("chained_spawn", chained_spawn),
    Bench::warm("skynet", skynet),
    Bench::warm("fib_tasks", fib_tasks),
    Bench::warm("fib_join", fib_join),
    Bench::warm("remote_spawn_idle", outside::remote_spawn_idle),
];

fn open(workers: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .expect("pool")
}

fn spawn_join(pool: &ThreadPool) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || {
        pool.scope(|scope| {
            for _ in 0..tasks {
                scope.spawn(|_| ());
            }
        })
    })
}

fn chain(scope: &Scope<'_>, tasks: u64) {
    if tasks > 0 {
        scope.spawn(move |scope| chain(scope, tasks - 1));
    }
}

fn chained_spawn(pool: &ThreadPool) -> Run {
    let tasks = count(1_000_000);
    measure(tasks, || pool.scope(|scope| chain(scope, tasks)))
}

fn node(first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let each = leaves / 10;
    let mut sums = [0; 10];
    rayon::scope(|scope| {
        for (i, sum) in sums.iter_mut().enumerate() {
            scope.spawn(move |_| *sum = node(first + i as u64 * each, each));
        }
    });
    sums.iter().sum()
}

fn skynet(pool: &ThreadPool) -> Run {
    let tree = skynet_tree();
    measure(tree.tasks, || {
        let sum = pool.install(|| node(0, tree.leaves));
        check("skynet", sum, tree.sum);
    })
}

/// One of the two calls is a task on the heap, as what is to be compared has it.
fn fib_by_tasks(n: u32) -> u64 {
    if n < 2 {
        return n as u64;
    }
    let (mut task, mut inline) = (0, 0);
    rayon::scope(|scope| {
        scope.spawn(|_| task = fib_by_tasks(n - 1));
        inline = fib_by_tasks(n - 2);
    });
    task + inline
}

/// As Rayon's users write it: both calls stay on the stack.
fn fib_by_join(n: u32) -> u64 {
    if n < 2 {
        return n as u64;
    }
    let (a, b) = rayon::join(|| fib_by_join(n - 1), || fib_by_join(n - 2));
    a + b
}

fn fib(pool: &ThreadPool, function: fn(u32) -> u64) -> Run {
    let n = fib_argument();
    measure(fib_calls(n), || {
        let value = pool.install(|| function(n));
        check("fib", value, fib_value(n));
    })
}

fn fib_tasks(pool: &ThreadPool) -> Run {
    fib(pool, fib_by_tasks)
}

fn fib_join(pool: &ThreadPool) -> Run {
    fib(pool, fib_by_join)
}

fn main() {
    Peer {
        benches: BENCHES,
        open,
        echo: None,
    }
    .main();
}
