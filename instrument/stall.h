/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_STALL_H
#define VIGIL_INSTRUMENT_STALL_H

#include <vigil/base.h>

/*
 * Times at which the process stood still: it was stopped, or its processor time had run out. Nobody is to
 * blame for not having polled then. There are two gauges. The watchdog keeps its own appointments: when it
 * comes much too late, so does everybody else. And a timer that is long overdue shows that the worker it
 * belongs to has not run.
 *
 * The scan adds and reads; a worker asks only for the end of the last one.
 */

enum { VG_STALLS = 16 };

struct vg_stall {
    uint64_t from, to;
};

struct vg_stalls {
    unsigned count;
    struct vg_stall stall[VG_STALLS];
    uint64_t late_from;           /* since when a timer has been overdue; 0: none is */
    VG_ATOMIC(uint64_t) last_end; /* relaxed: a hint */
};

void vg_stalls_add(struct vg_stalls *stalls, const struct vg_stall *stall);

/* At each scan: the earliest deadline of any timer. True: the workers are late, so judge nobody now. A
 * worker that is late for more than a second is stuck, and no excuse for the others. */
bool vg_stalls_note_deadline(struct vg_stalls *stalls, uint64_t deadline, uint64_t now);

/* How long the process ran between the two times, as far as is known. */
uint64_t vg_stalls_ran(const struct vg_stalls *stalls, uint64_t since, uint64_t now);

uint64_t vg_stalls_last_end(const struct vg_stalls *stalls);

#endif
