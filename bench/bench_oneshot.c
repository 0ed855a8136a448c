/* SPDX-License-Identifier: MIT */
/*
 * oneshot: a value is sent and received, as an async function does it; nobody has to wait.
 * ping_pong/W: a task sends a value to another, which sends one back, on W workers. One iteration is both ways.
 */
#include <vigil/async.h>
#include <vigil/oneshot.h>

#include "runner.h"

struct uncontended {
    VG_FRAME(int);
    int64_t left;
    struct vg_oneshot oneshot;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(uncontended)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left--) {
        vg_oneshot_init(&f->oneshot, "bench");
        rc = vg_oneshot_send(&f->oneshot, f);
        VG_ASSERT(rc == 0);
        VG_TRY(rc, vg_oneshot_recv(&f->recv, &f->oneshot));
    }
    VG_RETURN(0);
}

static struct uncontended *uncontended(struct uncontended *f, int64_t times)
{
    VG_SETUP(f, uncontended);
    f->left = times;
    return f;
}

static void oneshot(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run, 1);
    struct uncontended root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &uncontended(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

/* Two oneshots for each round: a new pair while the other side may still leave the last. */
struct table {
    struct vg_oneshot ping[2], pong[2];
};

struct ponger {
    VG_FRAME(int);
    struct table *table;
    int64_t i, rounds;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(ponger)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < f->rounds; f->i++) {
        VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->table->ping[f->i % 2]));
        rc = vg_oneshot_send(&f->table->pong[f->i % 2], f);
        VG_ASSERT(rc == 0);
    }
    VG_RETURN(0);
}

static struct ponger *ponger(struct ponger *f, struct table *table, int64_t rounds)
{
    VG_SETUP(f, ponger);
    f->table = table;
    f->rounds = rounds;
    return f;
}

struct pinger {
    VG_FRAME(int);
    struct table table;
    int64_t i, rounds;
    struct vg_handle other;
    struct vg_oneshot_recv recv;
    struct vg_task_wait wait;
};

static void lay(struct table *table, int64_t round)
{
    vg_oneshot_init(&table->ping[round % 2], "ping");
    vg_oneshot_init(&table->pong[round % 2], "pong");
}

VG_ASYNC(pinger)
{
    VG_BEGIN(f);
    int rc;

    lay(&f->table, 0);
    rc = VG_SPAWN(vg_exec_current(), &f->other, ponger, &f->table, f->rounds);
    VG_ASSERT(rc == 0);
    for (f->i = 0; f->i < f->rounds; f->i++) {
        lay(&f->table, f->i + 1);
        rc = vg_oneshot_send(&f->table.ping[f->i % 2], f);
        VG_ASSERT(rc == 0);
        VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->table.pong[f->i % 2]));
    }
    VG_AWAIT(rc, vg_task_wait(&f->wait, &f->other));
    vg_task_release(&f->other);
    VG_RETURN(0);
}

static struct pinger *pinger(struct pinger *f, int64_t rounds)
{
    VG_SETUP(f, pinger);
    f->rounds = rounds;
    return f;
}

static void ping_pong(struct bench_run *run, int64_t workers)
{
    struct vg_exec *exec = bench_open(run, (unsigned)workers);
    struct pinger root;

    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &pinger(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_oneshot[] = {
    {"oneshot", oneshot, 0},
    {"ping_pong/1", ping_pong, 1},
    {"ping_pong/2", ping_pong, 2},
    {NULL, NULL, 0},
};
