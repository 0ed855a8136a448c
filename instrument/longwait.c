/* SPDX-License-Identifier: MIT */
#include "longwait.h"

#include "live.h"
#include "vg_mix.h"
#include "walk.h"

void vg_longwaits_begin(struct vg_longwaits *waits)
{
    for (unsigned i = 0; i < VG_LONGWAITS; i++) {
        waits->wait[i].alive = false;
        for (unsigned k = 0; k < waits->wait[i].holders; k++)
            waits->wait[i].holder[k].idles = false;
    }
}

/* The wait's entry, or an unused one; NULL: there is none. */
static struct vg_longwait *entry_of(struct vg_longwaits *waits, const struct vg_task_info *info,
                                    const struct vg_future *leaf)
{
    struct vg_longwait *unused = NULL;

    for (unsigned i = 0; i < VG_LONGWAITS; i++) {
        struct vg_longwait *wait = &waits->wait[i];

        if (wait->leaf == leaf && wait->id == info->id)
            return wait;
        if (wait->leaf == NULL)
            unused = wait;
    }
    return unused;
}

static bool same_holders(const struct vg_longwait *wait, const struct vg_owner *holder, unsigned n)
{
    if (wait->holders != n)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (wait->holder[i].id != holder[i].task)
            return false;
    return true;
}

/* All of them, if they are known, and others than the one that waits; else none. */
static unsigned read_holders(const struct vg_wait *wait, uint64_t self,
                             struct vg_owner holder[VG_WAITFOR_HOLDERS])
{
    const unsigned n = wait->by == VG_BY_HOLDERS ? vg_waitfor_holders(wait, holder) : 0;

    if (n > VG_LONGWAIT_HOLDERS)
        return 0;
    for (unsigned i = 0; i < n; i++)
        if (holder[i].task == 0 || holder[i].task == self)
            return 0;
    return n;
}

static void set_holders(struct vg_longwait *wait, const struct vg_owner *holder, unsigned n)
{
    wait->holders = n;
    for (unsigned i = 0; i < n; i++)
        wait->holder[i] = (struct vg_longwait_holder){.id = holder[i].task};
    wait->since = 0; /* as of now */
}

static void count_served(struct vg_longwait *wait, const struct vg_resource_state *state)
{
    if (state->served == 0)
        return;
    if (wait->served == 0)
        wait->served = state->served + wait->resource->ops->waiters(wait->resource);
    wait->later = state->served > wait->served ? state->served - wait->served : 0;
}

void vg_longwaits_leaf(struct vg_longwaits *waits, struct vg_task *task,
                       const struct vg_future *leaf, const struct vg_wait *queued)
{
    struct vg_owner holder[VG_WAITFOR_HOLDERS];
    struct vg_resource_state state;
    struct vg_task_info info;
    struct vg_longwait *wait;
    unsigned n = 0;

    if (queued->resource->ops->state == NULL ||
        !queued->resource->ops->state(queued->resource, &state))
        return;
    vg_task_info(task, &info);
    if (state.held > 0) /* and not who receives from a channel, or the like */
        n = read_holders(queued, info.id, holder);
    wait = entry_of(waits, &info, leaf);
    if (wait == NULL || (wait->leaf == NULL && n == 0 && state.served == 0))
        return;
    if (wait->leaf == NULL || wait->polls != info.polls || wait->resource != queued->resource)
        *wait = (struct vg_longwait){.leaf = leaf,
                                     .task = task,
                                     .id = info.id,
                                     .polls = info.polls,
                                     .resource = queued->resource};
    wait->alive = true;
    if (!same_holders(wait, holder, n))
        set_holders(wait, holder, n);
    count_served(wait, &state);
}

static uint64_t bit_of(uint64_t id)
{
    return UINT64_C(1) << (vg_mix(id) >> 58);
}

bool vg_longwaits_concern(const struct vg_longwaits *waits, uint64_t id)
{
    if (!(waits->heads & bit_of(id)))
        return false;
    for (unsigned i = 0; i < VG_LONGWAITS; i++)
        for (unsigned k = 0; k < waits->wait[i].holders; k++)
            if (waits->wait[i].leaf != NULL && waits->wait[i].holder[k].id == id)
                return true;
    return false;
}

/* It waits, and nothing that it waits for comes by itself. */
static bool waits_for_strangers(struct vg_task *task)
{
    struct vg_walk walk;
    struct vg_walk_item item;
    unsigned leaves = 0;

    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        const struct vg_ops *ops = item.fut->ops;

        if (!vg_walk_is_leaf(item.fut))
            continue;
        if (ops->is_timer || ops->is_io || ops->is_held || ops->waits == NULL)
            return false;
        leaves++;
    }
    return leaves > 0 && !walk.truncated;
}

void vg_longwaits_holder(struct vg_longwaits *waits, struct vg_task *task)
{
    const bool idles = waits_for_strangers(task);
    struct vg_task_info info;

    vg_task_info(task, &info);
    for (unsigned i = 0; i < VG_LONGWAITS; i++)
        for (unsigned k = 0; k < waits->wait[i].holders; k++) {
            struct vg_longwait_holder *holder = &waits->wait[i].holder[k];

            if (holder->id != info.id)
                continue;
            holder->idles = idles && (holder->polls == 0 || holder->polls == info.polls);
            holder->polls = info.polls;
            holder->task = task;
        }
}

/* Everybody that holds it has been idle since. */
static bool is_hoarded(struct vg_longwait *wait, uint64_t now)
{
    for (unsigned k = 0; k < wait->holders; k++)
        if (!wait->holder[k].idles) {
            wait->since = now;
            return false;
        }
    return wait->holders > 0 && now - wait->since >= VG_HOARDED_NS;
}

/* Names the task that holds it, and what that waits for. */
static bool describe_holder(const struct vg_longwait_holder *holder, struct vg_report_link *link)
{
    struct vg_task_info info;
    bool same;

    if (!vg_inspect_begin(holder->task))
        return false;
    vg_task_info(holder->task, &info);
    same = info.id == holder->id && info.polls == holder->polls;
    if (same)
        vg_evidence_link(NULL, holder->task, link);
    vg_inspect_end(holder->task);
    return same;
}

static bool describe(struct vg_liveness *live, const struct vg_longwait *wait,
                     enum vg_verdict verdict)
{
    struct vg_resource_state state = {.total = 0};
    struct vg_task_info info;
    bool same;

    if (!vg_inspect_begin(wait->task))
        return false;
    vg_task_info(wait->task, &info);
    same = info.id == wait->id && info.polls == wait->polls;
    if (same && wait->resource->ops->state != NULL)
        (void)wait->resource->ops->state(wait->resource, &state);
    if (same)
        vg_evidence_lost(&live->found, wait->task, wait->leaf, wait->resource, &state, verdict);
    vg_inspect_end(wait->task);
    return same;
}

static void report(struct vg_liveness *live, struct vg_longwait *wait, enum vg_verdict verdict,
                   uint64_t now)
{
    struct vg_report *const report = &live->found.report;
    const bool hoarded = verdict == VG_VERDICT_HOARDED_RESERVATION;

    for (unsigned k = 0; hoarded && k < wait->holders; k++)
        if (!describe_holder(&wait->holder[k], &live->waitfor.link[k]))
            return;
    if (!describe(live, wait, verdict))
        return;
    report->at = now;
    report->lasted = now - wait->since;
    report->overtaken = hoarded ? 0 : wait->later;
    report->confidence = hoarded ? VG_SUSPECTED : VG_CONFIRMED;
    report->ring = hoarded ? live->waitfor.link : NULL;
    report->ring_length = hoarded ? wait->holders : 0;
    wait->reported = true;
    vg_report_evidence(live, &live->found, now);
}

/* Whether it may still become a finding while everybody sleeps. */
static bool is_open(const struct vg_longwait *wait)
{
    bool idles = wait->leaf != NULL && wait->holders > 0 && !wait->reported;

    for (unsigned k = 0; k < wait->holders; k++)
        idles = idles && wait->holder[k].idles;
    return idles;
}

void vg_longwaits_end(struct vg_liveness *live, uint64_t now)
{
    uint64_t heads = 0;
    uint32_t open = 0;

    for (unsigned i = 0; i < VG_LONGWAITS; i++) {
        struct vg_longwait *wait = &live->waitfor.longwaits.wait[i];

        if (!wait->alive)
            *wait = (struct vg_longwait){.leaf = NULL};
        for (unsigned k = 0; k < wait->holders; k++)
            heads |= bit_of(wait->holder[k].id);
        if (wait->leaf == NULL || wait->reported)
            continue;
        if (wait->since == 0)
            wait->since = now;
        if (wait->later >= VG_OVERTAKEN)
            report(live, wait, VG_VERDICT_UNFAIR_LOCK, now);
        else if (is_hoarded(wait, now))
            report(live, wait, VG_VERDICT_HOARDED_RESERVATION, now);
        open += is_open(wait);
    }
    live->waitfor.longwaits.heads = heads;
    vg_store(&live->waitfor.longwaits.open, open, relaxed);
}
