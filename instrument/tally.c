/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <errno.h>
#include <string.h>

enum { SPARE_LINES = 16 }; /* for sites all of whose waits are open */

static bool is_used(const struct vg_liveness *live, unsigned slot)
{
    for (unsigned i = 0; i < live->workers; i++) {
        char *space = (char *)vg_lane_of(live, i);

        if (vg_load(&vg_slot_head(&live->sites, space, slot)->count, relaxed) > 0)
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

static void sum_up(struct vg_tally_line *line, const struct vg_liveness *live)
{
    for (unsigned i = 0; i < live->workers; i++) {
        char *space = (char *)vg_lane_of(live, i);

        if (vg_load(&vg_slot_head(&live->sites, space, line->slot)->count, relaxed) > 0)
            vg_site_read(&live->sites, space, line->slot, &line->waits);
    }
}

int vg_tally_begin(struct vg_tally *tally, struct vg_liveness *live, uint64_t now)
{
    const unsigned slots = live->workers > 0 ? vg_sites_slots(&live->sites) : 0;
    unsigned used = 0, slot;

    *tally = (struct vg_tally){.live = live, .now = now};
    for (slot = 0; slot < slots; slot++)
        used += is_used(live, slot);
    tally->capacity = used + SPARE_LINES;
    tally->size = tally->capacity * sizeof *tally->line + slots * sizeof *tally->line_of;
    tally->line = (struct vg_tally_line *)live->alloc.alloc(live->alloc.self, tally->size, 16);
    if (tally->line == NULL)
        return -ENOMEM;
    tally->line_of = (uint32_t *)(void *)(tally->line + tally->capacity);
    memset(tally->line_of, 0, slots * sizeof *tally->line_of);
    if (slots == 0)
        return 0;
    add_line(tally, slots - 2);
    add_line(tally, slots - 1);
    for (slot = 0; slot < slots - 2 && tally->lines < tally->capacity; slot++)
        if (is_used(live, slot))
            add_line(tally, slot);
    for (unsigned i = 0; i < tally->lines; i++)
        sum_up(&tally->line[i], live);
    return 0;
}

void vg_tally_end(struct vg_tally *tally)
{
    const struct vg_alloc *alloc = &tally->live->alloc;

    alloc->free(alloc->self, tally->line, tally->size, 16);
}
