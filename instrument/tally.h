/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_TALLY_H
#define VIGIL_INSTRUMENT_TALLY_H

#include "live.h"

/*
 * The making of a snapshot: one line for each slot that has been used, summed over the workers, with the
 * waits that are still open added to it.
 */

struct vg_tally_line {
    unsigned slot;
    uint64_t open;
    struct vg_site_sum waits; /* count: of those that have ended */
    struct vg_octaves ended[VG_PARTS];
};

/* What one worker recorded, whatever the site. */
struct vg_tally_worker {
    struct vg_octaves ended[VG_NODES][VG_PARTS];
};

struct vg_tally {
    struct vg_liveness *live;
    uint64_t now;
    struct vg_snapshot_open open;
    unsigned lines, capacity;
    struct vg_tally_line *line;
    struct vg_tally_worker *worker;
    uint64_t running, queued, idle; /* tasks */
    size_t size;
    uint32_t *line_of; /* by slot: index + 1; 0: none */
};

/* -ENOMEM. */
int vg_tally_begin(struct vg_tally *tally, struct vg_liveness *live, uint64_t now);
void vg_tally_end(struct vg_tally *tally);

/* Counts the tasks, and adds what is woken and not yet polled. */
void vg_tally_open_waits(struct vg_tally *tally);

/* The line of a slot, or of everything else if there is no room for another. */
struct vg_tally_line *vg_tally_line(struct vg_tally *tally, unsigned slot);

#endif
