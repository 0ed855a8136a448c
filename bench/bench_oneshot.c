/* SPDX-License-Identifier: MIT */
/* ping_pong: a task is spawned, is sent a value, and sends one back. One operation is all of that. */
#include <vigil/oneshot.h>

#include "runner.h"

struct ponger {
    VG_FRAME(int);
    struct vg_oneshot *ping, *pong;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(ponger)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_oneshot_recv(&f->recv, f->ping));
    VG_ASSERT(rc == 0);
    rc = vg_oneshot_send(f->pong, f->recv.value);
    VG_ASSERT(rc == 0);
    VG_RETURN(0);
}

static struct ponger *ponger(struct ponger *f, struct vg_oneshot *ping, struct vg_oneshot *pong)
{
    VG_SETUP(f, ponger);
    f->ping = ping;
    f->pong = pong;
    return f;
}

/* When the pong has come both ends of both are through. */
struct pinger {
    VG_FRAME(int);
    int64_t left;
    struct vg_oneshot ping, pong;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(pinger)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        vg_oneshot_init(&f->ping, "ping");
        vg_oneshot_init(&f->pong, "pong");
        rc = VG_SPAWN(vg_exec_current(), NULL, ponger, &f->ping, &f->pong);
        VG_ASSERT(rc == 0);
        rc = vg_oneshot_send(&f->ping, f);
        VG_ASSERT(rc == 0);
        VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->pong));
        VG_ASSERT(rc == 0 && f->recv.value == f);
    }
    VG_RETURN(0);
}

static struct pinger *pinger(struct pinger *f, int64_t rounds)
{
    VG_SETUP(f, pinger);
    f->left = rounds;
    return f;
}

static void ping_pong(struct bench_run *run, int64_t arg)
{
    const int64_t rounds = bench_scaled(run, 100000);
    struct vg_exec *exec = bench_open(run);
    struct pinger root;

    (void)arg;
    while (exec != NULL && bench_next(run, rounds))
        if (!bench_batch(run, exec, &pinger(&root, rounds)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_oneshot[] = {
    {"ping_pong", ping_pong, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
