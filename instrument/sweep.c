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

/* What alone could end the wait has not been polled. The rest of the state says no more. */
static bool is_unpolled(struct vg_resource *resource, struct vg_resource_state *state)
{
    if (resource->ops->unpolled == NULL)
        return false;
    *state = (struct vg_resource_state){.next = resource->ops->unpolled(resource)};
    return state->next != NULL;
}

static bool check(struct vg_resource *resource, const struct vg_future *leaf, struct vg_find *find)
{
    if (resource->ops->state == NULL || !resource->ops->state(resource, &find->state))
        return false;
    find->state.served = 0; /* two passes are to find the same */
    find->verdict = VG_VERDICT_LOST_WAKEUP;
    if (is_lost(&find->state, leaf))
        return true;
    find->verdict = VG_VERDICT_CANCEL_LOSS;
    return is_short(&find->state);
}

static bool is_queued(const struct vg_future *leaf, struct vg_wait *wait)
{
    return leaf->ops->is_held && leaf->ops->waits(leaf, wait) && wait->state == VG_WAIT_QUEUED;
}

static bool check_wait(const struct vg_wait *wait, const struct vg_future *leaf,
                       struct vg_find *find)
{
    find->leaf = leaf;
    find->resource = wait->resource;
    if (check(wait->resource, leaf, find))
        return true;
    find->verdict = VG_VERDICT_NEVER_POLLED;
    return is_unpolled(wait->resource, &find->state);
}

bool vg_sweep_leaf(const struct vg_future *leaf, struct vg_find *find)
{
    struct vg_wait wait;

    return is_queued(leaf, &wait) && check_wait(&wait, leaf, find);
}

static bool is_there(const struct vg_sweep *sweep, const struct vg_find *find)
{
    for (unsigned i = 0; i < sweep->finds; i++)
        if (sweep->find[i].resource == find->resource)
            return true;
    return false;
}

void vg_sweep_task(struct vg_waitfor *graph, struct vg_task *task)
{
    struct vg_sweep *const sweep = &graph->sweep;
    struct vg_find find = {.task = task};
    struct vg_task_info info;
    struct vg_walk walk;
    struct vg_walk_item item;
    struct vg_wait wait;

    vg_task_info(task, &info);
    find.id = info.id;
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        if (!vg_walk_is_leaf(item.fut) || !is_queued(item.fut, &wait))
            continue;
        vg_longwaits_leaf(&graph->longwaits, task, item.fut, &wait);
        if (sweep->finds < VG_SWEEP_FINDS && check_wait(&wait, item.fut, &find) &&
            !is_there(sweep, &find))
            sweep->find[sweep->finds++] = find;
    }
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
        if (before != NULL && (sweep->find[i].verdict != VG_VERDICT_NEVER_POLLED || sweep->drained))
            report(live, &sweep->find[i], now);
    }
    sweep->drained = vg_exec_drained(live->exec);
    memcpy(sweep->last, sweep->find, sizeof sweep->last);
    sweep->before = sweep->finds;
}
