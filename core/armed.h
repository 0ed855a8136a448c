/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_ARMED_H
#define VIGIL_CORE_ARMED_H

#include <vigil/future.h>

#include "slab.h"
#include "vg_mix.h"

/*
 * Finds out, in debug builds, that a source wakes a waiter which it should have let go of. Elsewhere such a wake
 * would be pushed on whatever task the bytes name.
 *
 * A waiter that is on none of its task's lists has a mark in `seq`. Both values depend on the address, so memory
 * that was copied, or is in use for something else, does not carry one by chance.
 * ARMED   a wake may come
 * SPENT   it has been answered or disarmed, and nothing has been written over it since
 * The owner writes it, and thereby says nothing to wakers: they read it under the source's lock, which orders every
 * wake that is allowed between the arming and the disarming.
 */
#if VG_DEBUG
static inline uint32_t vg_mark_of(const struct vg_waiter *waiter)
{
    return (uint32_t)(vg_mix((uintptr_t)waiter) >> 32) | 1;
}

static inline uint32_t vg_mark_of_spent(const struct vg_waiter *waiter)
{
    return vg_mark_of(waiter) ^ UINT32_MAX;
}

static inline void vg_mark_armed(struct vg_waiter *waiter)
{
    waiter->seq = vg_mark_of(waiter);
}

static inline void vg_mark_spent(struct vg_waiter *waiter)
{
    waiter->seq = vg_mark_of_spent(waiter);
}

/* On a list of its task: that it looks like it is as much as can be had. */
static inline bool vg_looks_owed(const struct vg_waiter *waiter)
{
    return (waiter->flags & (VG_W_ARMED | VG_W_OWED)) == VG_W_OWED && waiter->task != NULL &&
           (uintptr_t)waiter->task % 16 == 0 && waiter->fut != NULL;
}

static inline bool vg_was_freed(const struct vg_waiter *waiter)
{
    const uint64_t freed = UINT64_C(0x0101010101010101) * VG_FILL_FREED;

    return (uintptr_t)waiter->task == (uintptr_t)freed;
}

static inline void vg_check_armed(const struct vg_waiter *waiter)
{
    if (VG_LIKELY(waiter->seq == vg_mark_of(waiter)))
        return;
    if (vg_was_freed(waiter))
        vg_panic("a waiter is woken in the memory of a task that has ended: its leaf ended without "
                 "taking it away from its source");
    if (waiter->seq != vg_mark_of_spent(waiter) && !vg_looks_owed(waiter))
        vg_panic("a waiter is woken that was never armed, or whose memory is in use for something "
                 "else: its leaf ended without taking it away from its source");
    if (waiter->woken_at == 0)
        vg_panic("the waiter of %s is woken, but it is not armed any more", waiter->fut->ops->name);
}
#else
static inline void vg_mark_armed(struct vg_waiter *waiter)
{
    (void)waiter;
}

static inline void vg_mark_spent(struct vg_waiter *waiter)
{
    (void)waiter;
}

static inline void vg_check_armed(const struct vg_waiter *waiter)
{
    (void)waiter;
}
#endif

#endif
