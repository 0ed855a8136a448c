/* SPDX-License-Identifier: MIT */
/* barrier_round/W: eight tasks on W workers meet; the time is that of one arrival. */
#include <vigil/async.h>
#include <vigil/barrier.h>

#include "crowd.h"

struct party {
    VG_FRAME(int);
    int64_t left;
    struct vg_barrier *barrier;
    struct vg_barrier_wait wait;
};

VG_ASYNC(party)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--)
        VG_TRY(rc, vg_barrier_wait(&f->wait, f->barrier));
    VG_RETURN(0);
}

static struct party *party(struct party *f, struct vg_barrier *barrier, int64_t times)
{
    VG_SETUP(f, party);
    f->barrier = barrier;
    f->left = times;
    return f;
}

static int spawn_party(struct vg_handle *handle, unsigned i, void *arg)
{
    (void)i;
    return VG_SPAWN(vg_exec_current(), handle, party, arg, BENCH_BATCH / CROWD);
}

static void barrier_round(struct bench_run *run, int64_t arg)
{
    struct vg_barrier barrier;

    (void)arg;
    vg_barrier_init(&barrier, "bench", CROWD);
    bench_crowd(run, spawn_party, &barrier);
}

const struct bench bench_barrier[] = {
    {"barrier_round", barrier_round, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
