/* SPDX-License-Identifier: MIT */
#include "alone.h"

#include <string.h>

#include "live.h"

enum { MISSES = 20, LOOKS_MIN = 10 };

static void begin(struct vg_liveness *live, struct vg_alone *alone,
                  const struct vg_worker_info *info, uint64_t now)
{
    if (alone->told)
        vg_report_end_instant(live, &alone->report, now, now - alone->since);
    *alone = (struct vg_alone){
        .task = info->polling, .since = now, .polls = info->polls, .cuts = info->cuts};
}

/* Whether that many looks have found it, and its polls were cut short. */
static bool is_alone(const struct vg_alone *alone, const struct vg_worker_info *info)
{
    return alone->looks >= LOOKS_MIN && alone->looks - alone->found <= alone->looks / MISSES &&
           info->cuts - alone->cuts > (info->polls - alone->polls) / 2;
}

static void report(struct vg_liveness *live, unsigned worker, const struct vg_worker_info *info,
                   uint64_t now)
{
    struct vg_alone *alone = &vg_lane_of(live, worker)->alone;
    struct vg_report *const report = &live->found.report;

    memset(&live->found, 0, offsetof(struct vg_evidence, tree));
    vg_evidence_poll(&live->found, info, now);
    report->verdict = VG_VERDICT_NO_PARALLELISM;
    report->worker = worker;
    report->lasted = now - alone->since;
    report->rounds = (uint32_t)(info->polls - alone->polls);
    (void)vg_ask_worker(live, info->thread, info->polling, report);
    alone->report = *report;
    alone->report.stack = NULL;
    vg_report_evidence(live, &live->found, now);
}

static void look_at(struct vg_liveness *live, unsigned worker, bool sleeps, uint64_t now)
{
    struct vg_alone *const alone = &vg_lane_of(live, worker)->alone;
    struct vg_worker_info info;

    vg_exec_worker(live->exec, worker, &info);
    if (!sleeps || alone->task == 0 || (info.polling != 0 && info.polling != alone->task)) {
        begin(live, alone, &info, now);
        return;
    }
    alone->looks++;
    alone->found += info.polling == alone->task;
    if (vg_stalls_ran(&live->stalls, alone->since, now) < VG_ALONE_NS)
        return;
    if (is_alone(alone, &info) && info.polling != 0 && !alone->told) {
        report(live, worker, &info, now);
        alone->told = true; /* until it has been otherwise */
    } else if (!is_alone(alone, &info)) {
        begin(live, alone, &info, now);
    }
}

void vg_alone_scan(struct vg_liveness *live, uint64_t now)
{
    const bool sleeps = vg_someone_sleeps(live, live->workers);

    for (unsigned i = 0; i < live->workers; i++)
        look_at(live, i, sleeps, now);
}
