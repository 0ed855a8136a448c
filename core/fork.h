/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_FORK_H
#define VIGIL_CORE_FORK_H

#include <vigil/fork.h>
#include <vigil/future.h>

#include "vg_atomic.h"

struct vg_task;
struct vg_worker;

/*
 * A fork that was made into a task: the root of it. The task has a reference of the join's besides its own.
 *
 * state  QUEUED (0)  Nobody has begun to run it. Whoever changes this to TAKEN does, alone: a worker that polls the task, the
 *                    join, or a join that waits for what it was forked in.
 *        TAKEN (1)   It is being run, by the worker whose number is in bits 8 and up.
 *        SLEEPS (4)  Set besides TAKEN by the join, which goes to sleep on the word. Whoever sets DONE over it wakes it.
 *        DONE (2)    Alone: it has been run. Not set where the join itself ran it.
 */
struct vg_fork_job {
    struct vg_future fut;
    VG_ATOMIC(uint32_t) state;
    vg_fork_fn *run;
    void *arg;
    const struct vg_fork_job *within; /* the job whose function made the fork; NULL: none */
};

enum { VG_FORK_QUEUED = 0, VG_FORK_TAKEN = 1, VG_FORK_DONE = 2, VG_FORK_SLEEPS = 4 };

/* A job that a worker runs: forks from `base` on were made in it. On the stack that runs it. */
struct vg_fork_running {
    const struct vg_fork_job *job;
    uint32_t base;
    const struct vg_fork_running *outer;
};

/*
 * What else a worker needs to know of its forks.
 *
 * asked  Another worker wants one. Set by that, cleared by the owner when it has given one away.
 * offer  The task that was given away last; it may have been run, and be gone.
 */
struct vg_fork_side {
    const struct vg_fork_running *running;
    uint64_t given_at;        /* when the last one was given away */
    uint64_t looked_at;       /* when the clock was read here */
    uint32_t skip, skip_next; /* forks until it is read again */
    VG_ATOMIC(uint32_t) asked;
    VG_ATOMIC(struct vg_task *) offer;
};

extern const struct vg_ops vg_fork_ops;

static inline VG_ATOMIC(uint32_t) *vg_forks_limit(struct vg_forks *forks)
{
    return (VG_ATOMIC(uint32_t) *)(void *)&forks->limit;
}

/* Makes the oldest fork of this worker that is not a task one. False: there is none, or no memory. */
bool vg_fork_promote(struct vg_worker *worker);

/* True: the caller must run it. */
bool vg_fork_claim(struct vg_fork_job *job, const struct vg_worker *worker);

/* Runs a job that was claimed. */
void vg_fork_run(struct vg_fork_job *job, struct vg_worker *worker);

#endif
