// SPDX-License-Identifier: MIT
//! What the Rust peers share: the command line, the counts, the measurement, and jemalloc.

mod counts;
mod jemalloc;
mod remaining;

pub use counts::{count, fib_argument, fib_calls, fib_value, skynet_tree, Skynet, Sleeps};
pub use remaining::Remaining;

use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};

static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// How many workers the command line asks for.
pub fn workers() -> usize {
    WORKERS.load(Ordering::Relaxed)
}

/// What one run took. For memory, `wall` is bytes.
pub struct Run {
    ops: u64,
    wall: u64,
    cpu: u64,
}

/// A benchmark of a peer whose runtime is an `R`.
pub struct Bench<R> {
    name: &'static str,
    run: fn(&R) -> Run,
    warm_up: bool,
}

impl<R> Bench<R> {
    /// Runs once unmeasured, then once for the figures.
    pub const fn warm(name: &'static str, run: fn(&R) -> Run) -> Self {
        Bench {
            name,
            run,
            warm_up: true,
        }
    }

    /// Runs once: memory that a warm-up had left behind would not grow again.
    pub const fn cold(name: &'static str, run: fn(&R) -> Run) -> Self {
        Bench {
            name,
            run,
            warm_up: false,
        }
    }
}

pub struct Peer<R: 'static> {
    pub benches: &'static [Bench<R>],
    /// Starts the runtime with so many workers.
    pub open: fn(usize) -> R,
    /// Serves the port until SIGTERM.
    pub echo: Option<fn(u16, usize)>,
}

impl<R> Peer<R> {
    /// The whole of a peer's main function.
    pub fn main(&self) {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match (args.as_slice(), self.echo) {
            (["--list"], _) => self
                .benches
                .iter()
                .for_each(|bench| println!("{}", bench.name)),
            (["echo", port, workers], Some(echo)) => echo(number(port), number(workers)),
            ([name, workers], _) => self.run(name, number(workers)),
            _ => usage("PROGRAM BENCH WORKERS | PROGRAM --list | PROGRAM echo PORT WORKERS"),
        }
    }

    fn run(&self, name: &str, workers: usize) {
        let bench = match self.benches.iter().find(|bench| bench.name == name) {
            Some(bench) if workers > 0 => bench,
            Some(_) => usage("there must be a worker"),
            None => usage(&format!("no benchmark {}; see --list", name)),
        };
        WORKERS.store(workers, Ordering::Relaxed);
        jemalloc::keep_memory();
        let runtime = (self.open)(workers);
        if bench.warm_up {
            (bench.run)(&runtime);
        }
        let run = (bench.run)(&runtime);
        println!("{}\t{}\t{}\t{}", name, run.ops, run.wall, run.cpu);
        exit(0); // nothing that a runtime does at its end is measured, or waited for
    }
}

fn usage(message: &str) -> ! {
    eprintln!("{}", message);
    exit(2)
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| usage(&format!("{} is not such a number", text)))
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let result = unsafe { libc::clock_gettime(id, &mut now) };
    assert_eq!(result, 0);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Runs `body`, which is `ops` operations.
pub fn measure(ops: u64, body: impl FnOnce()) -> Run {
    let cpu = clock(libc::CLOCK_PROCESS_CPUTIME_ID);
    let wall = clock(libc::CLOCK_MONOTONIC);
    body();
    Run {
        ops,
        wall: clock(libc::CLOCK_MONOTONIC) - wall,
        cpu: clock(libc::CLOCK_PROCESS_CPUTIME_ID) - cpu,
    }
}

/// By how many bytes `body` makes the process's resident memory grow.
pub fn measure_memory(ops: u64, body: impl FnOnce()) -> Run {
    let before = resident();
    body();
    Run {
        ops,
        wall: resident().saturating_sub(before),
        cpu: 0,
    }
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("statm") * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
}

/// Ends the process if a benchmark's result is wrong.
pub fn check(what: &str, got: u64, wanted: u64) {
    if got != wanted {
        eprintln!("{}: {}, not {}", what, got, wanted);
        exit(1);
    }
}
