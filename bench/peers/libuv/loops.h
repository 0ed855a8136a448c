/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_LIBUV_LOOPS_H
#define VIGIL_BENCH_LIBUV_LOOPS_H

#include <stdlib.h>

#include <uv.h>

#include "peer.h"

/* A loop, and its share of the work. */
struct worker {
    uv_loop_t loop;
    uv_thread_t thread;
    uint64_t first, share; /* of all operations: those from `first` on */
    void *own;             /* what the benchmark keeps for a loop */
};

/* Ends the process if `result`, which a function of libuv returned, is an error. */
void uv_must(int result, const char *what);

/* calloc() that does not fail. */
void *uv_zeroed(size_t number, size_t size);

/*
 * Does `ops` operations on as many loops as there are workers, each on a thread of its own with an equal share: libuv has
 * no tasks that move from one loop to another. prepare(), which may be null, runs before what is measured.
 */
struct peer_run run_loops(unsigned workers, uint64_t ops, void (*prepare)(struct worker *),
                          void (*work)(struct worker *));

/* timers.c, wake.c */
struct peer_run timers_fire(unsigned workers);
struct peer_run timer_cancel(unsigned workers);
struct peer_run wake_parked(unsigned workers);

/* echo.c */
void echo(unsigned port, unsigned workers);

#endif
