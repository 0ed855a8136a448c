/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_ALONE_H
#define VIGIL_INSTRUMENT_ALONE_H

#include <vigil/liveness.h>

/*
 * A task that keeps its worker busy all by itself while others sleep: what it has to do lies in children, which cannot run
 * elsewhere. Seen from look to look, which come about every 10 ms: for half a second all looks but one in twenty have found it in
 * a poll, some worker asleep, and most of its polls were cut short with woken children left over.
 *
 * A poll that does not end is found by blocked.h; a task that computes in slices of its own leaves no children over.
 */

#define VG_ALONE_NS VG_MSEC(500)

struct vg_alone {
    uint64_t task;
    uint64_t since;
    uint64_t polls, cuts; /* the worker's counts then */
    unsigned looks, found;
    bool told;
    struct vg_report report; /* if told */
};

struct vg_liveness;

/* In the scan: looks at all workers. */
void vg_alone_scan(struct vg_liveness *live, uint64_t now);

#endif
