/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_VG_HIST_H
#define VIGIL_CORE_VG_HIST_H

#include <vigil/base.h>

#include "vg_atomic.h"

/*
 * Log-linear histograms of durations: eight buckets to the octave, in units of 2^-30 s, so that the
 * bounds are whole powers of two of a second and can be exported exactly.
 *
 * Buckets 0 to 7 hold 0 to 7 units; from there on bucket 8 (e - 2) + s holds [(8 + s) 2^(e-3),
 * (9 + s) 2^(e-3)) units, where 2^e is the octave. The last one ends at 2^38 units, 256 s, and takes
 * everything beyond as well.
 *
 * Error  A quantile is the middle of its bucket, cut off at the maximum: it differs from the recorded
 *        value of that rank by at most 1/16 of it, plus one unit for the rounding to units. Beyond 256 s
 *        only the maximum is exact.
 * Threads  A vg_counts has one writer and any number of readers, without any order among them: the
 *        counts are independent numbers.
 */

enum { VG_HIST_BUCKETS = 288 };

/* What a worker writes. */
struct vg_hist_counts {
    VG_ATOMIC(uint64_t) bucket[VG_HIST_BUCKETS];
};

static inline uint64_t vg_hist_units(uint64_t ns)
{
    __extension__ typedef unsigned __int128 wide;
    const uint64_t longest = UINT64_C(1) << 38;

    if (VG_UNLIKELY(ns >= longest))
        return longest;
    return (uint64_t)((wide)ns * UINT64_C(1180591620718) >> 40); /* 2^30 / 10^9 is that over 2^40 */
}

static inline unsigned vg_hist_index(uint64_t ns)
{
    const uint64_t units = vg_hist_units(ns);
    unsigned octave, index;

    if (units < 8)
        return (unsigned)units;
    octave = 63 - (unsigned)__builtin_clzll(units);
    index = 8 * (octave - 2) + (unsigned)((units >> (octave - 3)) & 7);
    return index < VG_HIST_BUCKETS ? index : VG_HIST_BUCKETS - 1;
}

/* By the one writer. */
static inline void vg_hist_record(struct vg_hist_counts *counts, uint64_t ns)
{
    VG_ATOMIC(uint64_t) *bucket = &counts->bucket[vg_hist_index(ns)];

    vg_store(bucket, vg_load(bucket, relaxed) + 1, relaxed);
}

#endif
