/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_OCTAVES_H
#define VIGIL_INSTRUMENT_OCTAVES_H

#include <vigil/liveness.h>

#include "histogram.h"

/* Adds what the histogram holds, whose durations sum up to `sum`. Exact: its buckets divide octaves. */
void vg_octaves_add(struct vg_octaves *octaves, const struct vg_hist *hist, uint64_t sum);

/* How many are shorter than 2^(exponent - 30) s; exponent at most VG_OCTAVES - 2. */
uint64_t vg_octaves_below(const struct vg_octaves *octaves, unsigned exponent);

/* Adds all of one to the other. */
void vg_octaves_merge(struct vg_octaves *to, const struct vg_octaves *from);

#endif
