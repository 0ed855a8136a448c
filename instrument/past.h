/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_PAST_H
#define VIGIL_INSTRUMENT_PAST_H

#include <vigil/liveness.h>

#include "vg_atomic.h"

/*
 * The last reports, for those who come later. The scan writes, anybody copies.
 *
 * guard   Over one entry at a time, for the copy of it: a few hundred nanoseconds.
 * made    Reports so far; report n is in entry n % VG_PAST_MAX until another takes its place.
 */

enum { VG_PAST_MAX = 16, VG_PAST_TEXT = 3072 };

struct vg_past_report {
    uint64_t number; /* from 1; 0: none yet */
    struct vg_report report;
    char text[VG_PAST_TEXT]; /* of the report, cut off */
};

struct vg_past {
    struct vg_spin guard;
    uint64_t made; /* the scan's */
    struct vg_past_report entry[VG_PAST_MAX];
};

/* By the scan. */
void vg_past_add(struct vg_past *past, const struct vg_report *report);

/* Copies entry i; false if it is empty. */
bool vg_past_copy(struct vg_past *past, unsigned i, struct vg_past_report *out);

#endif
