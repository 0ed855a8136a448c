/* SPDX-License-Identifier: MIT */
#include "live.h"

/* What becomes of the events that core emits. All of it runs on the worker. */

static void note_slow(struct vg_lane *lane, uint64_t length)
{
    const uint32_t n = vg_load(&lane->slows, relaxed);

    vg_store(&lane->slow[n % VG_SLOW_SLOTS], length, relaxed);
    vg_store(&lane->slows, n + 1, relaxed);
}

static struct vg_waits *waits_of(struct vg_probe *probe, unsigned worker)
{
    return &vg_lane_of(vg_liveness_of(probe), worker)->waits;
}

static void on_visited(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    const uint32_t level = vg_load(&live->level, relaxed);
    struct vg_lane *lane = vg_lane_of(live, worker);

    if (level == VG_LEVEL_OFF)
        return;
    if (VG_UNLIKELY(visit->runtime_ns + visit->parent_ns >= live->config.snooze_ns))
        note_slow(lane, visit->runtime_ns + visit->parent_ns);
    if (level == VG_LEVEL_FULL)
        vg_site_record(&lane->waits, visit);
}

/* True: the lock-up is on its way to the scan, or has been lately. */
static bool post_lockup(struct vg_liveness *live, struct vg_lane *lane, struct vg_task *task,
                        const struct vg_lockup *lockup, uint64_t now)
{
    struct vg_task_info info;
    struct vg_evidence *evidence;

    vg_task_info(task, &info);
    if (!lockup->healing && vg_post_is_recent(lane, info.id, lockup, now))
        return true;
    evidence = vg_post_begin(lane);
    if (evidence == NULL)
        return false;
    vg_evidence_futurelock(evidence, task, lockup, now);
    vg_post_end(live, lane);
    return true;
}

static bool is_certain(const struct vg_lockup *lockup)
{
    return lockup->exits == 0 && !lockup->fenced_by_opaque;
}

static void on_passed_over(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                           uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_lane *lane = vg_lane_of(live, worker);
    const bool revoked = passed->pass == VG_PASS_REVOKED;
    struct vg_lockup lockup;

    if (vg_load(&live->level, relaxed) == VG_LEVEL_OFF)
        return;
    vg_lane_count(&lane->passed_over);
    lane->fresh = true;
    vg_snooze_passed(lane, passed->waiter, now);
    if (passed->pass == VG_PASS_NONE)
        return;
    if (revoked)
        vg_lane_count(&lane->healings);
    if (!vg_lockup_find(passed->task, passed->waiter->fut,
                        revoked ? VG_LOCKUP_REVOKED : VG_LOCKUP_STANDING, &lockup))
        return;
    if ((revoked || is_certain(&lockup)) && post_lockup(live, lane, passed->task, &lockup, now))
        passed->waiter->flags |= VG_W_SEEN;
}

static void on_suspended(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                         uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_lane *lane = vg_lane_of(live, worker);
    struct vg_lockup lockup;
    struct vg_waiter *waiter;

    if (vg_load(&live->level, relaxed) == VG_LEVEL_OFF)
        return;
    if (vg_lockup_find(task, NULL, VG_LOCKUP_STANDING, &lockup) && is_certain(&lockup) &&
        post_lockup(live, lane, task, &lockup, now)) {
        waiter = vg_owed_waiter(task, lockup.starved);
        if (waiter != NULL)
            waiter->flags |= VG_W_SEEN;
    }
    vg_snooze_check(live, lane, task, now);
    if (!lane->fresh)
        return;
    /* By now the task has published what it owes. */
    lane->fresh = false;
    vg_watchdog_kick(&live->watchdog);
}

/* NULL: nobody listens, or there is no room. */
static struct vg_evidence *begin_post(struct vg_liveness *live, unsigned worker)
{
    if (vg_load(&live->level, relaxed) == VG_LEVEL_OFF)
        return NULL;
    return vg_post_begin(vg_lane_of(live, worker));
}

static void on_unarmed(struct vg_probe *probe, unsigned worker, const struct vg_unarmed *unarmed,
                       uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_evidence *evidence = begin_post(live, worker);

    if (evidence == NULL)
        return;
    vg_evidence_unarmed(evidence, unarmed, now);
    vg_post_end(live, vg_lane_of(live, worker));
}

static void on_lock_across(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                           struct vg_resource *lock, uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_evidence *evidence = begin_post(live, worker);

    if (evidence == NULL)
        return;
    vg_evidence_lock(evidence, task, lock, now);
    vg_post_end(live, vg_lane_of(live, worker));
}

static void on_fruitless(struct vg_probe *probe, unsigned worker,
                         const struct vg_fruitless *fruitless)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_lane *lane = vg_lane_of(live, worker);
    struct vg_task_info info;
    struct vg_evidence *evidence;
    struct vg_row *row;

    if (vg_load(&live->level, relaxed) == VG_LEVEL_OFF)
        return;
    vg_task_info(fruitless->task, &info);
    row = vg_spins_note(&lane->spins, info.id, fruitless);
    evidence = row != NULL ? vg_post_begin(lane) : NULL;
    if (evidence == NULL)
        return;
    vg_evidence_spin(evidence, fruitless, row);
    vg_post_end(live, lane);
    vg_spins_posted(&lane->spins, row);
}

/* The worker has published that it is awake. */
static void on_resumed(struct vg_probe *probe, unsigned worker)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    (void)worker;
    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_watchdog_rouse(&live->watchdog);
}

static void on_poll_after_ready(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                                const struct vg_site *site)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_evidence *evidence = begin_post(live, worker);

    if (evidence == NULL)
        return;
    vg_evidence_poll_after_ready(evidence, task, site, vg_exec_now(live->exec));
    vg_post_end(live, vg_lane_of(live, worker));
}

static void on_dropped(struct vg_probe *probe, unsigned worker, const struct vg_dropped *dropped,
                       uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_drops_note(live, worker, dropped, now);
}

static void on_ended(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                     const struct vg_future *fut, uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_drops_ended(live, worker, task, fut, now);
}

static void on_cancelling(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                          const struct vg_future *fut, uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_stalled_note(&vg_lane_of(live, worker)->stalled, task, fut, now);
}

static void on_round_ended(struct vg_probe *probe, unsigned worker, const struct vg_rounds *rounds,
                           uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_rows_round(live, worker, rounds, now);
}

static void on_refused(struct vg_probe *probe, unsigned worker, const struct vg_refused *refused)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        vg_rows_refused(live, worker, refused);
}

static void on_reentered(struct vg_probe *probe, unsigned worker, const struct vg_reentry *reentry,
                         uint64_t now)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    struct vg_evidence *evidence = begin_post(live, worker);

    if (evidence == NULL)
        return;
    vg_evidence_reentry(evidence, reentry, now);
    vg_post_end(live, vg_lane_of(live, worker));
}

void vg_probe_init(struct vg_probe *probe)
{
    *probe = (struct vg_probe){
        .waits = waits_of,
        .visited = on_visited,
        .passed_over = on_passed_over,
        .suspended = on_suspended,
        .unarmed = on_unarmed,
        .lock_across = on_lock_across,
        .fruitless = on_fruitless,
        .resumed = on_resumed,
        .poll_after_ready = on_poll_after_ready,
        .dropped = on_dropped,
        .ended = on_ended,
        .cancelling = on_cancelling,
        .round_ended = on_round_ended,
        .refused = on_refused,
        .reentered = on_reentered,
    };
}
