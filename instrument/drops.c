/* SPDX-License-Identifier: MIT */
#include "live.h"
#include "vg_mix.h"

/* What is the same: the type, the place of whoever drops it and, for timers, the task. */
static uint64_t key_of(struct vg_task *task, const struct vg_future *fut)
{
    uint64_t key = vg_mix((uintptr_t)fut->ops) ^ (uintptr_t)vg_site_of(fut->up);
    struct vg_task_info info;

    if (fut->ops->is_timer) {
        vg_task_info(task, &info);
        key = vg_mix(key) ^ info.id;
    }
    key = vg_mix(key);
    return (key ^ key >> 32) | 1;
}

static unsigned slot_of(uint64_t key)
{
    return (unsigned)(key >> 1) % VG_DROP_ROWS;
}

/* Whether one of this kind has ended by itself since. */
static bool has_ended(const struct vg_liveness *live, uint64_t key, uint64_t since)
{
    for (unsigned i = 0; i < live->workers; i++)
        if (vg_load(&vg_lane_of(live, i)->drops.ended_at[slot_of(key)], relaxed) >= since)
            return true;
    return false;
}

static void begin_row(struct vg_drop_row *row, uint64_t key, uint64_t now)
{
    vg_store(&row->key, key, relaxed);
    vg_store(&row->count, 0, relaxed);
    vg_store(&row->posted, 0, relaxed);
    vg_store(&row->first, now, relaxed);
    row->last = now;
    row->length = 0;
}

/* One more of them. */
static struct vg_drop_row *count(struct vg_liveness *live, struct vg_drops *drops,
                                 const struct vg_dropped *dropped, uint64_t key, uint64_t now)
{
    struct vg_drop_row *row = &drops->row[slot_of(key)];

    if (vg_load(&row->key, relaxed) != key || has_ended(live, key, vg_load(&row->first, relaxed)))
        begin_row(row, key, now);
    if (dropped->deadline > row->last && dropped->deadline - row->last > row->length)
        row->length = dropped->deadline - row->last;
    vg_store(&row->count, vg_load(&row->count, relaxed) + 1, relaxed);
    row->last = now;
    return row;
}

/* False: another worker has reported it. */
static bool add_up(const struct vg_liveness *live, const struct vg_drop_row *row,
                   struct vg_drop_sum *sum)
{
    const uint64_t key = vg_load(&row->key, relaxed);

    *sum = (struct vg_drop_sum){0, vg_load(&row->first, relaxed), row->last, row->length};
    for (unsigned i = 0; i < live->workers; i++) {
        const struct vg_drop_row *other = &vg_lane_of(live, i)->drops.row[slot_of(key)];

        if (vg_load(&other->key, relaxed) != key)
            continue;
        if (vg_load(&other->posted, relaxed) != 0)
            return false;
        if (!has_ended(live, key, vg_load(&other->first, relaxed)))
            sum->count += vg_load(&other->count, relaxed);
    }
    return true;
}

/* What it is that the future waits for: the end of its await path. *full: the innermost function on it that has taken
 * something and not handed it on; NULL: there is none. */
static const struct vg_future *find_leaf(const struct vg_future *fut, const struct vg_future **full)
{
    const struct vg_future *child = fut;

    for (*full = NULL; child != NULL;) {
        fut = child;
        if (fut->ops->kind == VG_KIND_ASYNC && fut->flags & VG_F_CARRIES)
            *full = fut;
        for (unsigned i = 0; fut->ops->child != NULL; i++)
            if ((child = fut->ops->child(fut, i)) == NULL || child->state == VG_RUNNING)
                break;
        if (fut->ops->child == NULL)
            child = NULL;
    }
    return fut;
}

static bool is_due(const struct vg_liveness *live, const struct vg_drop_sum *sum,
                   const struct vg_dropped *dropped)
{
    if (dropped->deadline > 0)
        return live->config.hints && sum->count >= VG_DROP_TIMERS &&
               sum->last - sum->first >= 2 * sum->length;
    return sum->count >= VG_DROP_WORK;
}

static void post(struct vg_liveness *live, struct vg_lane *lane, const struct vg_dropped *dropped,
                 const struct vg_drop_sum *sum, const struct vg_report_future *waited, bool carried)
{
    struct vg_evidence *evidence = vg_post_begin(lane);

    if (evidence == NULL)
        return;
    vg_evidence_dropped(evidence, dropped, waited, sum);
    evidence->report.carried = carried;
    vg_post_end(live, lane);
}

static void note_row(struct vg_liveness *live, struct vg_lane *lane,
                     const struct vg_dropped *dropped, const struct vg_future *leaf, uint64_t now)
{
    struct vg_drop_row *row =
        count(live, &lane->drops, dropped, key_of(dropped->task, dropped->fut), now);
    const struct vg_report_future waited = vg_evidence_name(leaf, NULL);
    struct vg_drop_sum sum;

    if (!add_up(live, row, &sum) || !is_due(live, &sum, dropped))
        return;
    post(live, lane, dropped, &sum, &waited, false);
    vg_store(&row->posted, 1, relaxed);
}

/* A function that had not got past its first await has done nothing that is lost. */
static bool is_work(const struct vg_dropped *dropped)
{
    return dropped->timed_out && dropped->fut->flags & VG_F_PASSED;
}

void vg_drops_note(struct vg_liveness *live, unsigned worker, const struct vg_dropped *dropped,
                   uint64_t now)
{
    struct vg_lane *lane = vg_lane_of(live, worker);
    const struct vg_future *full, *leaf = find_leaf(dropped->fut, &full);

    if (vg_load(&live->level, relaxed) == VG_LEVEL_FULL)
        vg_site_cancelled(&lane->waits, vg_site_of(leaf));
    if (full != NULL && leaf->ops->gives)
        lane->drops.full = (struct vg_dropped_full){full, vg_evidence_name(leaf, NULL)};
    else if (dropped->deadline > 0 || is_work(dropped))
        note_row(live, lane, dropped, leaf, now);
}

/* 1, 10, 100, ... */
static bool is_round(uint32_t count)
{
    while (count % 10 == 0)
        count /= 10;
    return count == 1;
}

/* A function that was cancelled ends, and has not handed on what it took. */
static void note_loss(struct vg_liveness *live, struct vg_lane *lane, struct vg_task *task,
                      const struct vg_future *fut, uint64_t now)
{
    const struct vg_dropped dropped = {.task = task, .fut = fut};
    struct vg_drop_sum sum;

    if (lane->drops.full.fut != fut)
        return;
    (void)add_up(live, count(live, &lane->drops, &dropped, ~key_of(task, fut), now), &sum);
    if (is_round(sum.count))
        post(live, lane, &dropped, &sum, &lane->drops.full.waited, true);
    lane->drops.full.fut = NULL;
}

void vg_drops_ended(struct vg_liveness *live, unsigned worker, struct vg_task *task,
                    const struct vg_future *fut, uint64_t now)
{
    struct vg_lane *lane = vg_lane_of(live, worker);

    if (vg_cancelled(fut))
        note_loss(live, lane, task, fut, now);
    else
        vg_store(&lane->drops.ended_at[slot_of(key_of(task, fut))], now, relaxed);
}
