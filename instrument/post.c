/* SPDX-License-Identifier: MIT */
#include "live.h"

struct vg_evidence *vg_post_begin(struct vg_lane *lane)
{
    const uint32_t posted = vg_load(&lane->posted, relaxed);

    /* Acquire: pairs with the release in vg_post_taken(), so the slot has been read. */
    if (posted - vg_load(&lane->taken, acquire) == VG_POST_SLOTS) {
        vg_lane_count(&lane->lost);
        return NULL;
    }
    return &lane->post[posted % VG_POST_SLOTS];
}

void vg_post_end(struct vg_liveness *live, struct vg_lane *lane)
{
    /* Release: pairs with the acquire in vg_post_next(). */
    vg_store(&lane->posted, vg_load(&lane->posted, relaxed) + 1, release);
    vg_watchdog_kick(&live->watchdog);
}

static bool is_recent(const struct vg_recent *recent, uint64_t task, const struct vg_lockup *lockup,
                      uint64_t now)
{
    return recent->task == task && recent->starved == lockup->starved &&
           recent->blocked == lockup->blocked && now < recent->at + VG_SEC(1);
}

bool vg_post_is_recent(struct vg_lane *lane, uint64_t task, const struct vg_lockup *lockup,
                       uint64_t now)
{
    for (unsigned i = 0; i < VG_RECENT_SLOTS; i++)
        if (is_recent(&lane->recent[i], task, lockup, now))
            return true;
    lane->recent[lane->recents++ % VG_RECENT_SLOTS] = (struct vg_recent){
        .task = task,
        .at = now,
        .starved = lockup->starved,
        .blocked = lockup->blocked,
    };
    return false;
}

const struct vg_evidence *vg_post_next(struct vg_lane *lane)
{
    const uint32_t taken = vg_load(&lane->taken, relaxed);

    /* Acquire: pairs with the release in vg_post_end(), so the evidence is complete. */
    if (vg_load(&lane->posted, acquire) == taken)
        return NULL;
    return &lane->post[taken % VG_POST_SLOTS];
}

void vg_post_taken(struct vg_lane *lane)
{
    /* Release: pairs with the acquire in vg_post_begin(). */
    vg_store(&lane->taken, vg_load(&lane->taken, relaxed) + 1, release);
}

bool vg_post_pending(const struct vg_liveness *live)
{
    for (unsigned i = 0; i < live->workers; i++) {
        struct vg_lane *lane = vg_lane_of(live, i);

        if (vg_load(&lane->posted, relaxed) != vg_load(&lane->taken, relaxed))
            return true;
    }
    return false;
}
