/* SPDX-License-Identifier: MIT */
#include <vigil/probe.h>

#include "worker.h"

/* What observers may know of what waits at a worker: tasks, and timers. */

/* Slots never change their type: at worst this is what another task has put there since. */
static void see(struct vg_task *task, struct vg_seen_task *seen)
{
    const uint64_t id =
        task != NULL ? vg_load(&task->id, acquire) : 0; /* pairs with spawn's release */

    *seen = (struct vg_seen_task){.id = 0};
    if (id % 2 == 0)
        return;
    seen->name = vg_load(&task->name, relaxed);
    seen->spawned = vg_load(&task->place, relaxed);
    seen->polls = vg_load(&task->polls, relaxed);
    seen->id = id;
}

void vg_exec_upcoming(struct vg_exec *exec, unsigned index, struct vg_seen_task *slot,
                      struct vg_seen_task *first)
{
    struct vg_worker *const worker = &exec->workers[index];

    /* Acquire: pairs with the release of the put, so that the task's header has been made. */
    see(vg_load(&worker->pocket.task, acquire), slot);
    see(vg_runq_first_any(&worker->runq), first);
}

static void see_late(struct vg_task *task, void *arg)
{
    see(task, (struct vg_seen_task *)arg);
}

void vg_exec_overdue(struct vg_exec *exec, unsigned worker, uint64_t than,
                     struct vg_seen_task *task)
{
    *task = (struct vg_seen_task){.id = 0};
    vg_wheel_late(&exec->workers[worker].wheel, than, see_late, task);
}
