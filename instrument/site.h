/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_SITE_H
#define VIGIL_INSTRUMENT_SITE_H

#include <vigil/probe.h>

#include "histogram.h"

/*
 * Latencies by await site. Each worker has an array of slots, two for each site of the program (woken on
 * the task's await path, woken beside it) and two more for everything else.
 *
 *     slot heads, 64 bytes each | distributions, four for each slot
 *
 * Both arrays lie in reserved address space and are touched only where a site is used.
 *
 * Nearly every wake is answered in the very first step of its task's poll, so that all of the wait is the
 * executor's. Those are recorded once, apart from the others, and the reader adds them to all three
 * segments.
 */

enum vg_segment { VG_SEG_RUNTIME, VG_SEG_PARENT, VG_SEG_TOTAL, VG_SEGMENTS };

enum { VG_SITES_MAX = 8192 }; /* further ones count as "everything else" */

struct vg_slot_head {
    VG_ATOMIC(uint64_t) count;
    VG_ATOMIC(uint64_t) runtime_sum, parent_sum;
    VG_ATOMIC(uint64_t) prompt_max;       /* of the waits without a parents' share */
    VG_ATOMIC(uint64_t) max[VG_SEGMENTS]; /* of the others */
    VG_ATOMIC(uint64_t) cancelled;        /* futures that waited there, when another one had won */
};

struct vg_slot_counts {
    struct vg_hist_counts prompt;
    struct vg_hist_counts segment[VG_SEGMENTS];
};

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

static inline unsigned vg_sites_slot(const struct vg_sites *sites, const struct vg_site *site,
                                     enum vg_node node)
{
    const size_t index = ((uintptr_t)site - (uintptr_t)sites->begin) / sizeof *site;
    const unsigned known = index < sites->count ? (unsigned)index : sites->count;

    return 2 * known + (node == VG_NODE_CHILD);
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

/* By the worker that owns the space. */
void vg_site_record(const struct vg_sites *sites, char *space, const struct vg_visit *visit);

/* Likewise: what waited there was cancelled. */
void vg_site_cancelled(const struct vg_sites *sites, char *space, const struct vg_site *site);

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
