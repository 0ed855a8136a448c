/* SPDX-License-Identifier: MIT */
#include "worker.h"

/* A thief that loses a race has still seen work: it tries each victim so often. */
enum { ROUNDS = 2, TRIES = 4 };

/* How late the timers of a busy worker must be before another one fires them. */
#define OVERDUE_NS (10 * VG_TICK_NS)

/* How long one waits for a fork that it has asked for. */
enum { BEG_NS = 10000 };

static struct vg_task *steal_child(struct vg_worker *victim)
{
    struct vg_task *task; /* of a lost race it is somebody else's */
    unsigned n;

    for (n = 0; n < TRIES; n++) {
        switch (vg_deque_steal_any(&victim->deque, &task)) {
        case VG_STEAL_GOT:
            vg_count_shared();
            return task;
        case VG_STEAL_EMPTY:
            return NULL;
        case VG_STEAL_LOST:
            vg_count_shared();
            break;
        }
    }
    return NULL;
}

/* What little a busy worker has is left to it, unless the thief insists. */
static struct vg_task *steal_other(struct vg_worker *thief, struct vg_worker *victim, bool insists)
{
    struct vg_task *task = NULL;

    if (insists || vg_ring_worth_stealing(victim))
        task = vg_runq_steal_half_any(&victim->runq, &thief->runq);
    if (task == NULL)
        task = vg_overflow_take(&victim->overflow, &thief->runq);
    if (task == NULL)
        task = vg_pocket_steal_any(&victim->pocket);
    if (task == NULL)
        return NULL;
    thief->filled = true; /* with what came with it */
    vg_count_shared();
    return task;
}

static struct vg_task *steal_from(struct vg_worker *thief, struct vg_worker *victim, bool insists)
{
    struct vg_task *task = NULL;

    if (insists || vg_deque_worth_stealing(victim))
        task = steal_child(victim);
    return task != NULL ? task : steal_other(thief, victim, insists);
}

bool vg_is_overdue(const struct vg_worker *worker, uint64_t now)
{
    const uint64_t deadline = vg_wheel_deadline(&worker->wheel);

    return deadline < now && now - deadline >= OVERDUE_NS;
}

/*
 * For a worker that has something queued, but too little to be worth it: unless it stays in the poll that it is in, it will
 * have run that itself before long. A child that stays the oldest for so long is different, too: it comes last, after all that
 * its younger siblings spawn.
 */
static struct vg_task *steal_if_stuck(struct vg_worker *thief, struct vg_worker *victim)
{
    const uint64_t polls = vg_load(&victim->counts.polls, relaxed);
    const int64_t oldest = vg_deque_oldest_any(&victim->deque);
    const uint64_t until = vg_exec_now(thief->exec) + VG_STUCK_NS;

    while (!thief->exec->exact && vg_exec_now(thief->exec) < until) {
        vg_pause();
        if (vg_deque_oldest_any(&victim->deque) != oldest &&
            vg_load(&victim->counts.polls, relaxed) != polls)
            return NULL;
    }
    return steal_from(thief, victim, true);
}

static struct vg_task *steal_from_stuck(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    struct vg_task *task = NULL;
    unsigned i;

    for (i = 0; i < exec->workers_count && task == NULL; i++)
        if (&exec->workers[i] != worker && vg_has_stealable(&exec->workers[i]))
            task = steal_if_stuck(worker, &exec->workers[i]);
    return task;
}

/* Timers of a worker that is stuck in a long poll are not stuck with it. */
static struct vg_task *fire_overdue(struct vg_worker *thief, struct vg_worker *victim)
{
    if (!vg_is_overdue(victim, thief->now))
        return NULL;
    return vg_wheel_fire(&victim->wheel, thief->now) > 0 ? vg_pick_next(thief) : NULL;
}

uint64_t vg_park_deadline(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    uint64_t deadline = vg_wheel_deadline(&worker->wheel), other;
    unsigned i;

    for (i = 0; i < exec->workers_count; i++) {
        if (i == worker->index || vg_idle_may_park(&exec->idle, i))
            continue; /* who sleeps looks after its own timers */
        other = vg_wheel_deadline(&exec->workers[i].wheel);
        if (other < VG_NEVER - OVERDUE_NS && other + OVERDUE_NS < deadline)
            deadline = other + OVERDUE_NS;
    }
    return deadline;
}

/* Asks all others for a fork. True: one of them was not asked before, or has answered since. */
static bool ask_all(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    bool asked = false;
    unsigned i;

    for (i = 0; i < exec->workers_count; i++)
        if (&exec->workers[i] != worker)
            asked = vg_fork_ask(&exec->workers[i]) || asked;
    return asked;
}

static struct vg_task *steal_any_child(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    struct vg_task *task = NULL;
    unsigned i;

    for (i = 0; i < exec->workers_count && task == NULL; i++)
        if (&exec->workers[i] != worker)
            task = steal_child(&exec->workers[i]);
    return task;
}

/* Those that compute are asked for a part of it, and it comes soon, or somebody is woken for it. */
static struct vg_task *beg(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    struct vg_task *task = NULL;
    uint64_t deadline;

    if (!ask_all(worker) || exec->exact)
        return NULL;
    deadline = vg_exec_now(exec) + BEG_NS;
    while (task == NULL && vg_exec_now(exec) < deadline) {
        vg_pause();
        (void)ask_all(worker);
        task = steal_any_child(worker);
    }
    return task;
}

/*
 * Taking a task from another processor's cache costs more than running a tiny one. If what was stolen last was over at once
 * and led to nothing, the thief waits before the next attempt, longer each time: then it does not get in the way of a
 * worker that runs through a thousand tiny tasks, and is there when one of them turns out to be big.
 */
static void wait_if_poor(struct vg_worker *worker)
{
    enum { POOR_MAX = 6, POOR_NS = 2000, FIRST_NS = 400 };
    const unsigned polls = worker->tick - worker->looted_tick;
    const uint64_t now = vg_exec_now(worker->exec);
    uint64_t until;

    if (worker->exec->exact || worker->looted_at == 0)
        return;
    if (polls > 2 || now - worker->looted_at > POOR_NS)
        worker->poor = 0;
    else if (worker->poor < POOR_MAX)
        worker->poor++;
    worker->looted_at = 0;
    if (worker->poor == 0)
        return;
    until = now + ((uint64_t)FIRST_NS << worker->poor);
    while (vg_exec_now(worker->exec) < until)
        vg_pause();
}

static void note_loot(struct vg_worker *worker)
{
    vg_count(&worker->counts.stolen, 1);
    worker->looted_at = vg_exec_now(worker->exec);
    worker->looted_tick = worker->tick;
}

struct vg_task *vg_steal(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    struct vg_task *task;
    unsigned round, i, start;

    wait_if_poor(worker);

    for (round = 0; round < ROUNDS; round++) {
        start = (unsigned)(vg_rng(&worker->rng) % exec->workers_count);
        for (i = 0; i < exec->workers_count; i++) {
            struct vg_worker *victim = &exec->workers[(start + i) % exec->workers_count];

            if (victim == worker)
                continue;
            task = steal_from(worker, victim, false);
            if (task == NULL)
                task = fire_overdue(worker, victim);
            vg_count(&worker->counts.searches, 1);
            if (task != NULL) {
                note_loot(worker);
                return task;
            }
        }
    }
    task = steal_from_stuck(worker);
    if (task == NULL)
        task = beg(worker);
    if (task != NULL)
        note_loot(worker);
    return task;
}
