/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <string.h>

#include "live.h"
#include "walk.h"

static bool is_lost(const struct vg_resource_state *state, const struct vg_future *leaf)
{
    return state->next == leaf && state->wanted <= state->free;
}

static bool is_short(const struct vg_resource_state *state)
{
    return state->total > 0 && state->free + state->held + state->granted < state->total;
}

bool vg_sweep_leaf(const struct vg_future *leaf, struct vg_find *find)
{
    struct vg_wait wait;

    if (!leaf->ops->is_held || !leaf->ops->waits(leaf, &wait) || wait.state != VG_WAIT_QUEUED)
        return false;
    if (wait.resource->ops->state == NULL ||
        !wait.resource->ops->state(wait.resource, &find->state))
        return false;
    find->leaf = leaf;
    find->resource = wait.resource;
    find->verdict = VG_VERDICT_LOST_WAKEUP;
    if (is_lost(&find->state, leaf))
        return true;
    find->verdict = VG_VERDICT_CANCEL_LOSS;
    return is_short(&find->state);
}

static bool is_there(const struct vg_sweep *sweep, const struct vg_find *find)
{
    for (unsigned i = 0; i < sweep->finds; i++)
        if (sweep->find[i].resource == find->resource)
            return true;
    return false;
}

void vg_sweep_task(struct vg_sweep *sweep, struct vg_task *task)
{
    struct vg_find find = {.task = task};
    struct vg_task_info info;
    struct vg_walk walk;
    struct vg_walk_item item;

    vg_task_info(task, &info);
    find.id = info.id;
    vg_walk_begin(&walk, vg_task_root(task));
    while (sweep->finds < VG_SWEEP_FINDS && vg_walk_next(&walk, &item))
        if (vg_walk_is_leaf(item.fut) && vg_sweep_leaf(item.fut, &find) && !is_there(sweep, &find))
            sweep->find[sweep->finds++] = find;
}

static const struct vg_find *seen_before(const struct vg_sweep *sweep, const struct vg_find *find)
{
    for (unsigned i = 0; i < sweep->before; i++) {
        const struct vg_find *last = &sweep->last[i];

        if (last->id == find->id && last->leaf == find->leaf && last->verdict == find->verdict &&
            memcmp(&last->state, &find->state, sizeof last->state) == 0)
            return last;
    }
    return NULL;
}

/* Reads it a third time, with its names. */
static void report(struct vg_liveness *live, const struct vg_find *find, uint64_t now)
{
    struct vg_find again;
    struct vg_task_info info;
    bool stands;

    if (!vg_inspect_begin(find->task))
        return;
    vg_task_info(find->task, &info);
    stands = info.id == find->id && vg_walk_finds(find->task, find->leaf) &&
             vg_sweep_leaf(find->leaf, &again) && again.verdict == find->verdict;
    if (stands)
        vg_evidence_lost(&live->found, find->task, find->leaf, again.resource, &again.state,
                         find->verdict);
    vg_inspect_end(find->task);
    if (!stands)
        return;
    live->found.report.at = find->at;
    vg_report_evidence(live, &live->found, now);
}

void vg_sweep_end(struct vg_liveness *live, uint64_t now)
{
    struct vg_sweep *sweep = &live->waitfor.sweep;

    for (unsigned i = 0; i < sweep->finds; i++) {
        const struct vg_find *before = seen_before(sweep, &sweep->find[i]);

        sweep->find[i].at = before != NULL ? before->at : now;
        if (before != NULL)
            report(live, &sweep->find[i], now);
    }
    memcpy(sweep->last, sweep->find, sizeof sweep->last);
    sweep->before = sweep->finds;
}
