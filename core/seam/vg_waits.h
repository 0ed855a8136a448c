/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_VG_WAITS_H
#define VIGIL_CORE_VG_WAITS_H

#include <vigil/probe.h>

#include "vg_hist.h"

/*
 * Latencies by await site, as one worker counts them: two slots for each site of the program (woken on the task's await
 * path, woken beside it) and two more for everything else.
 *
 * Nearly every wake is answered in the very first step of its task's poll, so that all of the wait is the executor's.
 * Those are recorded once, apart from the others, by core itself, with some thirty instructions and no call; a reader adds
 * them to all three segments.
 *
 * Threads  One writer, the worker, and any number of readers, relaxed: the counts are independent numbers.
 */

enum vg_segment { VG_SEG_RUNTIME, VG_SEG_PARENT, VG_SEG_TOTAL, VG_SEGMENTS };

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

/* The slot of a site, or of everything else, among those of `count` sites. */
static inline size_t vg_slot_of(const struct vg_site *begin, size_t count,
                                const struct vg_site *site, enum vg_node node)
{
    const size_t index = ((uintptr_t)site - (uintptr_t)begin) / sizeof *site;

    return 2 * (index < count ? index : count) + (node == VG_NODE_CHILD);
}

/*
 * A worker's table, which the probe provides (vg_probe.waits).
 *
 * longest  Prompt waits below are recorded here; all others are told by vg_probe.visited. 0: all are. Written by the
 *          probe, relaxed, at any time.
 */
struct vg_waits {
    const struct vg_site *begin;
    size_t count; /* of sites; the slots of everything else come after those */
    struct vg_slot_head *heads;
    struct vg_slot_counts *counts;
    const VG_ATOMIC(uint64_t) *longest;
};

static inline void vg_waits_add(VG_ATOMIC(uint64_t) *word, uint64_t n)
{
    vg_store(word, vg_load(word, relaxed) + n, relaxed);
}

static inline void vg_waits_raise(VG_ATOMIC(uint64_t) *word, uint64_t n)
{
    if (VG_UNLIKELY(n > vg_load(word, relaxed)))
        vg_store(word, n, relaxed);
}

/* A wait without a parents' share. */
static inline void vg_waits_prompt(const struct vg_waits *waits, const struct vg_site *site,
                                   enum vg_node node, uint64_t ns)
{
    const size_t slot = vg_slot_of(waits->begin, waits->count, site, node);
    struct vg_slot_head *const head = &waits->heads[slot];
    struct vg_hist_counts *const prompt = &waits->counts[slot].prompt;

    vg_waits_add(&head->count, 1);
    if (ns == 0) {
        vg_waits_add(&prompt->bucket[0], 1); /* too short for the clock */
        return;
    }
    vg_waits_add(&head->runtime_sum, ns);
    vg_waits_raise(&head->prompt_max, ns);
    vg_hist_record(prompt, ns);
}

#endif
