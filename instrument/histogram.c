/* SPDX-License-Identifier: MIT */
#include "histogram.h"

static uint64_t units_to_ns(uint64_t units)
{
    /* 10^9 / 2^30, without overflow up to 2^38 units. */
    return (units >> 20) * 976562 + ((units >> 20) >> 1) +
           (((units & 0xfffff) * 1000000000u) >> 30);
}

uint64_t vg_hist_middle(unsigned index)
{
    unsigned shift;
    uint64_t low;

    if (index < 8)
        return units_to_ns(index);
    shift = index / 8 - 1;
    low = (uint64_t)(8 + index % 8) << shift;
    return units_to_ns(low + ((UINT64_C(1) << shift) >> 1));
}

void vg_hist_merge(struct vg_hist *hist, const struct vg_hist_counts *counts, uint64_t max)
{
    for (unsigned i = 0; i < VG_HIST_BUCKETS; i++) {
        uint64_t n = vg_load(&counts->bucket[i], relaxed);

        hist->bucket[i] += n;
        hist->count += n;
    }
    if (max > hist->max)
        hist->max = max;
}

void vg_hist_add(struct vg_hist *hist, uint64_t ns)
{
    hist->bucket[vg_hist_index(ns)]++;
    hist->count++;
    if (ns > hist->max)
        hist->max = ns;
}

/* Rank of the quantile, from 1: the count times permille / 1000, rounded up. */
static uint64_t rank_of(uint64_t count, unsigned permille)
{
    uint64_t rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;

    return rank > 0 ? rank : 1;
}

uint64_t vg_hist_quantile(const struct vg_hist *hist, unsigned permille)
{
    const uint64_t rank = rank_of(hist->count, permille);
    uint64_t seen = 0;

    if (hist->count == 0)
        return 0;
    for (unsigned i = 0; i < VG_HIST_BUCKETS - 1; i++) {
        uint64_t middle = vg_hist_middle(i);

        seen += hist->bucket[i];
        if (seen >= rank)
            return middle < hist->max ? middle : hist->max;
    }
    return hist->max; /* the last bucket has no upper bound */
}
