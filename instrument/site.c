/* SPDX-License-Identifier: MIT */
#include "site.h"

static size_t align_up(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

size_t vg_sites_layout(struct vg_sites *sites, const struct vg_site *begin,
                       const struct vg_site *end, size_t offset)
{
    const size_t count = (size_t)(end - begin);
    size_t slots;

    _Static_assert(sizeof(struct vg_slot_head) == 64, "one cache line");
    sites->begin = begin;
    sites->count = count < VG_SITES_MAX ? (unsigned)count : VG_SITES_MAX;
    slots = vg_sites_slots(sites);
    sites->heads_at = align_up(offset, 64);
    sites->counts_at = align_up(sites->heads_at + slots * sizeof(struct vg_slot_head), 4096);
    return align_up(sites->counts_at + slots * sizeof(struct vg_slot_counts), 4096);
}

static inline void record(struct vg_slot_head *head, struct vg_slot_counts *counts,
                          enum vg_segment segment, uint64_t ns)
{
    vg_store(&head->segment[segment].sum, vg_load(&head->segment[segment].sum, relaxed) + ns,
             relaxed);
    if (VG_UNLIKELY(ns > vg_load(&head->segment[segment].max, relaxed)))
        vg_store(&head->segment[segment].max, ns, relaxed);
    vg_hist_record(&counts->segment[segment], ns);
}

void vg_site_record(const struct vg_sites *sites, char *space, const struct vg_visit *visit)
{
    const unsigned slot = vg_sites_slot(sites, visit->site, visit->node);
    struct vg_slot_head *head = vg_slot_head(sites, space, slot);
    struct vg_slot_counts *counts = vg_slot_counts(sites, space, slot);

    vg_store(&head->count, vg_load(&head->count, relaxed) + 1, relaxed);
    record(head, counts, VG_SEG_RUNTIME, visit->runtime_ns);
    record(head, counts, VG_SEG_PARENT, visit->parent_ns);
    record(head, counts, VG_SEG_TOTAL, visit->runtime_ns + visit->parent_ns);
}
