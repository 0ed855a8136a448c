/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_LONGWAIT_H
#define VIGIL_INSTRUMENT_LONGWAIT_H

#include <vigil/liveness.h>

#include "vg_atomic.h"

/*
 * Waits that one pass of the wait-for graph after another finds as they were: in the queue of a resource, in a task that
 * was not polled meanwhile. Two kinds of them are reported.
 *
 *   overtaken   The resource counts how often it was taken (vg_resource_state.served). Of those that stood in the queue when the
 *               wait was first seen each may be served once before it: so many, and VG_OVERTAKEN more, have come later.
 *   hoarded     All that is held is held by known tasks; none of them was polled for VG_HOARDED_NS, and each waits, for
 *               something that has no end of its own: no timer, nothing from the kernel, nothing that a task is known to hold.
 *               Something may come and let them go on; therefore it is only suspected.
 *
 * Everything but `open` belongs to the scan.
 */

enum { VG_LONGWAITS = 32, VG_LONGWAIT_HOLDERS = 4, VG_OVERTAKEN = 64 };

#define VG_HOARDED_NS VG_MSEC(950)

struct vg_longwait_holder {
    uint64_t id, polls;
    struct vg_task *task;
    bool idles; /* as of this pass */
};

struct vg_longwait {
    const struct vg_future *leaf; /* NULL: not in use */
    struct vg_task *task;
    uint64_t id, polls;
    struct vg_resource *resource;
    uint64_t since;
    uint64_t served; /* by the resource, at first; those before it in the queue included */
    uint64_t later;  /* served since beyond these */
    unsigned holders;
    struct vg_longwait_holder holder[VG_LONGWAIT_HOLDERS];
    bool alive; /* seen in this pass */
    bool reported;
};

/*
 * heads  A bit for each task that holds something; others need not be looked up.
 * open   Waits that may still become findings while everybody sleeps. Written by the scan, relaxed; the watchdog's thread reads
 *        it to see whether to come again.
 */
struct vg_longwaits {
    uint64_t heads;
    VG_ATOMIC(uint32_t) open;
    struct vg_longwait wait[VG_LONGWAITS];
};

struct vg_liveness;

/* A pass begins. */
void vg_longwaits_begin(struct vg_longwaits *waits);

/* Looks at one leaf that waits in a queue. Its task is owned. */
void vg_longwaits_leaf(struct vg_longwaits *waits, struct vg_task *task,
                       const struct vg_future *leaf, const struct vg_wait *wait);

/* Whether the task is known to hold something that others wait for. */
bool vg_longwaits_concern(const struct vg_longwaits *waits, uint64_t id);

/* Looks at such a task. It is owned. */
void vg_longwaits_holder(struct vg_longwaits *waits, struct vg_task *task);

/* The pass is over. */
void vg_longwaits_end(struct vg_liveness *live, uint64_t now);

static inline bool vg_longwaits_pending(const struct vg_longwaits *waits)
{
    return vg_load(&waits->open, relaxed) > 0;
}

#endif
