/* SPDX-License-Identifier: MIT */
#include "runner.h"

#include <vigil/jemalloc.h>

struct vg_exec *bench_open(struct bench_run *run, unsigned workers)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    config.name = "bench";
    config.workers = workers;
    config.alloc = &vg_jemalloc;
    if (vg_exec_open(&exec, &config) == 0)
        return exec;
    bench_fail(run, "vg_exec_open");
    return NULL;
}

void bench_close(struct vg_exec *exec)
{
    if (exec != NULL)
        vg_exec_close(exec, VG_SEC(5));
}

bool bench_batch(struct bench_run *run, struct vg_exec *exec, struct vg_future *batch)
{
    if (vg_block_on(exec, batch) == 0)
        return true;
    bench_fail(run, "vg_block_on");
    return false;
}
