/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_DROP_H
#define VIGIL_CORE_DROP_H

#include "task.h"
#include "worker.h"

/* Cancels a running child that has lost to another one, or to a deadline, and ends it at once if it is a leaf. */
void vg_future_drop(struct vg_future *fut, bool timed_out, struct vg_cx *cx);

/* A child that was cancelled, and whose end somebody waits for, is not done yet. */
void vg_drop_pending(const struct vg_future *fut, struct vg_cx *cx);

/* One of several children has ended, where something has been dropped before. */
void vg_drop_note_end(const struct vg_future *fut, struct vg_cx *cx);

/* One of several children has ended. One load where nothing is ever dropped. */
static inline void vg_drop_ended(const struct vg_future *fut, struct vg_cx *cx)
{
    if (VG_UNLIKELY(vg_load(&cx->task->exec->dropped_types, relaxed) != 0))
        vg_drop_note_end(fut, cx);
}

/* sleep.c: when the sleep ends by itself; 0: it is none. */
uint64_t vg_sleep_deadline(const struct vg_future *fut);

#endif
