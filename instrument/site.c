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

struct vg_waits vg_sites_waits(const struct vg_sites *sites, char *space,
                               const VG_ATOMIC(uint64_t) *longest)
{
    return (struct vg_waits){
        .begin = sites->begin,
        .count = sites->count,
        .heads = vg_slot_head(sites, space, 0),
        .counts = vg_slot_counts(sites, space, 0),
        .longest = longest,
    };
}

static void record_split(struct vg_slot_head *head, struct vg_slot_counts *counts,
                         const struct vg_visit *visit)
{
    const uint64_t length[VG_SEGMENTS] = {
        [VG_SEG_RUNTIME] = visit->runtime_ns,
        [VG_SEG_PARENT] = visit->parent_ns,
        [VG_SEG_TOTAL] = visit->runtime_ns + visit->parent_ns,
    };

    vg_waits_add(&head->count, 1);
    vg_waits_add(&head->runtime_sum, visit->runtime_ns);
    vg_waits_add(&head->parent_sum, visit->parent_ns);
    for (unsigned i = 0; i < VG_SEGMENTS; i++) {
        vg_waits_raise(&head->max[i], length[i]);
        vg_hist_record(&counts->segment[i], length[i]);
    }
}

void vg_site_record(const struct vg_waits *waits, const struct vg_visit *visit)
{
    const size_t slot = vg_slot_of(waits->begin, waits->count, visit->site, visit->node);

    if (visit->parent_ns != 0)
        record_split(&waits->heads[slot], &waits->counts[slot], visit);
    else
        vg_waits_prompt(waits, visit->site, visit->node, visit->runtime_ns);
}

void vg_site_cancelled(const struct vg_waits *waits, const struct vg_site *site)
{
    const size_t slot = vg_slot_of(waits->begin, waits->count, site, VG_NODE_CHILD);

    vg_waits_add(&waits->heads[slot].cancelled, 1);
}

void vg_site_read(const struct vg_sites *sites, char *space, unsigned slot,
                  struct vg_site_sum *into)
{
    struct vg_slot_head *head = vg_slot_head(sites, space, slot);
    struct vg_slot_counts *counts = vg_slot_counts(sites, space, slot);
    const uint64_t prompt_max = vg_load(&head->prompt_max, relaxed);
    const uint64_t runtime = vg_load(&head->runtime_sum, relaxed);
    const uint64_t parent = vg_load(&head->parent_sum, relaxed);
    struct vg_hist prompt = {.count = 0};

    into->count += vg_load(&head->count, relaxed);
    into->cancelled += vg_load(&head->cancelled, relaxed);
    into->sum[VG_SEG_RUNTIME] += runtime;
    into->sum[VG_SEG_PARENT] += parent;
    into->sum[VG_SEG_TOTAL] += runtime + parent;
    for (unsigned i = 0; i < VG_SEGMENTS; i++)
        vg_hist_merge(&into->hist[i], &counts->segment[i], vg_load(&head->max[i], relaxed));
    vg_hist_merge(&prompt, &counts->prompt, prompt_max);
    vg_hist_merge(&into->hist[VG_SEG_RUNTIME], &counts->prompt, prompt_max);
    vg_hist_merge(&into->hist[VG_SEG_TOTAL], &counts->prompt, prompt_max);
    into->hist[VG_SEG_PARENT].bucket[0] += prompt.count;
    into->hist[VG_SEG_PARENT].count += prompt.count;
}

static void add_hist(struct vg_hist *to, const struct vg_hist *from)
{
    to->count += from->count;
    to->max = from->max > to->max ? from->max : to->max;
    for (unsigned i = 0; i < VG_HIST_BUCKETS; i++)
        to->bucket[i] += from->bucket[i];
}

void vg_site_add(struct vg_site_sum *to, const struct vg_site_sum *from)
{
    to->count += from->count;
    to->cancelled += from->cancelled;
    for (unsigned i = 0; i < VG_SEGMENTS; i++) {
        to->sum[i] += from->sum[i];
        add_hist(&to->hist[i], &from->hist[i]);
    }
}
