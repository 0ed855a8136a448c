/* SPDX-License-Identifier: MIT */
#include "worker.h"
#include "vg_fault.h"

__thread struct vg_worker *vg_worker_here;

/* Between two turns of the driver, if it does not ask for one earlier: so many tasks, or so much time. What is to be submitted
 * waits no longer than that. */
enum { TURN_INTERVAL = 61, TURN_NS = 500000 };

int vg_worker_setup(struct vg_worker *worker)
{
    struct vg_driver *const driver = worker->exec->driver;

    vg_worker_here = worker;
    worker->now = worker->read_at = driver->ops->now(driver);
    worker->stride = 1;
    worker->oldest = -1;
    worker->alone = worker->exec->workers_count == 1;
    worker->burst = 2 * VG_SHARE_NS;
    vg_store(&worker->pulse.step_ns, (uint32_t)worker->burst, relaxed);
    return driver->ops->start(driver, worker->index);
}

void vg_worker_teardown(struct vg_worker *worker)
{
    struct vg_driver *const driver = worker->exec->driver;

    driver->ops->stop(driver, worker->index);
    vg_worker_here = NULL;
}

/* The driver's turn, whose end is as good a time to read the clock as the next step. */
static unsigned turn(struct vg_worker *worker)
{
    struct vg_driver *const driver = worker->exec->driver;
    unsigned completions;

    vg_store(&worker->pulse.state, VG_WORKER_TURN, relaxed);
    worker->turned = worker->tick;
    worker->gathers = true;
    vg_count(&worker->counts.turns, 1);
    completions = driver->ops->turn(driver, worker->index);
    worker->gathers = false;
    if (completions > 0)
        vg_share_gathered(worker);
    vg_worker_read_clock(worker, VG_WORKER_RUN);
    worker->turned_at = worker->now;
    return completions;
}

static void fire(struct vg_worker *worker)
{
    worker->gathers = true;
    vg_wheel_fire(&worker->wheel, worker->now);
    vg_share_gathered(worker);
}

/* Lets time pass and completions in, where the clock is read: see clock.c. */
static __attribute__((noinline)) void advance(struct vg_worker *worker)
{
    struct vg_driver *const driver = worker->exec->driver;

    vg_worker_step_clock(worker);
    if (VG_FAULT("advance"))
        return;
    vg_share_oldest(worker);
    if (vg_wheel_deadline(&worker->wheel) <= worker->now)
        fire(worker);
    if (worker->tick - worker->turned >= TURN_INTERVAL ||
        worker->now >= worker->turned_at + TURN_NS || driver->ops->ready(driver, worker->index))
        turn(worker);
}

static struct vg_task *search(struct vg_worker *worker)
{
    struct vg_task *task;

    vg_store(&worker->pulse.state, VG_WORKER_SEARCH, relaxed);
    task = vg_steal(worker);
    vg_worker_read_clock(worker, VG_WORKER_RUN);
    return task;
}

/*
 * Whether there is more than the task that ended the search. Whoever pushed before he saw the search's end, and so called
 * nobody, is seen here; who pushes after calls for himself: between his push and his look at the searchers there is a fence, and
 * there is one here between our end as one and our look at his queue.
 */
static bool is_more(struct vg_worker *worker)
{
    vg_fence(); /* pairs with the fence in vg_idle_notify() */
    return vg_work_anywhere(worker);
}

static bool start_search(struct vg_exec *exec)
{
    vg_count_shared();
    return vg_idle_start_search(&exec->idle);
}

static bool stop_search(struct vg_exec *exec)
{
    vg_count_shared();
    return vg_idle_stop_search(&exec->idle);
}

static struct vg_task *find(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    struct vg_task *task = vg_pick_next(worker);

    if (task == NULL) {
        /* What was submitted must not wait for the search. */
        if (turn(worker) > 0)
            task = vg_pick_next(worker);
        if (task == NULL && !worker->searching)
            worker->searching = start_search(exec);
        /* It may take what it saw uncounted: those who search answer for the rest. */
        if (task == NULL && (worker->searching || worker->saw_work))
            task = search(worker);
    }
    if (task != NULL && worker->searching) {
        worker->searching = false;
        if (stop_search(exec) && is_more(worker))
            vg_idle_ring(exec); /* others relied on this search: somebody takes it over */
    }
    return task;
}

/* For a worker that reads its clock for every poll: whether its task is still alone after what a step begins with. */
static bool stays_alone(struct vg_worker *worker)
{
    enum { ALONE_MAX = 32 };

    if (!worker->exec->exact_clock || worker->tick % ALONE_MAX == 0 || vg_has_queued(worker))
        return false;
    advance(worker);
    return !vg_has_queued(worker);
}

/* A task that would find no other in the queues does not go there, until the clock is read the next time; but now and then, for
 * somebody may have injected one. */
static enum vg_poll_end poll_alone(struct vg_worker *worker, struct vg_task *task)
{
    enum vg_poll_end end;

    vg_count(&worker->counts.polls, 1);
    /* Release: the slot, which may be a new one. Pairs with the acquire in describe_poll(). */
    vg_store(&worker->pulse.polling, task, release);
    for (;;) {
        end = vg_task_poll(worker, task);
        if (end != VG_END_REQUEUE || vg_has_queued(worker) || !vg_worker_knows_time(worker))
            break;
        worker->tick++;
        vg_count(&worker->counts.polls, 1);
    }
    vg_store(&worker->pulse.polling, NULL, relaxed);
    return end;
}

static void run(struct vg_worker *worker, struct vg_task *task)
{
    while (poll_alone(worker, task) == VG_END_REQUEUE) {
        if (!stays_alone(worker)) {
            vg_requeue(worker, task);
            return;
        }
        worker->tick++;
    }
}

enum vg_step vg_worker_step(struct vg_worker *worker)
{
    struct vg_task *task;

    if (!vg_worker_knows_time(worker))
        advance(worker);
    task = find(worker);
    if (task == NULL)
        return VG_STEP_IDLE;
    run(worker, task);
    return VG_STEP_RAN;
}

bool vg_worker_doze(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;

    vg_count_shared();
    vg_idle_prepare_park(&exec->idle, worker->index, worker->searching);
    worker->searching = false;
    worker->saw_work = vg_work_anywhere(worker);
    return !worker->saw_work && !exec->driver->ops->ready(exec->driver, worker->index) &&
           vg_load(&exec->phase, relaxed) != VG_PHASE_QUIT &&
           vg_idle_may_park(&exec->idle, worker->index);
}

void vg_worker_rise(struct vg_worker *worker)
{
    struct vg_probe *const probe = worker->exec->probe;

    vg_count_shared();
    worker->searching = vg_idle_end_park(&worker->exec->idle, worker->index);
    if (probe != NULL && probe->resumed != NULL)
        probe->resumed(probe, worker->index);
}

static void park(struct vg_worker *worker)
{
    struct vg_driver *const driver = worker->exec->driver;

    vg_count(&worker->counts.parks, 1);
    vg_worker_read_clock(worker, VG_WORKER_PARK);
    worker->parked = worker->gathers = true;
    driver->ops->park(driver, worker->index, vg_park_deadline(worker));
    worker->parked = false;
    vg_share_gathered(worker);
    vg_worker_read_clock(worker, VG_WORKER_RUN);
}

void vg_worker_run(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    bool slept = false; /* and has found nothing to do since */

    while (vg_load(&exec->phase, relaxed) != VG_PHASE_QUIT) {
        if (vg_worker_step(worker) == VG_STEP_RAN) {
            slept = false;
            continue;
        }
        vg_count(&worker->counts.idle_parks, slept);
        slept = vg_worker_doze(worker);
        if (slept)
            park(worker);
        vg_worker_rise(worker);
    }
}
