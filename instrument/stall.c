/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include "vg_atomic.h"

void vg_stalls_add(struct vg_stalls *stalls, const struct vg_stall *stall)
{
    stalls->stall[stalls->count++ % VG_STALLS] = *stall;
    vg_store(&stalls->last_end, stall->to, relaxed);
}

bool vg_stalls_note_deadline(struct vg_stalls *stalls, uint64_t deadline, uint64_t now)
{
    const uint64_t tolerated = VG_MSEC(50), excused = VG_SEC(1);

    if (now < tolerated || deadline > now - tolerated) {
        if (stalls->late_from != 0)
            vg_stalls_add(stalls, &(struct vg_stall){stalls->late_from, now});
        stalls->late_from = 0;
        return false;
    }
    if (stalls->late_from == 0)
        stalls->late_from = deadline;
    return now - stalls->late_from < excused;
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
