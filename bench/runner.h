/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_RUNNER_H
#define VIGIL_BENCH_RUNNER_H

#include <vigil/driver.h>
#include <vigil/exec.h>

#include "shim.h"

/*
 * An executor for a benchmark. Each batch is one future that the workers run while the caller waits, so it must
 * be long enough for the hand-over to cost nothing.
 */

/* In builds with checks nothing is measured: they only try whether it runs. */
enum {
    BENCH_BATCH = VG_DEBUG ? 1 << 12 : 1 << 16,
    BENCH_MILLION = VG_DEBUG ? 10000 : 1000000,
};

/*
 * One executor at a time, with the instruments as they are by default: everything on. NULL: the benchmark has been
 * failed.
 */
struct vg_exec *bench_open(struct bench_run *run, unsigned workers);
/* The same with another level of the instruments, VG_LEVEL_*, or another driver than futexes, if not NULL. */
struct vg_exec *bench_open_with(struct bench_run *run, unsigned workers, unsigned level,
                                struct vg_driver *driver);
void bench_close(struct vg_exec *exec);

/* Runs a batch; false: the benchmark has been failed. */
bool bench_batch(struct bench_run *run, struct vg_exec *exec, struct vg_future *batch);

#endif
