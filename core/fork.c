/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include "worker.h"

/*
 * Forks of plain functions: which of them become tasks, and when. Nothing here runs unless another worker has nothing
 * to do.
 */

/* How long a worker computes before it gives one away to a worker that asks for it, or wakes one that sleeps; and
 * between two of these. A wake costs some microseconds. */
enum { ASKED_NS = 5000, BEAT_NS = 50000 };

/* Forks that follow each other faster than that need not read the clock each time. */
enum { CLOSE_NS = 1000, SKIP_MAX = 63 };

_Static_assert(offsetof(struct vg_worker, forks) == 0, "vg_fork() looks for it there");

void vg_fork_panic_(const struct vg_forks *forks)
{
    if (forks == NULL)
        vg_panic("vg_fork() on a thread that is no worker");
    vg_panic("a join of another fork than the newest: forks are joined in reverse order, on their "
             "thread");
}

/* ---- jobs ------------------------------------------------------------------------------------ */

bool vg_fork_claim(struct vg_fork_job *job, const struct vg_worker *worker)
{
    uint32_t queued = VG_FORK_QUEUED;

    /* Acquire: pairs with the release by which the task was pushed or offered. */
    return vg_load(&job->state, relaxed) == VG_FORK_QUEUED &&
           vg_cas(&job->state, &queued, VG_FORK_TAKEN | worker->index << 8, acq_rel, relaxed);
}

void vg_fork_run(struct vg_fork_job *job, struct vg_worker *worker)
{
    struct vg_forks *const forks = &worker->forks;
    const struct vg_fork_running running = {job, forks->top, worker->fork.running};

    worker->fork.running = &running;
    job->run(job->arg);
    worker->fork.running = running.outer;
    if (VG_UNLIKELY(forks->top != running.base))
        vg_panic("a forked function has returned with %u forks that were not joined",
                 forks->top - running.base);
    /* Release: the results, for the join. Acquire: that it sleeps. */
    if (vg_xchg(&job->state, VG_FORK_DONE, acq_rel) & VG_FORK_SLEEPS)
        vg_os_wake(&job->state, 1);
}

static vg_poll fork_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_fork_job *const job = (struct vg_fork_job *)(void *)fut;

    if (vg_fork_claim(job, vg_worker_of(cx)))
        vg_fork_run(job, vg_worker_of(cx));
    return VG_READY;
}

const struct vg_ops vg_fork_ops = {
    .poll = fork_poll,
    .name = "fork",
    .size = sizeof(struct vg_fork_job),
    .kind = VG_KIND_LEAF,
};

/* ---- giving away ----------------------------------------------------------------------------- */

static const struct vg_fork_job *job_around(const struct vg_worker *worker, uint32_t index)
{
    const struct vg_fork_running *running = worker->fork.running;

    while (running != NULL && running->base > index)
        running = running->outer;
    return running != NULL ? running->job : NULL;
}

static struct vg_task *make_task(struct vg_worker *worker, uint32_t index)
{
    struct vg_task *const task = vg_task_new(worker->exec, sizeof(struct vg_fork_job));
    struct vg_fork_job *job;

    if (task == NULL)
        return NULL;
    job = vg_task_frame_of(task);
    vg_future_init(&job->fut, &vg_fork_ops);
    vg_store(&job->state, VG_FORK_QUEUED, relaxed);
    job->run = worker->forks.noted[index].run;
    job->arg = worker->forks.noted[index].arg;
    job->within = job_around(worker, index);
    return task;
}

bool vg_fork_promote(struct vg_worker *worker)
{
    static const struct vg_place place = {__FILE__, "vg_fork", __LINE__};
    struct vg_forks *const forks = &worker->forks;
    const uint32_t index = forks->promoted;
    struct vg_task *task;

    if (index >= forks->top || index >= VG_FORKS_MAX)
        return false;
    task = make_task(worker, index);
    if (task == NULL)
        return false;
    if (vg_task_start(task, vg_task_frame_of(task), 2, &place) < 0) {
        vg_task_discard(vg_task_frame_of(task));
        return false;
    }
    forks->noted[index].arg = vg_task_frame_of(task);
    forks->promoted = index + 1;
    /* Release: the slot, which may be a new one. Pairs with the acquire in help(). */
    vg_store(&worker->fork.offer, task, release);
    vg_idle_ring(worker->exec); /* the poll goes on: nobody else would */
    return true;
}

/* Whether it is time. Steps of a simulator take no time. */
static bool is_due(struct vg_worker *worker, bool asked)
{
    struct vg_fork_side *const side = &worker->fork;
    uint64_t now, since;

    if (worker->exec->exact)
        return true;
    if (side->skip > 0) {
        side->skip--;
        return false;
    }
    now = vg_exec_now(worker->exec);
    side->skip_next = now - side->looked_at < CLOSE_NS ? side->skip_next * 2 + 1 : 0;
    if (side->skip_next > SKIP_MAX)
        side->skip_next = SKIP_MAX;
    side->skip = side->skip_next;
    side->looked_at = now;
    since = worker->cx != NULL ? worker->cx->began : 0;
    if (since < side->given_at)
        since = side->given_at;
    return now >= since + (asked ? ASKED_NS : BEAT_NS);
}

/* Somebody has nothing to do: gives the oldest fork away, but not too often. */
static void give(struct vg_worker *worker, bool asked)
{
    if (!is_due(worker, asked) || !vg_fork_promote(worker))
        return;
    worker->fork.given_at = worker->fork.looked_at;
    vg_store(&worker->fork.asked, 0u, relaxed);
}

static bool others_idle(const struct vg_worker *worker)
{
    /* The caller is counted in neither half of the word. */
    return vg_load(&worker->exec->idle.word, relaxed) != 0;
}

void vg_fork_offer_(struct vg_forks *forks)
{
    struct vg_worker *const worker = (struct vg_worker *)(void *)forks;

    if (others_idle(worker))
        (void)vg_fork_promote(worker);
}

void vg_fork_slow_(struct vg_forks *forks, vg_fork_fn *run, void *arg)
{
    struct vg_worker *const worker = (struct vg_worker *)(void *)forks;
    const bool idle = others_idle(worker);
    const uint32_t index = forks->top - 1;
    bool asked = vg_load(&worker->fork.asked, relaxed) != 0;

    if (index < VG_FORKS_MAX) {
        forks->noted[index].run = run;
        forks->noted[index].arg = arg;
    }
    if (asked && !idle && index == 0) { /* it was long ago */
        vg_store(&worker->fork.asked, 0u, relaxed);
        asked = false;
    }
    vg_store(vg_forks_limit(forks), idle || asked ? 0u : VG_FORKS_MAX - 1u, relaxed);
    if (idle || asked)
        give(worker, asked);
}
