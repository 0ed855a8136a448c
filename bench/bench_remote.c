/* SPDX-License-Identifier: MIT */
/*
 * A thread that is no worker. remote_spawn_idle: it spawns 200,000 tasks and waits until the last has run;
 * remote_spawn_busy: while four tasks for each worker do nothing but yield. wake_parked: it wakes a task whose worker sleeps,
 * which wakes the thread, and so on; an operation is both ways.
 */
#include <semaphore.h>
#include <stdlib.h>

#include <vigil/oneshot.h>
#include <vigil/time.h>

#include "runner.h"
#include "vg_atomic.h"

struct burst {
    VG_ATOMIC(int64_t) left; /* tasks that have not run */
    sem_t end;
};

struct counted {
    VG_FRAME(int);
    struct burst *burst;
};

VG_ASYNC(counted)
{
    VG_BEGIN(f);
    if (vg_fetch_sub(&f->burst->left, 1, acq_rel) ==
        1) /* pairs with the others' and with sem_wait() */
        sem_post(&f->burst->end);
    VG_RETURN(0);
}

static struct counted *counted(struct counted *f, struct burst *burst)
{
    VG_SETUP(f, counted);
    f->burst = burst;
    return f;
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        continue;
}

static void spawn_burst(struct vg_exec *exec, struct burst *burst, int64_t tasks)
{
    vg_store(&burst->left, tasks, relaxed); /* published by the spawns */
    for (int64_t i = 0; i < tasks; i++) {
        const int rc = VG_SPAWN(exec, NULL, counted, burst);

        VG_ASSERT(rc == 0);
    }
    wait_for(&burst->end);
}

struct busy {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop;
    struct vg_yield yield;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    int rc = 0;

    while (rc == 0 && !vg_load(f->stop, relaxed))
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(rc);
}

static struct busy *busy(struct busy *f, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, busy);
    f->stop = stop;
    return f;
}

static void remote_spawn(struct bench_run *run, int64_t busy_tasks)
{
    const int64_t tasks = bench_scaled(run, 200000);
    struct vg_exec *exec = bench_open(run);
    VG_ATOMIC(uint32_t) stop = 0;
    struct burst burst;

    if (exec == NULL)
        return;
    sem_init(&burst.end, 0, 0);
    for (int64_t i = 0; i < busy_tasks * run->workers; i++) {
        const int rc = VG_SPAWN(exec, NULL, busy, &stop);

        VG_ASSERT(rc == 0);
    }
    while (bench_next(run, tasks))
        spawn_burst(exec, &burst, tasks);
    vg_store(&stop, 1, relaxed);
    bench_close(exec);
    sem_destroy(&burst.end);
}

/* Two of them, for the next has to be there before this one is answered. */
struct line {
    struct vg_oneshot call[2];
    sem_t answer;
};

struct echoer {
    VG_FRAME(int);
    struct line *line;
    int64_t i, rounds;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(echoer)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < f->rounds; f->i++) {
        VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->line->call[f->i % 2]));
        VG_ASSERT(rc == 0);
        sem_post(&f->line->answer);
    }
    VG_RETURN(0);
}

static struct echoer *echoer(struct echoer *f, struct line *line, int64_t rounds)
{
    VG_SETUP(f, echoer);
    f->line = line;
    f->rounds = rounds;
    return f;
}

static void call_rounds(struct vg_exec *exec, struct line *line, int64_t rounds)
{
    int rc;

    vg_oneshot_init(&line->call[0], "call");
    rc = VG_SPAWN(exec, NULL, echoer, line, rounds);
    VG_ASSERT(rc == 0);
    for (int64_t i = 0; i < rounds; i++) {
        vg_oneshot_init(&line->call[(i + 1) % 2], "call");
        rc = vg_oneshot_send(&line->call[i % 2], line);
        VG_ASSERT(rc == 0);
        wait_for(&line->answer);
    }
}

static void wake_parked(struct bench_run *run, int64_t arg)
{
    const int64_t rounds = bench_scaled(run, 20000);
    struct vg_exec *exec = bench_open(run);
    struct line line;

    (void)arg;
    sem_init(&line.answer, 0, 0);
    while (exec != NULL && bench_next(run, rounds))
        call_rounds(exec, &line, rounds);
    bench_close(exec);
    sem_destroy(&line.answer);
}

const struct bench bench_remote[] = {
    {"remote_spawn_idle", remote_spawn, 0, BENCH_MANY},
    {"remote_spawn_busy", remote_spawn, 4, BENCH_MANY},
    {"wake_parked", wake_parked, 0, BENCH_MANY},
    {NULL, NULL, 0, 0},
};
