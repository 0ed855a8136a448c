/* SPDX-License-Identifier: MIT */
#include "runner.h"

#include <vigil/jemalloc.h>
#include <vigil/liveness.h>

static struct vg_liveness *live;

struct vg_exec *bench_open_with(struct bench_run *run, unsigned workers, unsigned level,
                                struct vg_driver *driver)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_exec *exec;

    watch.level = (uint8_t)level;
    if (vg_liveness_open(&live, &watch) < 0) {
        bench_fail(run, "vg_liveness_open");
        return NULL;
    }
    config.name = "bench";
    config.workers = workers;
    config.alloc = &vg_jemalloc;
    config.driver = driver;
    config.probe = vg_liveness_probe(live);
    if (vg_exec_open(&exec, &config) == 0)
        return exec;
    bench_fail(run, "vg_exec_open");
    vg_liveness_close(live);
    return NULL;
}

struct vg_exec *bench_open(struct bench_run *run, unsigned workers)
{
    return bench_open_with(run, workers, VG_LEVEL_FULL, NULL);
}

void bench_close(struct vg_exec *exec)
{
    if (exec == NULL)
        return;
    vg_exec_close(exec, VG_SEC(5));
    vg_liveness_close(live);
}

bool bench_batch(struct bench_run *run, struct vg_exec *exec, struct vg_future *batch)
{
    if (vg_block_on(exec, batch) == 0)
        return true;
    bench_fail(run, "vg_block_on");
    return false;
}
