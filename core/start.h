/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_START_H
#define VIGIL_CORE_START_H

#include "life.h"
#include "task.h"

/* Whether the future's start concerns nobody but itself and who awaits it: a root's future, or one that an async function's task
 * waits for alone. */
static inline bool vg_is_plain_start(const struct vg_future *fut, const struct vg_future *up,
                                     const struct vg_cx *cx)
{
    return fut->state == VG_INIT && !vg_is_wary(cx) && !vg_is_opaque(fut) &&
           (up == NULL || !(up->flags & VG_F_BESIDE));
}

/* Such a start, by the frame `up`, which is being polled; NULL: of a root. */
static inline vg_poll vg_start_plainly(struct vg_future *fut, struct vg_future *up,
                                       struct vg_cx *cx)
{
    const uint32_t armings = cx->armings;
    vg_poll result;

    fut->state = VG_RUNNING;
    vg_mark_live(fut);
    fut->up = up;
    cx->self = fut;
    result = fut->ops->poll(fut, cx);
    cx->self = up;
    if (result.ready)
        vg_future_finish(fut, cx);
    else if (VG_UNLIKELY(cx->armings == armings) && fut->ops->kind == VG_KIND_LEAF)
        vg_note_unarmed(fut, cx);
    return result;
}

#endif
