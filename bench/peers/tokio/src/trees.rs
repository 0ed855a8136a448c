// SPDX-License-Identifier: MIT
use crate::in_task;
use peer::{check, fib_argument, fib_calls, fib_value, measure, skynet_tree, Run};
use std::future::Future;
use std::pin::Pin;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Leaves are tasks of a type of their own: they have no children, and need no room for them.
fn node(first: u64, leaves: u64) -> JoinHandle<u64> {
    if leaves == 1 {
        return tokio::spawn(async move { first });
    }
    tokio::spawn(async move {
        let each = leaves / 10;
        let mut children: [_; 10] = std::array::from_fn(|i| node(first + i as u64 * each, each));
        let mut sum = 0;
        for child in &mut children {
            sum += child.await.expect("child");
        }
        sum
    })
}

pub fn skynet(runtime: &Runtime) -> Run {
    let tree = skynet_tree();
    measure(tree.tasks, || {
        let sum = runtime.block_on(async { node(0, tree.leaves).await.expect("root") });
        check("skynet", sum, tree.sum);
    })
}

async fn fib(n: u32) -> u64 {
    if n < 2 {
        return n as u64;
    }
    let task = spawn_fib(n - 1);
    let inline = call_fib(n - 2).await;
    task.await.expect("fib") + inline
}

fn spawn_fib(n: u32) -> JoinHandle<u64> {
    tokio::spawn(fib(n))
}

/// A future cannot contain itself, so what is awaited in place is boxed.
fn call_fib(n: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(fib(n))
}

pub fn fib_tasks(runtime: &Runtime) -> Run {
    let n = fib_argument();
    measure(fib_calls(n), || {
        check("fib", in_task(runtime, fib(n)), fib_value(n))
    })
}
