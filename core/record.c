/* SPDX-License-Identifier: MIT */
#include <vigil/probe.h>

#include "task.h"
#include "worker.h"

void vg_record_wait(const struct vg_waiter *waiter, const struct vg_cx *cx)
{
    const uint64_t poll_began = cx->began;
    struct vg_probe *const probe = cx->task->exec->probe;
    struct vg_visit visit;

    if (probe == NULL || waiter->woken_at == 0)
        return;
    visit.site = vg_site_of(waiter->fut);
    visit.node = waiter->fut->flags & VG_F_BESIDE ? VG_NODE_CHILD : VG_NODE_TASK;
    /* A wake that an earlier poll passed over is the parents' doing, whole. */
    if (waiter->flags & VG_W_TOLD || poll_began < waiter->woken_at)
        visit.runtime_ns = 0;
    else
        visit.runtime_ns = poll_began - waiter->woken_at;
    visit.parent_ns = cx->now > waiter->woken_at + visit.runtime_ns
                          ? cx->now - waiter->woken_at - visit.runtime_ns
                          : 0;
    probe->visited(probe, vg_worker_of(cx)->index, &visit);
}

void vg_record_refused(const struct vg_cx *cx)
{
    struct vg_worker *const worker = vg_worker_of(cx);
    struct vg_probe *const probe = cx->task->exec->probe;
    const struct vg_refused refused = {
        .task = cx->task,
        .fut = worker->refused_fut,
        .refused = worker->refused,
        .got_on = cx->progress,
        .began = cx->began,
        .ended = vg_exec_now(cx->task->exec),
    };

    worker->refused = 0;
    if (refused.refused > 0 && probe != NULL && probe->refused != NULL)
        probe->refused(probe, worker->index, &refused);
}
