/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_CROWD_H
#define VIGIL_BENCH_CROWD_H

#include <vigil/async.h>

#include "runner.h"

/* A batch that is eight tasks at once, which get in each other's way. */

enum { CROWD = 8 };

struct crowd {
    VG_FRAME(int);
    int (*spawn)(struct vg_handle *handle, unsigned i, void *arg); /* makes the i-th task */
    void *arg;
    unsigned i;
    struct vg_handle task[CROWD];
    struct vg_task_wait wait;
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < CROWD; f->i++) {
        rc = f->spawn(&f->task[f->i], f->i, f->arg);
        VG_ASSERT(rc == 0);
    }
    while (f->i-- > 0) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task[f->i]));
        vg_task_release(&f->task[f->i]);
    }
    VG_RETURN(0);
}

static inline struct crowd *
crowd(struct crowd *f, int (*spawn)(struct vg_handle *handle, unsigned i, void *arg), void *arg)
{
    VG_SETUP(f, crowd);
    f->spawn = spawn;
    f->arg = arg;
    return f;
}

/* Measures such batches. */
static inline void bench_crowd(struct bench_run *run,
                               int (*spawn)(struct vg_handle *handle, unsigned i, void *arg),
                               void *arg)
{
    struct vg_exec *exec = bench_open(run);
    struct crowd root;

    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &crowd(&root, spawn, arg)->fut))
            break;
    bench_close(exec);
}

#endif
