/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_STALLED_H
#define VIGIL_INSTRUMENT_STALLED_H

#include <vigil/probe.h>

#include "vg_atomic.h"

/*
 * Futures that were cancelled, and have not ended at once. Each worker notes those of its own; the scan strikes out those that have
 * ended, and reports those that have not within a tenth of a second. Where more are cancelled between two scans than there is
 * room for, the others are not looked after.
 *
 * fut   NULL: free. Set by the worker, release, after the other members; set back by the scan, release, when it is done with
 *       them. Each is paired with the acquire of the other one.
 * told  1: it has been reported. By whoever has the slot, relaxed; the watchdog's thread reads it to see whether to come again.
 */

enum { VG_STALLED_SLOTS = 32, VG_STALLED_TRIES = 4 };

#define VG_STALLED_NS VG_MSEC(100)

struct vg_stalled_slot {
    VG_ATOMIC(const struct vg_future *) fut;
    struct vg_task *task;
    uint64_t id, at;
    VG_ATOMIC(uint32_t) told;
};

struct vg_stalled {
    unsigned next;
    struct vg_stalled_slot slot[VG_STALLED_SLOTS];
};

struct vg_liveness;

/* On the worker. */
void vg_stalled_note(struct vg_stalled *stalled, struct vg_task *task, const struct vg_future *fut,
                     uint64_t now);

/* In the scan. */
void vg_stalled_scan(struct vg_liveness *live, uint64_t now);

/* Whether any is noted. */
bool vg_stalled_pending(const struct vg_liveness *live);

#endif
