// SPDX-License-Identifier: MIT
use crate::{in_task, EXECUTOR};
use peer::{check, fib_argument, fib_calls, fib_value, measure, skynet_tree, Run};
use smol::Task;
use std::future::Future;
use std::pin::Pin;

/// Leaves are tasks of a type of their own: they have no children, and need no room for them.
fn node(first: u64, leaves: u64) -> Task<u64> {
    if leaves == 1 {
        return EXECUTOR.spawn(async move { first });
    }
    EXECUTOR.spawn(async move {
        let each = leaves / 10;
        let mut children: [_; 10] = std::array::from_fn(|i| node(first + i as u64 * each, each));
        let mut sum = 0;
        for child in &mut children {
            sum += child.await;
        }
        sum
    })
}

pub fn skynet(_: &()) -> Run {
    let tree = skynet_tree();
    measure(tree.tasks, || {
        let sum = smol::future::block_on(node(0, tree.leaves));
        check("skynet", sum, tree.sum);
    })
}

async fn fib(n: u32) -> u64 {
    if n < 2 {
        return n as u64;
    }
    let task = spawn_fib(n - 1);
    let inline = call_fib(n - 2).await;
    task.await + inline
}

fn spawn_fib(n: u32) -> Task<u64> {
    EXECUTOR.spawn(fib(n))
}

/// A future cannot contain itself, so what is awaited in place is boxed.
fn call_fib(n: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(fib(n))
}

pub fn fib_tasks(_: &()) -> Run {
    let n = fib_argument();
    measure(fib_calls(n), || check("fib", in_task(fib(n)), fib_value(n)))
}
