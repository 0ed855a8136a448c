/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_SWEEP_H
#define VIGIL_INSTRUMENT_SWEEP_H

#include <vigil/liveness.h>

/*
 * Whether resources are as they should be: for each leaf that waits in an idle task, what it waits for is asked what there
 * is of it (vg_resource_ops.state). Between a wake and its poll, or between two words that are written one after the
 * other, everything may look lost for a moment; so a finding counts when two passes of the wait-for graph, which this
 * is a part of, have seen the very same.
 *
 * Everything belongs to the scan.
 */

enum { VG_SWEEP_FINDS = 16 };

struct vg_find {
    struct vg_task *task;
    const struct vg_future *leaf;
    struct vg_resource *resource;
    struct vg_resource_state state;
    enum vg_verdict verdict;
    uint64_t id, at; /* of the task; when it was first seen */
};

struct vg_sweep {
    unsigned finds, before;
    bool
        drained; /* no task was queued when the last pass ended: who has not been polled by now waits for no worker */
    struct vg_find find[VG_SWEEP_FINDS],
        last[VG_SWEEP_FINDS]; /* of this pass and of the one before */
};

/* Whether something is wrong with what the leaf waits for. Its task is owned. */
bool vg_sweep_leaf(const struct vg_future *leaf, struct vg_find *find);

struct vg_liveness;
struct vg_waitfor;

/* Looks at all that the task waits for. It is owned. */
void vg_sweep_task(struct vg_waitfor *graph, struct vg_task *task);

/* The pass is over: reports what the last one had seen as well. */
void vg_sweep_end(struct vg_liveness *live, uint64_t now);

#endif
