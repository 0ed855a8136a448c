/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_HISTOGRAM_H
#define VIGIL_INSTRUMENT_HISTOGRAM_H

#include <vigil/base.h>

#include "vg_hist.h"

/* Histograms (vg_hist.h) for those who read them. */

/* What a reader gathers from several of those. */
struct vg_hist {
    uint64_t count, max;
    uint64_t bucket[VG_HIST_BUCKETS];
};

/* The middle of a bucket, in nanoseconds. */
uint64_t vg_hist_middle(unsigned index);

/* Adds what was counted; max is the largest duration among it. */
void vg_hist_merge(struct vg_hist *hist, const struct vg_hist_counts *counts, uint64_t max);

/* Adds one duration. */
void vg_hist_add(struct vg_hist *hist, uint64_t ns);

/* The smallest duration that `permille` thousandths of all do not exceed; 0 if there are none. */
uint64_t vg_hist_quantile(const struct vg_hist *hist, unsigned permille);

#endif
