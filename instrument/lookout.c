/* SPDX-License-Identifier: MIT */
#include <vigil/driver.h>

#include "live.h"

/* The watch over all workers' polls, and the reports of those that do not end. See blocked.h. */

static void add(VG_ATOMIC(uint64_t) *counter, uint64_t n)
{
    vg_store(counter, vg_load(counter, relaxed) + n, relaxed);
}

static void raise(VG_ATOMIC(uint64_t) *max, uint64_t n)
{
    if (n > vg_load(max, relaxed))
        vg_store(max, n, relaxed);
}

static struct vg_blocked_look take_look(int thread, uint64_t now, bool closely)
{
    struct vg_blocked_look look = {.at = now, .cpu = vg_os_cpu_time_of(thread)};

    look.has_os = closely && vg_os_look_at(thread, &look.os);
    return look;
}

static void end_poll(struct vg_liveness *live, unsigned worker, uint64_t now)
{
    struct vg_blocked *const blocked = &vg_lane_of(live, worker)->blocked;

    if (blocked->reported > 0) {
        vg_incident_set_poll(&live->incidents, worker, NULL);
        vg_incident_lasted(&live->incidents, blocked->report.verdict, blocked->lasted);
    }
    if (blocked->heard)
        vg_report_end_poll(live, &blocked->report, now, blocked->lasted);
    *blocked = (struct vg_blocked){.task = 0};
}

/* Whether the worker is still in the poll that it was in a moment ago. */
static bool is_still_in_it(struct vg_liveness *live, unsigned worker)
{
    struct vg_worker_info info;

    vg_exec_worker(live->exec, worker, &info);
    return vg_blocked_goes_on(&vg_lane_of(live, worker)->blocked, &info);
}

/* One root cause, one finding: the report that is out goes by another name from now on. */
static void change_verdict(struct vg_blocked *blocked)
{
    if (blocked->reported == 0)
        return;
    blocked->report.verdict = VG_VERDICT_NEVER_YIELDED;
    blocked->reported = blocked->lasted / 2; /* so that it is due now */
}

static void go_on(struct vg_liveness *live, unsigned worker, const struct vg_worker_info *info,
                  uint64_t now)
{
    const struct vg_blocked_limits limits = {live->config.block_ns, live->pace.planned,
                                             live->pace.took};
    const struct vg_blocked_look look = take_look(info->thread, now, true);
    struct vg_lane *const lane = vg_lane_of(live, worker);
    struct vg_blocked *const blocked = &lane->blocked;
    const uint64_t counted = blocked->found ? blocked->lasted : 0;

    vg_exec_rescue(live->exec, worker);
    if (!is_still_in_it(live, worker))
        return; /* the look may have been at something else: the next scan sees that it is over */
    if (vg_blocked_add(blocked, &look, &limits, info->task_polls <= 1))
        change_verdict(blocked);
    if (!blocked->found)
        return;
    add(&lane->blocks, counted == 0);
    add(&lane->blocked_ns, blocked->lasted - counted);
    raise(&lane->blocked_max, blocked->lasted);
}

/* Workers without a thread are stepped by their caller: no time passes in their polls. */
static void look_at(struct vg_liveness *live, unsigned worker, uint64_t now)
{
    struct vg_blocked *const blocked = &vg_lane_of(live, worker)->blocked;
    struct vg_blocked_look look;
    struct vg_worker_info info;

    vg_exec_worker(live->exec, worker, &info);
    if (vg_blocked_goes_on(blocked, &info)) {
        go_on(live, worker, &info, now);
        return;
    }
    end_poll(live, worker, now);
    if (info.polling == 0 || info.thread == 0)
        return;
    look = take_look(info.thread, now, false);
    vg_blocked_begin(blocked, &info, &look);
}

static bool are_all_blocked(const struct vg_liveness *live)
{
    for (unsigned i = 0; i < live->workers; i++)
        if (!vg_lane_of(live, i)->blocked.found)
            return false;
    return true;
}

/* False: the poll has ended meanwhile. */
static bool describe(struct vg_liveness *live, unsigned worker, uint64_t now)
{
    const struct vg_blocked *blocked = &vg_lane_of(live, worker)->blocked;
    struct vg_report *report = &live->found.report;
    struct vg_driver_stats stats;
    struct vg_worker_info info;

    vg_exec_driver_stats(live->exec, worker, &stats);
    vg_exec_worker(live->exec, worker, &info);
    if (!vg_blocked_goes_on(blocked, &info))
        return false;
    vg_evidence_poll(&live->found, &info, now);
    if (blocked->never_yields)
        report->verdict = VG_VERDICT_NEVER_YIELDED;
    report->lasted = blocked->lasted;
    report->worker = worker;
    report->again = blocked->reported > 0;
    report->asleep = blocked->slept >= blocked->computed;
    report->all_workers = are_all_blocked(live);
    report->cpu_ns = blocked->computed;
    report->stranded = stats.stranded;
    report->deferred = stats.deferred;
    return true;
}

/* The thread is asked only for a report that will be made. If it sleeps, asking again would find the same, and
 * might wake it. */
static void say_where(struct vg_liveness *live, const struct vg_blocked *blocked)
{
    struct vg_report *const report = &live->found.report;

    if (report->asleep && blocked->heard)
        report->parent = blocked->report.parent;
    else
        (void)vg_ask_worker(live, blocked->thread, blocked->task, report);
}

static void report(struct vg_liveness *live, unsigned worker, uint64_t now)
{
    struct vg_blocked *const blocked = &vg_lane_of(live, worker)->blocked;
    struct vg_report *const report = &live->found.report;

    if (!describe(live, worker, now))
        return;
    blocked->reported = blocked->lasted;
    if (vg_incident_allowed(&live->incidents, report, &report->suppressed)) {
        say_where(live, blocked);
        vg_report_now(live, &live->found);
        blocked->heard = true;
    }
    blocked->report = *report;
    blocked->report.stack = NULL;
    vg_incident_set_poll(&live->incidents, worker, &blocked->report);
}

void vg_lookout_scan(struct vg_liveness *live, uint64_t now)
{
    for (unsigned i = 0; i < live->workers; i++)
        look_at(live, i, now);
    for (unsigned i = 0; i < live->workers; i++) {
        const uint64_t began = vg_os_now();

        if (!vg_blocked_is_due(&vg_lane_of(live, i)->blocked))
            continue;
        report(live, i, now);
        live->pace.reporting += vg_os_now() - began;
    }
}
