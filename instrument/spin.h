/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_SPIN_H
#define VIGIL_INSTRUMENT_SPIN_H

#include <vigil/probe.h>

/*
 * Tasks that are busy for nothing. Core counts visits in a row that came to nothing: no future ended, none said that it
 * had got on, and the wake was the task's own, or that of a task which was no better. A spin is a row of a
 * thousand of those, if they are tiny. Whoever wakes itself between slices of real work and forgets to say so
 * takes longer for each, and is left in peace.
 *
 * A worker keeps the rows it has seen lately, and posts each once.
 */

enum {
    VG_SPIN_VISITS = 1000,
    VG_SPIN_LONGEST = 20000, /* nanoseconds a visit, on average */
    VG_SPIN_SAMPLE = 32,     /* visits that an average is made of, at least */
    VG_SPIN_ROWS = 16,
    VG_SPIN_PAUSE = 1000000, /* nanoseconds between two posts of a worker */
};

struct vg_row {
    uint64_t task;
    uint64_t began, seen; /* its first and its last poll, as far as this worker ran it */
    uint64_t busy;        /* time in those polls */
    uint64_t polls, spun; /* and visits in them */
    uint32_t visits;      /* of the task, wherever it ran, as of the last poll */
    bool posted;
};

struct vg_spins {
    uint64_t posted_at;
    struct vg_row row[VG_SPIN_ROWS];
};

/* Enters a poll. The row, if it is time to post it; NULL if not. */
struct vg_row *vg_spins_note(struct vg_spins *spins, uint64_t task,
                             const struct vg_fruitless *fruitless);

/* It has been posted. */
void vg_spins_posted(struct vg_spins *spins, struct vg_row *row);

#endif
