/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_RECORD_H
#define VIGIL_CORE_RECORD_H

#include <vigil/async.h>

#include "task.h"
#include "vg_waits.h"
#include "worker.h"

/* Where a leaf is awaited: vg_site_of(), for the most frequent case: the await of the frame right above it. */
static inline const struct vg_site *vg_awaited_at(const struct vg_future *leaf)
{
    const struct vg_future *const up = leaf->up;

    if (VG_LIKELY(up != NULL && up->ops->kind == VG_KIND_ASYNC))
        return ((const struct vg_async *)(const void *)up)->at;
    return vg_site_of(up);
}

/*
 * Records how long this wake waited: it is being answered by a poll that has taken it, and is at its begin. Nearly all
 * are like that; false: this one is not, or is long, and is for vg_record_wait(). A waiter that was not woken looks long.
 */
static inline bool vg_record_prompt(const struct vg_waiter *waiter, struct vg_cx *cx)
{
    const struct vg_waits *const waits = vg_worker_of(cx)->waits;
    const uint64_t ns = cx->began - waiter->woken_at;
    const struct vg_future *const leaf = waiter->fut;

    if (VG_UNLIKELY(waits == NULL || cx->now != cx->began ||
                    ns >= vg_load(waits->longest, relaxed)))
        return false;
    vg_waits_prompt(waits, vg_awaited_at(leaf),
                    leaf->flags & VG_F_BESIDE ? VG_NODE_CHILD : VG_NODE_TASK, ns);
    return true;
}

#endif
