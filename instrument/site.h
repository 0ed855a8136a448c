/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_SITE_H
#define VIGIL_INSTRUMENT_SITE_H

#include <vigil/probe.h>

#include "histogram.h"
#include "vg_waits.h"

/*
 * Latencies by await site (vg_waits.h), of all workers: where their tables lie, and how they are read.
 *
 *     slot heads, 64 bytes each | distributions, four for each slot
 *
 * Both arrays lie in reserved address space, behind each worker's lane, and are touched only where a site is used.
 */

enum { VG_SITES_MAX = 8192 }; /* further ones count as "everything else" */

struct vg_sites {
    const struct vg_site *begin;
    unsigned count;             /* of sites; slots are 2 (count + 1) */
    size_t heads_at, counts_at; /* offsets in a worker's space */
};

/* Lays the arrays out behind `offset` bytes and returns where they end. */
size_t vg_sites_layout(struct vg_sites *sites, const struct vg_site *begin,
                       const struct vg_site *end, size_t offset);

static inline unsigned vg_sites_slots(const struct vg_sites *sites)
{
    return 2 * (sites->count + 1);
}

/* NULL for the slots of everything else. */
static inline const struct vg_site *vg_sites_at(const struct vg_sites *sites, unsigned slot)
{
    return slot / 2 < sites->count ? sites->begin + slot / 2 : NULL;
}

static inline struct vg_slot_head *vg_slot_head(const struct vg_sites *sites, char *space,
                                                unsigned slot)
{
    return (struct vg_slot_head *)(void *)(space + sites->heads_at) + slot;
}

static inline struct vg_slot_counts *vg_slot_counts(const struct vg_sites *sites, char *space,
                                                    unsigned slot)
{
    return (struct vg_slot_counts *)(void *)(space + sites->counts_at) + slot;
}

/* The table of the worker whose space that is. */
struct vg_waits vg_sites_waits(const struct vg_sites *sites, char *space,
                               const VG_ATOMIC(uint64_t) *longest);

/* By that worker. */
void vg_site_record(const struct vg_waits *waits, const struct vg_visit *visit);

/* Likewise: what waited there was cancelled. */
void vg_site_cancelled(const struct vg_waits *waits, const struct vg_site *site);

/* What has been recorded in a slot, added to these. */
struct vg_site_sum {
    uint64_t count, cancelled;
    uint64_t sum[VG_SEGMENTS];
    struct vg_hist hist[VG_SEGMENTS];
};

/* Adds one to the other. */
void vg_site_add(struct vg_site_sum *to, const struct vg_site_sum *from);

void vg_site_read(const struct vg_sites *sites, char *space, unsigned slot,
                  struct vg_site_sum *into);

#endif
