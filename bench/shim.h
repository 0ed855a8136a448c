/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_SHIM_H
#define VIGIL_BENCH_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A benchmark, for either of two harnesses: Google Benchmark (shim.cc), which chooses how often it runs, and once.c,
 * which runs it once, with the number of operations that it states, so that it can be compared with other
 * programs' benchmark of the same name.
 *
 *     static void yield(struct bench_run *run, int64_t arg)
 *     {
 *         const int64_t count = bench_scaled(run, 1000000);
 *         while (bench_next(run, count))
 *             do_it(count);
 *     }
 *     const struct bench bench_yield[] = {{"yield", yield, 0, 1}, {NULL, NULL, 0, 0}};
 *
 * and the array's name in parts.c. What is measured is wall time, and the processor time of all threads, for the work is
 * done by an executor's, not by the caller.
 */

struct bench_run;

/* It runs on any number of workers. */
enum { BENCH_MANY = 64 };

struct bench {
    const char *name; /* NULL ends an array */
    void (*fn)(struct bench_run *run, int64_t arg);
    int64_t arg;
    unsigned workers; /* the most that it can make use of */
};

/* What a harness is, for the functions below. */
struct bench_harness {
    bool (*next)(struct bench_run *run, int64_t count);
    void (*fail)(struct bench_run *run, const char *why, bool skip);
    void (*count)(struct bench_run *run, const char *name, double value);
};

struct bench_run {
    const struct bench_harness *harness;
    unsigned workers; /* to run on */
    int64_t divisor;  /* of the number of operations */
};

/* So many operations, or fewer where little time is to be spent; at least 1. */
static inline int64_t bench_scaled(const struct bench_run *run, int64_t operations)
{
    return operations > run->divisor ? operations / run->divisor : 1;
}

/* True: do `count` iterations now. Time runs between two calls. */
static inline bool bench_next(struct bench_run *run, int64_t count)
{
    return run->harness->next(run, count);
}

/* Ends the benchmark with an error; the program's exit code will be 1. */
static inline void bench_fail(struct bench_run *run, const char *why)
{
    run->harness->fail(run, why, false);
}

/* Ends the benchmark: the machine cannot run it. */
static inline void bench_skip(struct bench_run *run, const char *why)
{
    run->harness->fail(run, why, true);
}

/* A figure of its own, beside the times. "bytes": instead of them, of all operations together. */
static inline void bench_count(struct bench_run *run, const char *name, double value)
{
    run->harness->count(run, name, value);
}

/* parts.c: every array of benchmarks; NULL ends it. */
extern const struct bench *const bench_parts[];

/* once.c: the other harness. Whether the arguments are for it. */
bool bench_once_wanted(int argc, char **argv);
/* Returns the exit code of the program. */
int bench_once(int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif
