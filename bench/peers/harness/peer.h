/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_PEER_H
#define VIGIL_BENCH_PEER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the peers in C and C++ share: the command line, the counts, and the measurement. Times in nanoseconds. */

/* What one run took. */
struct peer_run {
    uint64_t ops, wall_ns, cpu_ns;
};

/* A null name ends a table of them. run() returns what it measured, on so many workers. */
struct peer_bench {
    const char *name;
    struct peer_run (*run)(unsigned workers);
};

/*
 * The whole of a peer's main function: runs the benchmark that the command line names twice, and prints what the second
 * run took. echo, which may be null, serves the port until SIGTERM, and ends the process.
 */
int peer_main(int argc, char **argv, const struct peer_bench *benches,
              void (*echo)(unsigned port, unsigned workers));

/* How much of something to do: the full amount, or VIGIL_PEER_SCALE times less. */
uint64_t peer_count(uint64_t full);

/* Around what is measured, which is `ops` operations. */
void peer_begin(struct peer_run *run);
void peer_end(struct peer_run *run, uint64_t ops);

/* Ends the process if a benchmark's result is wrong. */
void peer_check(const char *what, uint64_t got, uint64_t wanted);

/* Ends the process: `what` has failed. */
void peer_die(const char *what) __attribute__((noreturn));

/* The next of the times that timers sleep: 1 to 1000 ms, the same sequence in every peer. *x starts as PEER_SLEEPS. */
#define PEER_SLEEPS 0x9e3779b97f4a7c15
uint64_t peer_sleep_ms(uint64_t *x);

#ifdef __cplusplus
}
#endif

#endif
