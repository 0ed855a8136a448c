/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_POCKET_H
#define VIGIL_CORE_POCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "line.h"
#include "vg_atomic.h"

/*
 * A worker's private slot: the task that was woken last by the one that runs, and runs next, while its data is warm. Others leave
 * it alone, until the owner has been in one poll for so long that an observer opens it to them.
 *
 * task  NULL, or the task. Put there by the owner only. Whoever takes it exchanges it for NULL, so each task has one taker; the
 *       release of the put is paired with the acquire of that exchange.
 * open  1: others may take it. Set by an observer, which then rings for a thief; set back by the owner at its next take. It is a
 *       permission and orders nothing: a thief that sees a stale 1 takes a task that the owner would have run, no more.
 *
 * A thief that was woken for it sees it: the observer has read `task` before it rang, and the ring orders that before
 * the thief's look.
 *
 * Threads   _owner: the worker. _any: every thread. _alone: the owner, when there are no other workers.
 * Cost      Put: a store, into an empty slot. Take: an exchange, but _alone.
 */

struct vg_task;

struct vg_pocket {
    _Alignas(VG_LINE) VG_ATOMIC(struct vg_task *) task;
    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) open;
};

static inline bool vg_pocket_empty_owner(struct vg_pocket *pocket)
{
    return vg_load(&pocket->task, relaxed) == NULL;
}

/* Returns the task that was there before. */
static inline struct vg_task *vg_pocket_put_owner(struct vg_pocket *pocket, struct vg_task *task)
{
    if (vg_load(&pocket->task, relaxed) == NULL) {
        vg_store(&pocket->task, task, release); /* pairs with the exchange in steal */
        return NULL;
    }
    /* It may be gone by now. Release: as above. Acquire: it comes back to us as it went. */
    return vg_xchg(&pocket->task, task, acq_rel);
}

static inline struct vg_task *vg_pocket_take_owner(struct vg_pocket *pocket)
{
    if (vg_load(&pocket->open, relaxed) != 0)
        vg_store(&pocket->open, 0u, relaxed);
    if (vg_load(&pocket->task, relaxed) == NULL)
        return NULL;
    return vg_xchg(&pocket->task, NULL, acq_rel); /* as against a thief's */
}

static inline struct vg_task *vg_pocket_take_alone(struct vg_pocket *pocket)
{
    struct vg_task *const task = vg_load(&pocket->task, relaxed);

    if (task != NULL)
        vg_store(&pocket->task, NULL, relaxed);
    return task;
}

/* The observer. True: there is something to be taken. */
static inline bool vg_pocket_open_any(struct vg_pocket *pocket)
{
    vg_store(&pocket->open, 1u, relaxed);
    return vg_load(&pocket->task, relaxed) != NULL;
}

/* Whether there is something that others may take. */
static inline bool vg_pocket_stealable_any(struct vg_pocket *pocket)
{
    return vg_load(&pocket->open, relaxed) != 0 && vg_load(&pocket->task, relaxed) != NULL;
}

static inline struct vg_task *vg_pocket_steal_any(struct vg_pocket *pocket)
{
    if (!vg_pocket_stealable_any(pocket))
        return NULL;
    /* Acquire: pairs with the release of the put. Release: the owner's next put finds our NULL. */
    return vg_xchg(&pocket->task, NULL, acq_rel);
}

#endif
