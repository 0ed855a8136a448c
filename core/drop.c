/* SPDX-License-Identifier: MIT */
#include "drop.h"

#include <vigil/probe.h>

#include "vg_mix.h"

/*
 * Futures that are cancelled because another one has won. For the program that is the end of them; the instruments also
 * want to know of it, since work may be thrown away again and again, or something with it that was not theirs to lose.
 * Leaves other than timers have nothing to lose: there may be millions of these a second.
 */

static bool is_counted(const struct vg_future *fut)
{
    return fut->ops->kind == VG_KIND_ASYNC || fut->ops->is_timer;
}

static uint64_t bit_of(const struct vg_ops *type)
{
    return UINT64_C(1) << (vg_mix((uintptr_t)type) >> 58);
}

static void tell(const struct vg_future *fut, bool timed_out, struct vg_cx *cx)
{
    struct vg_exec *const exec = cx->task->exec;
    struct vg_probe *const probe = exec->probe;
    const uint64_t bit = bit_of(fut->ops);
    const struct vg_dropped dropped = {
        .task = cx->task,
        .fut = fut,
        .deadline = vg_sleep_deadline(fut),
        .timed_out = timed_out,
    };

    if (probe == NULL || probe->dropped == NULL)
        return;
    if (!(vg_load(&exec->dropped_types, relaxed) & bit))
        (void)vg_fetch_or(&exec->dropped_types, bit, acq_rel);
    probe->dropped(probe, vg_worker_of(cx)->index, &dropped, cx->now);
}

void vg_future_drop(struct vg_future *fut, bool timed_out, struct vg_cx *cx)
{
    if (is_counted(fut) && !vg_cancelled(fut))
        tell(fut, timed_out, cx);
    vg_cancel(fut, cx);
    vg_settle(fut, cx);
    vg_drop_pending(fut, cx);
}

void vg_drop_pending(const struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_probe *const probe = cx->task->exec->probe;

    if (fut->state != VG_DONE && vg_started(fut) && probe != NULL && probe->cancelling != NULL)
        probe->cancelling(probe, vg_worker_of(cx)->index, cx->task, fut, cx->now);
}

void vg_drop_note_end(const struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_exec *const exec = cx->task->exec;
    struct vg_probe *const probe = exec->probe;

    const bool known = vg_load(&exec->dropped_types, relaxed) & bit_of(fut->ops);
    const bool counts = vg_cancelled(fut) ? fut->flags & VG_F_CARRIES : known;

    if (counts && is_counted(fut) && probe != NULL && probe->ended != NULL)
        probe->ended(probe, vg_worker_of(cx)->index, cx->task, fut, cx->now);
}
