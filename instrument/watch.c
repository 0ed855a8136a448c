/* SPDX-License-Identifier: MIT */
#include <vigil/driver.h>

#include "live.h"

struct pass {
    struct vg_liveness *live;
    uint64_t now;
    bool late; /* the executor is: what is overdue may be its fault */
};

static void take_posts(struct vg_liveness *live, uint64_t now)
{
    const struct vg_evidence *evidence;

    for (unsigned i = 0; i < live->workers; i++) {
        struct vg_lane *lane = vg_lane_of(live, i);

        /* Bounded: a worker that posts while we print is left for the next scan. */
        for (unsigned n = 0; n < VG_POST_SLOTS && (evidence = vg_post_next(lane)) != NULL; n++) {
            vg_report_evidence(live, evidence, now);
            vg_post_taken(lane);
        }
    }
}

/* Copies first, prints after: the task can be woken, but cannot run, while it is held. */
static bool examine(const struct pass *pass, struct vg_task *task, uint64_t id)
{
    struct vg_liveness *live = pass->live;
    struct vg_task_info info;
    bool found = false;

    if (!vg_inspect_begin(task))
        return false;
    vg_task_info(task, &info);
    if (info.id == id) {
        found = !pass->late && vg_snooze_find(live, task, pass->now);
        vg_incidents_recheck(&live->incidents, task, id);
    }
    vg_inspect_end(task);
    if (found)
        vg_report_evidence(live, &live->found, pass->now);
    return true;
}

/* A task that can neither be held nor runs has finished; its handle keeps the slot. */
static bool has_finished(struct vg_task *task)
{
    struct vg_task_info info;

    vg_task_info(task, &info);
    if (info.running)
        return false;
    if (!vg_inspect_begin(task)) {
        vg_task_info(task, &info);
        return !info.running;
    }
    vg_inspect_end(task);
    return false;
}

static bool visit(struct vg_task *task, void *arg)
{
    const struct pass *pass = (const struct pass *)arg;
    struct vg_liveness *live = pass->live;
    struct vg_task_info info;
    bool overdue, watched;

    vg_task_info(task, &info);
    watched = vg_incident_watches(&live->incidents, info.id);
    overdue = info.owed_since != 0 &&
              vg_stalls_ran(&live->stalls, info.owed_since, pass->now) >= live->config.snooze_ns;
    if (!watched && !overdue)
        return true;
    if (!examine(pass, task, info.id) && watched && !has_finished(task))
        vg_incidents_keep(&live->incidents, &info);
    return true;
}

/* The length of the wait from `woken_at`, if it ended with a poll since the last scan. */
static bool find_answer(struct vg_liveness *live, uint64_t woken_at, uint64_t now, uint64_t *length)
{
    for (unsigned i = 0; i < live->workers * VG_SLOW_SLOTS; i++) {
        struct vg_lane *lane = vg_lane_of(live, i / VG_SLOW_SLOTS);
        const uint64_t n = vg_load(&lane->slow[i % VG_SLOW_SLOTS], relaxed);

        if (n != 0 && woken_at + n >= live->scanned_at && woken_at + n <= now) {
            *length = n;
            return true;
        }
    }
    return false;
}

static void look_at_rows(struct vg_liveness *live, uint64_t now)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &live->incidents.incident[i];

        if (incident->open && incident->alive && vg_is_row(incident->report.verdict))
            incident->alive = vg_rows_stand(live, &incident->report, now, &incident->last);
    }
}

/* What has lasted for a while when it is found has begun then. */
static uint64_t length_of(const struct vg_incident *incident, uint64_t now)
{
    const struct vg_report *report = &incident->report;
    const uint64_t until = vg_is_row(report->verdict) ? incident->last : now;
    uint64_t since = report->at;

    if (report->woken_at != 0)
        since = report->woken_at;
    else if (!vg_is_spin(report->verdict))
        since -= report->lasted;
    return until > since ? until - since : 0;
}

static void close_ended(struct vg_liveness *live, uint64_t now)
{
    const struct vg_incident *incident;

    while ((incident = vg_incidents_close_next(&live->incidents)) != NULL) {
        const struct vg_report *report = &incident->report;
        uint64_t lasted = length_of(incident, now);
        const bool answered =
            report->woken_at != 0 && find_answer(live, report->woken_at, now, &lasted);

        if (vg_is_spin(report->verdict) && vg_herd_end(live, incident, now))
            continue;
        vg_incident_lasted(&live->incidents, report->verdict, lasted);
        if (!incident->muted)
            vg_report_end(live, report, now, lasted, answered);
    }
}

static void scan(struct vg_liveness *live, uint64_t now)
{
    struct pass pass = {.live = live, .now = now};

    take_posts(live, now);
    if (live->exec != NULL) {
        vg_exec_tick(live->exec);
        pass.late = vg_stalls_note_deadline(&live->stalls, vg_exec_next_deadline(live->exec), now);
        vg_lookout_scan(live, now);
        vg_overlooked_scan(live, now);
        vg_alone_scan(live, now);
        vg_stalled_scan(live, now);
    }
    if (live->exec != NULL &&
        (vg_exec_owing(live->exec) > 0 || vg_incidents_open(&live->incidents) > 0)) {
        vg_incidents_begin(&live->incidents);
        vg_exec_each_task(live->exec, visit, &pass);
        look_at_rows(live, now);
        close_ended(live, now);
    }
    if (live->exec != NULL)
        vg_waitfor_scan(live, now);
    vg_herd_report(live, now);
    live->scanned_at = now;
}

bool vg_scan(struct vg_liveness *live, uint64_t now, const struct vg_stall *stall,
             struct vg_pace *pace)
{
    uint32_t idle = 0;

    /* Acquire: pairs with the release below, of the scan before. */
    if (!vg_cas(&live->scanning, &idle, 1, acq_rel, relaxed))
        return false;
    if (stall != NULL)
        vg_stalls_add(&live->stalls, stall);
    live->pace = *pace;
    if (vg_load(&live->level, relaxed) != VG_LEVEL_OFF)
        scan(live, now);
    *pace = live->pace;
    vg_store(&live->scanning, 0, release);
    return true;
}

void vg_watch_scan(struct vg_liveness *live, uint64_t now)
{
    struct vg_pace pace = {.planned = VG_MSEC(10)};

    (void)vg_scan(live, now, NULL, &pace);
}
