/* SPDX-License-Identifier: MIT */
/*
 * A task is made, runs, ends, and its result is taken. spawn_join: all of a million are spawned before the first is
 * joined, as by a program that collects the handles in an array. spawn_waves: 64 at a time. chained_spawn: a million
 * tasks without handles, each of which spawns the next.
 */
#include <stdlib.h>

#include <vigil/oneshot.h>

#include "runner.h"

enum { MILLION = 1000000, WAVE = 64 };

struct nothing {
    VG_FRAME(int);
};

VG_ASYNC(nothing)
{
    VG_BEGIN(f);
    VG_RETURN(1);
}

static struct nothing *nothing(struct nothing *f)
{
    VG_SETUP(f, nothing);
    return f;
}

struct waves {
    VG_FRAME(int);
    struct vg_handle *task;
    int64_t wave, left;
    struct gather gather;
};

VG_ASYNC(waves)
{
    VG_BEGIN(f);
    int rc;

    for (; f->left > 0; f->left -= f->wave) {
        for (int64_t i = 0; i < f->wave; i++) {
            rc = VG_SPAWN(vg_exec_current(), &f->task[i], nothing);
            VG_ASSERT(rc == 0);
        }
        VG_AWAIT(rc, gather(&f->gather, f->task, f->wave));
    }
    VG_RETURN(0);
}

static struct waves *waves(struct waves *f, struct vg_handle *task, int64_t wave, int64_t tasks)
{
    VG_SETUP(f, waves);
    f->task = task;
    f->wave = wave;
    f->left = tasks;
    return f;
}

/* All in one wave: size 0. */
static void spawn_join(struct bench_run *run, int64_t size)
{
    const int64_t wave = size != 0 ? size : bench_scaled(run, MILLION);
    const int64_t tasks = (bench_scaled(run, MILLION) + wave - 1) / wave * wave;
    struct vg_handle *task = bench_handles(run, wave);
    struct vg_exec *exec = bench_open(run);
    struct waves root;

    while (task != NULL && exec != NULL && bench_next(run, tasks))
        if (!bench_batch(run, exec, &waves(&root, task, wave, tasks)->fut))
            break;
    bench_close(exec);
    free(task);
}

struct chain {
    VG_FRAME(int);
    struct vg_oneshot *end;
    int64_t left; /* tasks to come after this one */
};

static struct chain *chain(struct chain *f, struct vg_oneshot *end, int64_t left);

VG_ASYNC(chain)
{
    VG_BEGIN(f);
    const int rc = f->left == 0 ? vg_oneshot_send(f->end, f->end)
                                : VG_SPAWN(vg_exec_current(), NULL, chain, f->end, f->left - 1);

    VG_ASSERT(rc == 0);
    VG_RETURN(0);
}

static struct chain *chain(struct chain *f, struct vg_oneshot *end, int64_t left)
{
    VG_SETUP(f, chain);
    f->end = end;
    f->left = left;
    return f;
}

struct chained {
    VG_FRAME(int);
    int64_t tasks;
    struct vg_oneshot end;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(chained)
{
    VG_BEGIN(f);
    int rc;

    vg_oneshot_init(&f->end, "end of the chain");
    rc = VG_SPAWN(vg_exec_current(), NULL, chain, &f->end, f->tasks - 1);
    VG_ASSERT(rc == 0);
    VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->end));
    VG_RETURN(rc);
}

static struct chained *chained(struct chained *f, int64_t tasks)
{
    VG_SETUP(f, chained);
    f->tasks = tasks;
    return f;
}

static void chained_spawn(struct bench_run *run, int64_t arg)
{
    const int64_t tasks = bench_scaled(run, MILLION);
    struct vg_exec *exec = bench_open(run);
    struct chained root;

    (void)arg;
    while (exec != NULL && bench_next(run, tasks))
        if (!bench_batch(run, exec, &chained(&root, tasks)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_spawn[] = {
    {"spawn_join", spawn_join, 0, BENCH_MANY},
    {"spawn_waves", spawn_join, WAVE, BENCH_MANY},
    {"chained_spawn", chained_spawn, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
