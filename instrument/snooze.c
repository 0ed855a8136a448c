/* SPDX-License-Identifier: MIT */
#include "live.h"

/*
 * Which unanswered wakes are old enough to be reported.
 *
 * A parent is answerable from the poll that held the wake, not from the wake: if the task had to wait for a
 * worker, that is the executor's doing. Usually the two are the same moment; where they are not, the
 * worker leaves a note. And nobody is answerable for times at which the process stood still.
 */

static const uint64_t LATE = VG_MSEC(10);

void vg_snooze_passed(struct vg_lane *lane, const struct vg_waiter *waiter, uint64_t now)
{
    struct vg_late *late;
    uint32_t n;

    if (now < waiter->woken_at + LATE)
        return;
    n = vg_load(&lane->lates, relaxed);
    late = &lane->late[n % VG_LATE_SLOTS];
    vg_store(&late->waiter, (uint64_t)(uintptr_t)waiter, relaxed);
    vg_store(&late->woken_at, waiter->woken_at, relaxed);
    vg_store(&late->passed_at, now, relaxed);
    vg_store(&lane->lates, n + 1, relaxed);
}

static uint64_t passed_at(struct vg_liveness *live, const struct vg_waiter *waiter)
{
    for (unsigned i = 0; i < live->workers * VG_LATE_SLOTS; i++) {
        struct vg_late *late = &vg_lane_of(live, i / VG_LATE_SLOTS)->late[i % VG_LATE_SLOTS];

        if (vg_load(&late->waiter, relaxed) == (uint64_t)(uintptr_t)waiter &&
            vg_load(&late->woken_at, relaxed) == waiter->woken_at)
            return vg_load(&late->passed_at, relaxed);
    }
    return waiter->woken_at;
}

/* Its parent has said that it may wait, and nobody else does for what it was handed. */
static bool may_pause(const struct vg_future *leaf)
{
    const struct vg_future *fence = vg_fence_above(leaf);
    struct vg_wait wait;

    if (fence == NULL || fence->state != VG_PARKED || !(fence->flags & VG_F_PAUSES))
        return false;
    return leaf->ops->waits == NULL || !leaf->ops->waits(leaf, &wait) ||
           wait.state != VG_WAIT_GRANTED;
}

/* An unreported wake that is overdue; NULL: none. `ran` says how long the process ran since a time. */
static struct vg_waiter *find_overdue(struct vg_liveness *live, struct vg_task *task, uint64_t now,
                                      uint64_t (*ran)(struct vg_liveness *, uint64_t, uint64_t))
{
    const uint64_t limit = live->config.snooze_ns;

    for (unsigned i = 0; i < VG_OWED_MAX; i++) {
        struct vg_waiter *waiter = vg_task_owed(task, i);

        if (waiter == NULL)
            return NULL;
        if (waiter->flags & VG_W_SEEN || ran(live, waiter->woken_at, now) < limit)
            continue;
        if (ran(live, passed_at(live, waiter), now) >= limit && !may_pause(waiter->fut))
            return waiter;
    }
    return NULL;
}

/* Whatever the same parent holds up is one finding. Counts the others. */
static unsigned mark_seen(struct vg_task *task, struct vg_waiter *first)
{
    const struct vg_future *parent = vg_responsible(first->fut);
    unsigned also = 0;

    first->flags |= VG_W_SEEN;
    for (unsigned i = 0; i < VG_OWED_MAX; i++) {
        struct vg_waiter *waiter = vg_task_owed(task, i);

        if (waiter == NULL)
            break;
        if (waiter->flags & VG_W_SEEN || vg_responsible(waiter->fut) != parent)
            continue;
        waiter->flags |= VG_W_SEEN;
        also++;
    }
    return also;
}

static void fill(struct vg_evidence *evidence, struct vg_task *task, struct vg_waiter *waiter,
                 uint64_t now)
{
    vg_evidence_snoozed(evidence, task, waiter, now);
    evidence->report.also = mark_seen(task, waiter);
}

/* The worker knows only the end of the last standstill: it starts afresh from there. */
static uint64_t ran_for_worker(struct vg_liveness *live, uint64_t since, uint64_t now)
{
    const uint64_t end = vg_stalls_last_end(&live->stalls);

    since = end > since ? end : since;
    return now > since ? now - since : 0;
}

static uint64_t ran_for_scan(struct vg_liveness *live, uint64_t since, uint64_t now)
{
    return vg_stalls_ran(&live->stalls, since, now);
}

void vg_snooze_check(struct vg_liveness *live, struct vg_lane *lane, struct vg_task *task,
                     uint64_t now)
{
    struct vg_waiter *waiter = find_overdue(live, task, now, ran_for_worker);
    struct vg_evidence *evidence = waiter != NULL ? vg_post_begin(lane) : NULL;

    if (evidence == NULL)
        return;
    fill(evidence, task, waiter, now);
    vg_post_end(live, lane);
}

bool vg_snooze_find(struct vg_liveness *live, struct vg_task *task, uint64_t now)
{
    struct vg_waiter *waiter = find_overdue(live, task, now, ran_for_scan);

    if (waiter != NULL)
        fill(&live->found, task, waiter, now);
    return waiter != NULL;
}
