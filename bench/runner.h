/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_RUNNER_H
#define VIGIL_BENCH_RUNNER_H

#include <vigil/async.h>
#include <vigil/driver.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "shim.h"

/*
 * An executor for a benchmark. Each batch is one future that the workers run while the caller waits, so it must
 * be long enough for the hand-over to cost nothing.
 */

/* Operations of a batch, where they are few enough for every purpose. */
enum { BENCH_BATCH = VG_DEBUG ? 1 << 12 : 1 << 16 };

/* Repeats the statement that follows, if that takes less time than to ask whether there is to be more. */
#define BENCH_REPEAT(run)                                                                          \
    while (bench_next(run, BENCH_BATCH))                                                           \
        for (int bench_times = 0; bench_times < BENCH_BATCH; bench_times++)

enum { BENCH_LEVEL_EXACT = 3 };

/* One executor at a time, with as many workers as the run says, and the instruments as they are by default: everything on.
 * NULL: the benchmark has been failed. */
struct vg_exec *bench_open(struct bench_run *run);
/* The same with another level of the instruments, VG_LEVEL_* or BENCH_LEVEL_EXACT (and an exact clock), or another driver than futexes, if not NULL. */
struct vg_exec *bench_open_with(struct bench_run *run, unsigned level, struct vg_driver *driver);
void bench_close(struct vg_exec *exec);
/* The instruments of the executor that is open. */
struct vg_liveness *bench_liveness(void);
/* For tasks that are left: to cancel a million takes seconds, which are not measured. */
void bench_close_within(struct vg_exec *exec, uint64_t drain);

/* Runs a batch; false: the benchmark has been failed. */
bool bench_batch(struct bench_run *run, struct vg_exec *exec, struct vg_future *batch);

/* Memory for so many handles, all zero, or NULL after failing the benchmark; free() it. */
struct vg_handle *bench_handles(struct bench_run *run, int64_t count);

/* Waits for the end of each of an array of tasks, and releases it. */
struct gather {
    VG_FRAME(int);
    struct vg_handle *task;
    int64_t i, count;
    struct vg_task_wait wait;
};
struct gather *gather(struct gather *f, struct vg_handle *task, int64_t count);

/* Yields so many times. */
struct yielder {
    VG_FRAME(int);
    int64_t left;
    struct vg_yield yield;
};
struct yielder *yielder(struct yielder *f, int64_t times);

#endif
