/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include "vg_atomic.h"

void vg_stalls_add(struct vg_stalls *stalls, const struct vg_stall *stall)
{
    stalls->stall[stalls->count++ % VG_STALLS] = *stall;
    vg_store(&stalls->last_end, stall->to, relaxed);
}

uint64_t vg_stalls_ran(const struct vg_stalls *stalls, uint64_t since, uint64_t now)
{
    const unsigned count = stalls->count < VG_STALLS ? stalls->count : VG_STALLS;
    uint64_t ran = now > since ? now - since : 0;

    for (unsigned i = 0; i < count; i++) {
        const uint64_t from = stalls->stall[i].from > since ? stalls->stall[i].from : since;
        const uint64_t to = stalls->stall[i].to < now ? stalls->stall[i].to : now;

        if (to > from)
            ran -= to - from < ran ? to - from : ran;
    }
    return ran;
}

uint64_t vg_stalls_last_end(const struct vg_stalls *stalls)
{
    return vg_load(&stalls->last_end, relaxed);
}
