// SPDX-License-Identifier: MIT
//! How much of everything: the full amount, or VIGIL_PEER_SCALE times less.

use std::time::Duration;

fn scale() -> u64 {
    match std::env::var("VIGIL_PEER_SCALE") {
        Ok(text) => crate::number::<std::num::NonZeroU64>(&text).get(),
        Err(_) => 1,
    }
}

pub fn count(full: u64) -> u64 {
    (full / scale()).max(1)
}

/// A tree of tasks, ten below each but the leaves.
#[derive(Clone, Copy)]
pub struct Skynet {
    pub leaves: u64,
    pub tasks: u64,
    pub sum: u64,
}

pub fn skynet_tree() -> Skynet {
    let mut leaves = 1_000_000;
    while leaves > count(1_000_000) {
        leaves /= 10;
    }
    Skynet {
        leaves,
        tasks: (leaves * 10 - 1) / 9,
        sum: leaves * (leaves - 1) / 2,
    }
}

pub fn fib_value(n: u32) -> u64 {
    (0..n).fold((0, 1), |(a, b), _| (b, a + b)).0
}

/// How often fib is called for fib(n), with fib(0) and fib(1) as leaves.
pub fn fib_calls(n: u32) -> u64 {
    2 * fib_value(n + 1) - 1
}

pub fn fib_argument() -> u32 {
    let calls = count(fib_calls(27));
    (2..=27).rev().find(|&n| fib_calls(n) <= calls).unwrap_or(2)
}

/// How long each timer sleeps: 1 to 1000 ms, the same sequence in every peer.
pub struct Sleeps(u64);

impl Sleeps {
    pub fn new() -> Self {
        Sleeps(0x9e3779b97f4a7c15)
    }
}

impl Iterator for Sleeps {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Some(Duration::from_millis(1 + self.0 % 1000))
    }
}
