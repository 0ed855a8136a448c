/* SPDX-License-Identifier: MIT */
/* rate_await: a token taken that is there, awaited. */
#include <vigil/async.h>
#include <vigil/rate.h>

#include "runner.h"

struct taker {
    VG_FRAME(int);
    int64_t left;
    struct vg_rate rate;
    struct vg_rate_acquire acquire;
};

VG_ASYNC(taker)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--)
        VG_TRY(rc, vg_rate_acquire(&f->acquire, &f->rate, 1));
    VG_RETURN(0);
}

static struct taker *taker(struct taker *f, int64_t times)
{
    VG_SETUP(f, taker);
    vg_rate_init(&f->rate, "bench", 1, BENCH_BATCH);
    f->left = times;
    return f;
}

static void rate_await(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct taker root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &taker(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_rate[] = {
    {"rate_await", rate_await, 0, 1},
    {NULL, NULL, 0, 0},
};
