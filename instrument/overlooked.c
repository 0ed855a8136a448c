/* SPDX-License-Identifier: MIT */
#include "overlooked.h"

#include <string.h>

#include "live.h"

static const uint64_t polls_needed[VG_OVERLOOKED_KINDS] = {
    [VG_OVERLOOKED_QUEUE] = 1000,
    [VG_OVERLOOKED_TIMERS] = 64,
    [VG_OVERLOOKED_KERNEL] = 64,
};

static const enum vg_verdict verdict_of[VG_OVERLOOKED_KINDS] = {
    [VG_OVERLOOKED_QUEUE] = VG_VERDICT_TASK_STARVED,
    [VG_OVERLOOKED_SLOT] = VG_VERDICT_TASK_STARVED,
    [VG_OVERLOOKED_TIMERS] = VG_VERDICT_TIMER_LATE,
    [VG_OVERLOOKED_KERNEL] = VG_VERDICT_IO_LATE,
};

static void report(struct vg_liveness *live, unsigned worker, unsigned kind,
                   const struct vg_seen_task *task, const struct vg_worker_info *info, uint64_t now)
{
    struct vg_overlooked_thing *thing = &vg_lane_of(live, worker)->overlooked.thing[kind];
    struct vg_report *const report = &live->found.report;

    memset(&live->found, 0, offsetof(struct vg_evidence, tree));
    report->verdict = verdict_of[kind];
    report->confidence = VG_CONFIRMED;
    report->at = now;
    report->lasted = now - thing->since;
    report->task = task->id;
    report->task_name = task->name;
    report->task_spawned = task->spawned;
    report->worker = worker;
    report->polls_since = info->polls - thing->polls;
    report->in_slot = kind == VG_OVERLOOKED_SLOT;
    report->blocked.type = info->task_name; /* what it polls now, if anything */
    thing->report = *report;
    vg_report_evidence(live, &live->found, now);
}

/* Whether it has been so for long enough, and is news. */
static bool note(struct vg_liveness *live, unsigned worker, unsigned kind, uint64_t id,
                 uint64_t mark, const struct vg_worker_info *info, uint64_t now)
{
    struct vg_overlooked_thing *thing = &vg_lane_of(live, worker)->overlooked.thing[kind];

    if (id == 0 || thing->id != id || thing->mark != mark) {
        if (thing->told)
            vg_report_end_instant(live, &thing->report, now, now - thing->since);
        *thing = (struct vg_overlooked_thing){
            .id = id, .mark = mark, .since = now, .polls = info->polls};
        return false;
    }
    if (thing->told || vg_stalls_ran(&live->stalls, thing->since, now) < VG_OVERLOOKED_NS ||
        info->polls - thing->polls < polls_needed[kind])
        return false;
    thing->told = true;
    return true;
}

bool vg_someone_sleeps(const struct vg_liveness *live, unsigned but)
{
    struct vg_worker_info info;

    for (unsigned i = 0; i < live->workers; i++) {
        if (i == but)
            continue;
        vg_exec_worker(live->exec, i, &info);
        if (info.state == VG_WORKER_PARK)
            return true;
    }
    return false;
}

static void look_at_queues(struct vg_liveness *live, unsigned worker,
                           const struct vg_worker_info *info, uint64_t now)
{
    struct vg_seen_task slot, first;
    bool stuck;

    vg_exec_upcoming(live->exec, worker, &slot, &first);
    if (note(live, worker, VG_OVERLOOKED_QUEUE, first.id, first.polls, info, now))
        report(live, worker, VG_OVERLOOKED_QUEUE, &first, info, now);
    stuck = info->polling != 0 && slot.id != 0 && vg_someone_sleeps(live, worker);
    if (note(live, worker, VG_OVERLOOKED_SLOT, stuck ? slot.id : 0, info->polls, info, now))
        report(live, worker, VG_OVERLOOKED_SLOT, &slot, info, now);
}

static void look_at_events(struct vg_liveness *live, unsigned worker,
                           const struct vg_worker_info *info, uint64_t now)
{
    const bool late = info->deadline != VG_NEVER && info->deadline < now;
    struct vg_seen_task task = {.id = 0};
    struct vg_driver_stats stats;

    if (note(live, worker, VG_OVERLOOKED_TIMERS, late ? info->deadline : 0, 0, info, now)) {
        vg_exec_overdue(live->exec, worker, now, &task);
        report(live, worker, VG_OVERLOOKED_TIMERS, &task, info, now);
    }
    vg_exec_driver_stats(live->exec, worker, &stats);
    if (note(live, worker, VG_OVERLOOKED_KERNEL, stats.stranded > 0 || stats.deferred, info->turns,
             info, now)) {
        task = (struct vg_seen_task){.id = 0};
        report(live, worker, VG_OVERLOOKED_KERNEL, &task, info, now);
    }
}

void vg_overlooked_scan(struct vg_liveness *live, uint64_t now)
{
    struct vg_worker_info info;

    for (unsigned i = 0; i < live->workers; i++) {
        vg_exec_worker(live->exec, i, &info);
        look_at_queues(live, i, &info, now);
        look_at_events(live, i, &info, now);
    }
}
