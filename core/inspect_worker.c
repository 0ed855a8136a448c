/* SPDX-License-Identifier: MIT */
#include <vigil/driver.h>
#include <vigil/probe.h>

#include "worker.h"

/* What observers may know of the workers: words that these publish, each read by itself. */

static unsigned queued(struct vg_worker *worker)
{
    return vg_runq_length_any(&worker->runq) + vg_deque_length_any(&worker->deque) +
           vg_load(&worker->overflow.length, relaxed);
}

/* Slots never change their type: at worst this is what another task has put there since. */
static void describe_poll(struct vg_worker *worker, struct vg_worker_info *info)
{
    /* Acquire: pairs with the release in the worker, so that the slot's header has been made. */
    struct vg_task *const task = vg_load(&worker->pulse.polling, acquire);

    info->polling = task != NULL ? vg_load(&task->id, relaxed) | 1 : 0;
    if (task == NULL)
        return;
    info->task_name = vg_load(&task->name, relaxed);
    info->task_spawned = vg_load(&task->place, relaxed);
    info->task_polls = vg_load(&task->polls, relaxed);
}

static void copy(uint64_t *to, VG_ATOMIC(uint64_t) *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        to[i] = vg_load(&from[i], relaxed);
}

void vg_exec_worker(struct vg_exec *exec, unsigned index, struct vg_worker_info *info)
{
    struct vg_worker *const worker = &exec->workers[index];
    struct vg_counts *const counts = &worker->counts;

    *info = (struct vg_worker_info){
        .blocks_on = vg_load(&worker->pulse.blocks_on, relaxed),
        .blocks_owner = vg_load(&worker->pulse.blocks_owner, relaxed),
        .state = (enum vg_worker_state)vg_load(&worker->pulse.state, relaxed),
        .polls = vg_load(&counts->polls, relaxed),
        .searches = vg_load(&counts->searches, relaxed),
        .stolen = vg_load(&counts->stolen, relaxed),
        .turns = vg_load(&counts->turns, relaxed),
        .cuts = vg_load(&counts->cuts, relaxed),
        .deadline = vg_wheel_deadline(&worker->wheel),
        .parks = vg_load(&counts->parks, relaxed),
        .idle_parks = vg_load(&counts->idle_parks, relaxed),
        .overflowed = vg_load(&counts->overflowed, relaxed),
        .shared_writes = vg_load(&counts->shared_writes, relaxed),
        .queued = queued(worker),
        .thread = vg_load(&worker->pulse.thread, relaxed),
    };
    copy(info->time, counts->time, VG_WORKER_STATES);
    copy(info->wakes, counts->wakes, VG_WAKE_KINDS);
    for (unsigned cause = 0; cause < VG_CAUSES; cause++)
        copy(info->visits[cause], counts->visits[cause], VG_OUTCOMES);
    describe_poll(worker, info);
}

void vg_exec_driver_stats(struct vg_exec *exec, unsigned worker, struct vg_driver_stats *stats)
{
    struct vg_driver *const driver = exec->driver;

    *stats = (struct vg_driver_stats){.submissions = 0};
    if (driver->ops->stats != NULL)
        driver->ops->stats(driver, worker, stats);
}

bool vg_exec_busy(const struct vg_exec *exec)
{
    for (unsigned i = 0; i < exec->workers_count; i++)
        if (vg_load(&exec->workers[i].pulse.state, relaxed) != VG_WORKER_PARK)
            return true;
    return false;
}

bool vg_exec_drained(struct vg_exec *exec)
{
    if (!vg_inject_empty(&exec->inject))
        return false;
    for (unsigned i = 0; i < exec->workers_count; i++)
        if (queued(&exec->workers[i]) > 0 || !vg_pocket_empty_owner(&exec->workers[i].pocket))
            return false;
    return true;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0; /* not a consistent cut */
}

uint64_t vg_exec_injected(const struct vg_exec *exec)
{
    const uint64_t put = vg_load(&exec->outside.injected, relaxed);

    return difference(put, vg_exec_sum(exec, offsetof(struct vg_counts, injected)) - put);
}

uint64_t vg_exec_children(const struct vg_exec *exec)
{
    const uint64_t ended = vg_exec_sum(exec, offsetof(struct vg_counts, children_ended));

    return difference(vg_exec_sum(exec, offsetof(struct vg_counts, children_begun)), ended);
}

void vg_exec_tick(struct vg_exec *exec)
{
    /* One observer at a time; a tick that is lost to another one has come all the same. */
    vg_store(&exec->ticks, vg_load(&exec->ticks, relaxed) + 1, relaxed);
}

bool vg_polling_here(struct vg_polling_here *here)
{
    const struct vg_worker *const worker = vg_worker_here;
    const struct vg_cx *const cx = worker != NULL ? worker->cx : NULL;

    if (cx == NULL)
        return false;
    *here = (struct vg_polling_here){
        .task = vg_load(&cx->task->id, relaxed),
        .polls = vg_load(&cx->task->polls, relaxed),
        .future = cx->self != NULL ? cx->self->ops->name : NULL,
        .frame = cx->self != NULL && vg_frame_of(cx->self) != NULL
                     ? vg_frame_of(cx->self)->ops->name
                     : NULL,
        .site = vg_site_of(cx->self),
    };
    return true;
}
