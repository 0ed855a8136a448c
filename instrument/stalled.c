/* SPDX-License-Identifier: MIT */
#include "stalled.h"

#include "live.h"
#include "walk.h"

void vg_stalled_note(struct vg_stalled *stalled, struct vg_task *task, const struct vg_future *fut,
                     uint64_t now)
{
    struct vg_task_info info;

    for (unsigned i = 0; i < VG_STALLED_TRIES; i++) {
        struct vg_stalled_slot *slot = &stalled->slot[stalled->next++ % VG_STALLED_SLOTS];

        if (vg_load(&slot->fut, acquire) != NULL)
            continue;
        vg_task_info(task, &info);
        slot->task = task;
        slot->id = info.id;
        slot->at = now;
        vg_store(&slot->told, 0, relaxed);
        vg_store(&slot->fut, fut, release);
        return;
    }
}

/* Whether the future is still there, cancelled and not done. Its task is owned. */
static bool is_there(struct vg_task *task, const struct vg_future *fut)
{
    return vg_walk_finds(task, fut) && vg_cancelled(fut) && !vg_done(fut);
}

static const struct vg_future *end_of_path(const struct vg_future *fut)
{
    struct vg_walk walk;
    struct vg_walk_item item;
    const struct vg_future *end = fut;

    vg_walk_begin_path(&walk, fut);
    while (vg_walk_next(&walk, &item))
        end = item.fut;
    return end;
}

/* False: it has ended. */
static bool look(struct vg_liveness *live, const struct vg_stalled_slot *slot,
                 const struct vg_future *fut, bool due, uint64_t now)
{
    struct vg_task_info info;
    bool there;

    vg_task_info(slot->task, &info);
    if (info.id != slot->id)
        return false;
    if (!vg_inspect_begin(slot->task))
        return true; /* it runs: the next look will do */
    vg_task_info(slot->task, &info);
    there = info.id == slot->id && is_there(slot->task, fut);
    if (there && due)
        vg_evidence_stalled(&live->found, slot->task, fut, end_of_path(fut), slot->at, now);
    vg_inspect_end(slot->task);
    if (there && due)
        vg_report_evidence(live, &live->found, now);
    return there;
}

static void scan(struct vg_liveness *live, struct vg_stalled_slot *slot, uint64_t now)
{
    const struct vg_future *fut = vg_load(&slot->fut, acquire);
    bool due;

    if (fut == NULL)
        return;
    due = vg_load(&slot->told, relaxed) == 0 &&
          vg_stalls_ran(&live->stalls, slot->at, now) >= VG_STALLED_NS;
    if (!look(live, slot, fut, due, now))
        vg_store(&slot->fut, NULL, release);
    else if (due && live->found.starved == fut)
        vg_store(&slot->told, 1, relaxed);
}

void vg_stalled_scan(struct vg_liveness *live, uint64_t now)
{
    for (unsigned i = 0; i < live->workers; i++)
        for (unsigned k = 0; k < VG_STALLED_SLOTS; k++)
            scan(live, &vg_lane_of(live, i)->stalled.slot[k], now);
}

bool vg_stalled_pending(const struct vg_liveness *live)
{
    for (unsigned i = 0; i < live->workers; i++)
        for (unsigned k = 0; k < VG_STALLED_SLOTS; k++) {
            const struct vg_stalled_slot *slot = &vg_lane_of(live, i)->stalled.slot[k];

            if (vg_load(&slot->fut, relaxed) != NULL && vg_load(&slot->told, relaxed) == 0)
                return true;
        }
    return false;
}
