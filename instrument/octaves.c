/* SPDX-License-Identifier: MIT */
#include "octaves.h"

_Static_assert(VG_HIST_BUCKETS / 8 + 3 == VG_OCTAVES, "the last bucket is in the last octave");

static unsigned octave_of(unsigned bucket)
{
    if (bucket >= 8)
        return bucket / 8 + 3;
    return bucket == 0 ? 0 : 32 - (unsigned)__builtin_clz(bucket);
}

void vg_octaves_add(struct vg_octaves *octaves, const struct vg_hist *hist, uint64_t sum)
{
    for (unsigned i = 0; i < VG_HIST_BUCKETS; i++)
        octaves->octave[octave_of(i)] += hist->bucket[i];
    octaves->count += hist->count;
    octaves->sum += sum;
}

uint64_t vg_octaves_below(const struct vg_octaves *octaves, unsigned exponent)
{
    uint64_t n = 0;

    for (unsigned i = 0; i <= exponent; i++)
        n += octaves->octave[i];
    return n;
}

void vg_octaves_merge(struct vg_octaves *to, const struct vg_octaves *from)
{
    to->count += from->count;
    to->sum += from->sum;
    for (unsigned i = 0; i < VG_OCTAVES; i++)
        to->octave[i] += from->octave[i];
}
