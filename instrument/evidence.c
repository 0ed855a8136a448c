/* SPDX-License-Identifier: MIT */
#include "evidence.h"

#include <string.h>

#include "walk.h"

void vg_evidence_task(struct vg_evidence *evidence, struct vg_task *task, uint64_t now)
{
    struct vg_task_info info;

    memset(evidence, 0, offsetof(struct vg_evidence, tree));
    vg_task_info(task, &info);
    evidence->polls = info.polls;
    evidence->report.at = now;
    evidence->report.task = info.id;
    evidence->report.task_name = info.name;
    evidence->report.task_spawned = info.spawned;
}

static bool is_within(const struct vg_future *fut, const struct vg_future *above)
{
    while (fut != NULL && fut != above)
        fut = fut->up;
    return fut != NULL;
}

/*
 * The frame nearest to a parked future has moved on, and its present site says nothing about that future: only
 * a frame below the fence still awaits it.
 */
struct vg_report_future vg_evidence_name(const struct vg_future *fut, const struct vg_future *fence)
{
    struct vg_report_future named = {.type = fut->ops->name};
    const struct vg_future *frame = vg_frame_of(fut);

    if (frame != NULL && (fence == NULL || is_within(frame, fence))) {
        named.frame = frame->ops->name;
        named.site = vg_site_of(frame);
    }
    return named;
}

const struct vg_future *vg_responsible(const struct vg_future *leaf)
{
    const struct vg_future *fence = vg_fence_above(leaf);

    if (fence == NULL || fence->state != VG_PARKED)
        return fence;
    return vg_frame_of(fence->up);
}

static void describe_starved(struct vg_evidence *evidence, const struct vg_task *task,
                             const struct vg_future *starved)
{
    const struct vg_future *fence = vg_fence_above(starved), *parent = vg_responsible(starved);
    struct vg_report *report = &evidence->report;

    evidence->starved = starved;
    report->starved = vg_evidence_name(starved, fence);
    if (parent == NULL)
        return;
    report->parked = fence->state == VG_PARKED;
    report->left_at = vg_left_at(task, fence);
    report->parent.type = parent->ops->name;
    report->parent.frame = vg_frame_of(parent) != NULL ? vg_frame_of(parent)->ops->name : NULL;
    report->parent.site = vg_site_of(parent);
}

static void describe_wake(struct vg_report *report, const struct vg_waiter *waiter)
{
    if (waiter == NULL)
        return;
    report->woken_at = waiter->woken_at;
    report->woken_by = waiter->woken_by;
    report->woken_from = waiter->woken_from;
    report->lasted = report->at > waiter->woken_at ? report->at - waiter->woken_at : 0;
}

void vg_evidence_resource(struct vg_report *report, const struct vg_resource *resource)
{
    report->resource_kind = resource->ops->kind;
    report->resource_name = resource->name;
    report->resource_place = resource->place;
}

static void describe_resource(struct vg_evidence *evidence, struct vg_resource *resource)
{
    struct vg_report *report = &evidence->report;

    evidence->resource = resource;
    vg_evidence_resource(report, resource);
    report->owned = resource->ops->owner != NULL && resource->ops->owner(resource, &report->owner);
    report->waiters = resource->ops->waiters != NULL ? resource->ops->waiters(resource) : 0;
}

static void describe_lockup(struct vg_evidence *evidence, const struct vg_lockup *lockup)
{
    struct vg_report *report = &evidence->report;

    report->verdict = VG_VERDICT_FUTURELOCK;
    report->blocked = vg_evidence_name(lockup->blocked, NULL);
    report->granted = lockup->granted;
    report->owns = lockup->owns;
    report->healed = lockup->healing;
    report->exits = lockup->exits;
    report->confidence =
        lockup->exits == 0 && !lockup->fenced_by_opaque ? VG_CONFIRMED : VG_SUSPECTED;
    memcpy(evidence->exit, lockup->exit, sizeof evidence->exit);
    describe_resource(evidence, lockup->resource);
}

void vg_evidence_futurelock(struct vg_evidence *evidence, struct vg_task *task,
                            const struct vg_lockup *lockup, uint64_t now)
{
    vg_evidence_task(evidence, task, now);
    describe_starved(evidence, task, lockup->starved);
    describe_wake(&evidence->report, vg_owed_waiter(task, lockup->starved));
    describe_lockup(evidence, lockup);
    vg_tree_copy(&evidence->tree, task, lockup->starved, lockup->blocked);
}

/* A leaf that was handed something which others wait for. */
static void describe_stalled(struct vg_evidence *evidence, const struct vg_future *leaf)
{
    struct vg_wait wait;

    if (leaf->ops->waits == NULL || !leaf->ops->waits(leaf, &wait))
        return;
    describe_resource(evidence, wait.resource);
    evidence->report.granted = wait.state == VG_WAIT_GRANTED;
    if (evidence->report.granted && evidence->report.waiters > 1)
        evidence->report.verdict = VG_VERDICT_STALLED_GRANT;
}

/* Whether this task waits for what the child that holds the leaf up has, or gets first. */
static bool find_lockup(struct vg_task *task, const struct vg_future *leaf,
                        struct vg_lockup *lockup)
{
    if (!vg_lockup_find(task, leaf, VG_LOCKUP_STANDING, lockup))
        return false;
    return lockup->starved == leaf || vg_fence_above(lockup->starved) == vg_fence_above(leaf);
}

void vg_evidence_snoozed(struct vg_evidence *evidence, struct vg_task *task,
                         struct vg_waiter *waiter, uint64_t now)
{
    const struct vg_future *starved = waiter->fut, *blocked = NULL;
    struct vg_lockup lockup;
    const bool locked = find_lockup(task, starved, &lockup);

    vg_evidence_task(evidence, task, now);
    describe_wake(&evidence->report, waiter);
    evidence->report.verdict = VG_VERDICT_SNOOZED_CHILD;
    evidence->report.confidence = VG_CONFIRMED;
    if (locked) {
        starved = lockup.starved;
        blocked = lockup.blocked;
        describe_lockup(evidence, &lockup);
    } else {
        describe_stalled(evidence, starved);
    }
    describe_starved(evidence, task, starved);
    vg_tree_copy(&evidence->tree, task, starved, blocked);
}

void vg_evidence_poll_after_ready(struct vg_evidence *evidence, struct vg_task *task,
                                  const struct vg_site *site, uint64_t now)
{
    vg_evidence_task(evidence, task, now);
    evidence->report.verdict = VG_VERDICT_POLL_AFTER_READY;
    evidence->report.confidence = VG_CONFIRMED;
    evidence->report.parent.type = "select";
    evidence->report.parent.frame = site != NULL ? site->func : NULL;
    evidence->report.parent.site = site;
    vg_tree_copy(&evidence->tree, task, NULL, NULL);
}

/* The innermost future on the await path that has nothing below it. */
static const struct vg_future *end_of_path(struct vg_task *task)
{
    const struct vg_future *end = vg_task_root(task);
    struct vg_walk walk;
    struct vg_walk_item item;

    vg_walk_begin_path(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        end = item.fut;
        if (vg_walk_is_leaf(item.fut))
            break;
    }
    return end;
}

void vg_evidence_unarmed(struct vg_evidence *evidence, const struct vg_unarmed *unarmed,
                         uint64_t now)
{
    const struct vg_future *fut = unarmed->fut != NULL ? unarmed->fut : end_of_path(unarmed->task);

    vg_evidence_task(evidence, unarmed->task, now);
    evidence->starved = fut;
    evidence->report.verdict = VG_VERDICT_UNARMED_PENDING;
    evidence->report.confidence = VG_CONFIRMED;
    evidence->report.starved = vg_evidence_name(fut, NULL);
    evidence->report.hangs = unarmed->hangs;
    vg_tree_copy(&evidence->tree, unarmed->task, NULL, fut);
}

void vg_evidence_lock(struct vg_evidence *evidence, struct vg_task *task, struct vg_resource *lock,
                      uint64_t now)
{
    const struct vg_future *fut = end_of_path(task);

    vg_evidence_task(evidence, task, now);
    evidence->starved = fut;
    evidence->report.verdict = VG_VERDICT_LOCK_ACROSS_SUSPEND;
    evidence->report.confidence = VG_CONFIRMED;
    evidence->report.starved = evidence->report.blocked = vg_evidence_name(fut, NULL);
    describe_resource(evidence, lock);
    vg_tree_copy(&evidence->tree, task, NULL, fut);
}

void vg_evidence_spin(struct vg_evidence *evidence, const struct vg_fruitless *fruitless,
                      const struct vg_row *row)
{
    struct vg_report *report = &evidence->report;

    vg_evidence_task(evidence, fruitless->task, row->seen);
    evidence->starved = fruitless->fut;
    report->verdict = fruitless->self ? VG_VERDICT_SELF_WAKE_SPIN : VG_VERDICT_SPURIOUS_SPIN;
    report->confidence = VG_CONFIRMED;
    report->starved = vg_evidence_name(fruitless->fut, NULL);
    report->visits = fruitless->visits;
    report->visit_ns = row->busy / row->spun;
    report->instances = 1;
    vg_tree_copy(&evidence->tree, fruitless->task, NULL, fruitless->fut);
}

void vg_evidence_dropped(struct vg_evidence *evidence, const struct vg_dropped *dropped,
                         const struct vg_report_future *waited, const struct vg_drop_sum *sum)
{
    struct vg_report *report = &evidence->report;

    vg_evidence_task(evidence, dropped->task, sum->last);
    evidence->starved = dropped->fut;
    report->verdict = dropped->deadline > 0 ? VG_VERDICT_DEADLINE_RESET : VG_VERDICT_CANCEL_LOSS;
    report->confidence = VG_SUSPECTED;
    report->starved = report->parent = vg_evidence_name(dropped->fut->up, NULL);
    report->starved.type = dropped->fut->ops->name;
    report->blocked = *waited;
    report->drops = sum->count;
    report->spanned = sum->last - sum->first;
    report->length = sum->length;
    vg_tree_copy(&evidence->tree, dropped->task, NULL, NULL);
}

void vg_evidence_lost(struct vg_evidence *evidence, struct vg_task *task,
                      const struct vg_future *leaf, struct vg_resource *resource,
                      const struct vg_resource_state *state, enum vg_verdict verdict)
{
    struct vg_report *report = &evidence->report;

    vg_evidence_task(evidence, task, 0);
    evidence->starved = leaf;
    report->verdict = verdict;
    report->confidence = VG_CONFIRMED;
    report->starved = report->blocked = vg_evidence_name(leaf, NULL);
    describe_resource(evidence, resource);
    report->total = state->total;
    report->free = state->free;
    report->held = state->held;
    report->granted_units = state->granted;
    report->wanted = state->next != NULL ? state->wanted : 0;
    if (verdict == VG_VERDICT_NEVER_POLLED && state->next != NULL)
        report->unpolled = state->next->ops->name;
    vg_tree_copy(&evidence->tree, task, NULL, leaf);
}

void vg_evidence_poll(struct vg_evidence *evidence, const struct vg_worker_info *worker,
                      uint64_t now)
{
    struct vg_report *report = &evidence->report;

    memset(evidence, 0, offsetof(struct vg_evidence, tree));
    evidence->tree.lines = evidence->tree.more = 0;
    evidence->tree.truncated = false;
    evidence->polls = worker->task_polls;
    report->verdict = VG_VERDICT_BLOCKED_WORKER;
    report->confidence = VG_CONFIRMED;
    report->at = now;
    report->task = worker->polling;
    report->task_name = worker->task_name;
    report->task_spawned = worker->task_spawned;
    report->queued = worker->queued;
    report->blocks_on = worker->blocks_on;
    report->blocks_owner = worker->blocks_owner;
}
