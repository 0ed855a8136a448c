/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_DROPS_H
#define VIGIL_INSTRUMENT_DROPS_H

#include <vigil/liveness.h>

#include "vg_atomic.h"

/*
 * Children that are dropped because another one wins: the same one again and again, or one that takes something with it.
 *
 *   a timer        set 20 times before it expired, over more than twice its length, by one task at one place;
 *   a function     that had got somewhere, timed out 5 times in a row at one place, and never done;
 *   a function     that had received something and waited to hand it on, and did not by its end: the first time, the
 *                  tenth, the hundredth, and so on.
 *
 * A row counts drops in a row on one worker, and those of all workers are added up. Where one of the same kind has ended by itself meanwhile, on whichever
 * worker, the row begins anew: ended_at says when, for all kinds that share the slot, so it may spare a row too many but
 * never too few.
 */

enum { VG_DROP_ROWS = 64, VG_DROP_TIMERS = 20, VG_DROP_WORK = 5 };

/*
 * key     What and where; 0: unused. Like `count`, `posted` and `first` written by the worker, relaxed; others read them for a sum that may
 *         be behind.
 * count   In a row.
 * posted  It has been reported.
 */
struct vg_drop_row {
    VG_ATOMIC(uint64_t) key;
    VG_ATOMIC(uint32_t) count;
    VG_ATOMIC(uint32_t) posted;
    VG_ATOMIC(uint64_t) first;
    uint64_t last;
    uint64_t length; /* the longest that the timer would have gone on after the drop before */
};

/* Drops of one kind, by all workers. */
struct vg_drop_sum {
    uint32_t count;
    uint64_t first, last; /* on this worker */
    uint64_t length;
};

/* A function that is dropped while it waits to hand something on: what it does about that decides. */
struct vg_dropped_full {
    const struct vg_future *fut;
    struct vg_report_future waited;
};

/* ended_at   Written by the worker, relaxed; read by others, which only need a time. */
struct vg_drops {
    struct vg_drop_row row[VG_DROP_ROWS];
    struct vg_dropped_full full; /* the last one */
    VG_ATOMIC(uint64_t) ended_at[VG_DROP_ROWS];
};

#endif
