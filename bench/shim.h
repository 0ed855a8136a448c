/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_SHIM_H
#define VIGIL_BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Google Benchmark for C.
 *
 *     static void yield(struct bench_run *run, int64_t arg)
 *     {
 *         while (bench_next(run, 1000))
 *             do_it_1000_times();
 *     }
 *     const struct bench bench_task[] = {{"yield", yield, 0}, {0}};
 *
 * and the array's name in shim.cc. What is measured is the processor time of all threads, for the work is done by an executor's,
 * not by the caller; real time is shown beside it.
 */

struct bench_run;

struct bench {
    const char *name; /* NULL ends an array */
    void (*fn)(struct bench_run *run, int64_t arg);
    int64_t arg;
};

/* True: do `count` iterations now. Time runs between two calls. */
bool bench_next(struct bench_run *run, int64_t count);

/* Ends the benchmark with an error; the program's exit code will be 1. */
void bench_fail(struct bench_run *run, const char *why);

/* Ends the benchmark: the machine cannot run it. */
void bench_skip(struct bench_run *run, const char *why);

/* A figure of its own, beside the times. */
void bench_count(struct bench_run *run, const char *name, double value);

/* Each with a NULL name at the end. */
extern const struct bench bench_broadcast[], bench_depth[], bench_floor[], bench_io[], bench_mpsc[],
    bench_mutex[], bench_oneshot[], bench_task[], bench_timer[], bench_watch[];

#ifdef __cplusplus
}
#endif
#endif
