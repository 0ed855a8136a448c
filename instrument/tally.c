/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <errno.h>
#include <string.h>

#include "octaves.h"

enum { SPARE_LINES = 16 }; /* for sites all of whose waits are open */

static bool is_used(const struct vg_liveness *live, unsigned slot)
{
    for (unsigned i = 0; i < live->workers; i++) {
        char *space = (char *)vg_lane_of(live, i);

        const struct vg_slot_head *head = vg_slot_head(&live->sites, space, slot);

        if (vg_load(&head->count, relaxed) > 0 || vg_load(&head->cancelled, relaxed) > 0)
            return true;
    }
    return false;
}

static void add_line(struct vg_tally *tally, unsigned slot)
{
    struct vg_tally_line *line = &tally->line[tally->lines++];

    memset(line, 0, sizeof *line);
    line->slot = slot;
    tally->line_of[slot] = tally->lines;
}

struct vg_tally_line *vg_tally_line(struct vg_tally *tally, unsigned slot)
{
    const unsigned others = vg_sites_slots(&tally->live->sites) - 2;

    if (tally->line_of[slot] == 0 && tally->lines < tally->capacity)
        add_line(tally, slot);
    if (tally->line_of[slot] == 0)
        slot = others + slot % 2;
    return &tally->line[tally->line_of[slot] - 1];
}

/* One worker's share of a line. */
static void read_share(struct vg_tally *tally, struct vg_tally_line *line, unsigned worker)
{
    const struct vg_liveness *live = tally->live;
    struct vg_octaves *of_worker = tally->worker[worker].ended[line->slot % 2];
    struct vg_site_sum share;

    memset(&share, 0, sizeof share);
    vg_site_read(&live->sites, (char *)vg_lane_of(live, worker), line->slot, &share);
    vg_site_add(&line->waits, &share);
    for (unsigned part = 0; part < VG_PARTS; part++) {
        vg_octaves_add(&line->ended[part], &share.hist[part], share.sum[part]);
        vg_octaves_add(&of_worker[part], &share.hist[part], share.sum[part]);
    }
}

static void sum_up(struct vg_tally *tally, struct vg_tally_line *line)
{
    const struct vg_liveness *live = tally->live;

    for (unsigned i = 0; i < live->workers; i++) {
        char *space = (char *)vg_lane_of(live, i);

        if (vg_load(&vg_slot_head(&live->sites, space, line->slot)->count, relaxed) > 0 ||
            vg_load(&vg_slot_head(&live->sites, space, line->slot)->cancelled, relaxed) > 0)
            read_share(tally, line, i);
    }
}

static int allocate(struct vg_tally *tally, unsigned slots)
{
    const struct vg_alloc *alloc = &tally->live->alloc;
    const size_t lines = tally->capacity * sizeof *tally->line;
    const size_t workers = tally->live->workers * sizeof *tally->worker;

    tally->size = lines + workers + slots * sizeof *tally->line_of;
    tally->line = (struct vg_tally_line *)alloc->alloc(alloc->self, tally->size, 16);
    if (tally->line == NULL)
        return -ENOMEM;
    tally->worker = (struct vg_tally_worker *)(void *)((char *)tally->line + lines);
    tally->line_of = (uint32_t *)(void *)((char *)tally->worker + workers);
    memset(tally->worker, 0, tally->size - lines);
    return 0;
}

int vg_tally_begin(struct vg_tally *tally, struct vg_liveness *live, uint64_t now)
{
    const unsigned slots = live->workers > 0 ? vg_sites_slots(&live->sites) : 0;
    unsigned used = 0, slot;
    int rc;

    *tally = (struct vg_tally){.live = live, .now = now};
    for (slot = 0; slot < slots; slot++)
        used += is_used(live, slot);
    tally->capacity = used + SPARE_LINES;
    rc = allocate(tally, slots);
    if (rc < 0 || slots == 0)
        return rc;
    add_line(tally, slots - 2);
    add_line(tally, slots - 1);
    for (slot = 0; slot < slots - 2 && tally->lines < tally->capacity; slot++)
        if (is_used(live, slot))
            add_line(tally, slot);
    for (unsigned i = 0; i < tally->lines; i++)
        sum_up(tally, &tally->line[i]);
    return 0;
}

void vg_tally_end(struct vg_tally *tally)
{
    const struct vg_alloc *alloc = &tally->live->alloc;

    alloc->free(alloc->self, tally->line, tally->size, 16);
}
