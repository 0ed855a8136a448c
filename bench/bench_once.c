/* SPDX-License-Identifier: MIT */
/* once_done: an await of what is initialised. */
#include <vigil/async.h>
#include <vigil/once.h>
#include <vigil/time.h>

#include "runner.h"

struct user {
    VG_FRAME(int);
    int64_t left;
    struct vg_once_cell cell;
    struct vg_once once;
    struct vg_yield yield;
};

VG_ASYNC(user)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--)
        VG_TRY(rc, vg_once(&f->once, &f->cell, vg_yield(&f->yield)));
    VG_RETURN(0);
}

static struct user *user(struct user *f, int64_t times)
{
    VG_SETUP(f, user);
    vg_once_init(&f->cell, "bench");
    f->left = times;
    return f;
}

static void once_done(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct user root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &user(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_oncecell[] = {
    {"once_done", once_done, 0, 1},
    {NULL, NULL, 0, 0},
};
