/* SPDX-License-Identifier: MIT */
#include "live.h"
#include "vg_spin.h"

/*
 * Spins of one kind, that is, of the same future at the same place, are one finding, however many tasks do it. Each is an
 * incident of its own, so that its end is noticed; one of them, the first, is reported, after a moment in which
 * the others turn up. When that one ends another takes its place.
 */

static const uint64_t HOLD = VG_MSEC(20);

static bool is_kin(const struct vg_incident *incident, const struct vg_report *report)
{
    return incident->open && incident->report.verdict == report->verdict &&
           incident->report.starved.type == report->starved.type &&
           incident->report.starved.site == report->starved.site;
}

static struct vg_incident *find_first(struct vg_liveness *live, const struct vg_report *report)
{
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *incident = &live->incidents.incident[i];

        if (is_kin(incident, report) && !incident->follows)
            return incident;
    }
    return NULL;
}

/* What has become of it since it was found. */
static void update(struct vg_report *report, const struct vg_report *now_known, uint64_t now)
{
    report->busy_ns = (now_known->visits - report->visits) * report->visit_ns;
    report->lasted = now - report->at;
    report->visits = now_known->visits;
    report->instances = now_known->instances;
}

static void report(struct vg_liveness *live, struct vg_evidence *evidence, uint64_t now)
{
    struct vg_incident *first = find_first(live, &evidence->report);

    if (first != NULL)
        update(&evidence->report, &first->report, now);
    if (vg_incident_allowed(&live->incidents, &evidence->report, &evidence->report.suppressed))
        vg_report_now(live, evidence);
    else if (first != NULL)
        first->muted = true;
}

static void flush(struct vg_liveness *live, uint64_t now)
{
    live->gathered.used = false;
    report(live, &live->gathered.evidence, now);
}

void vg_herd_add(struct vg_liveness *live, const struct vg_evidence *evidence, uint64_t now)
{
    struct vg_incident *first = find_first(live, &evidence->report);

    if (first != NULL) {
        vg_spin_lock(&live->incidents.guard);
        first->report.instances++;
        vg_spin_unlock(&live->incidents.guard);
        vg_incident_open(&live->incidents, evidence, first->muted)->follows = true;
        return;
    }
    vg_incident_open(&live->incidents, evidence, false);
    if (live->gathered.used)
        flush(live, now);
    live->gathered.evidence = *evidence;
    live->gathered.due = now + HOLD;
    live->gathered.used = true;
}

void vg_herd_report(struct vg_liveness *live, uint64_t now)
{
    if (live->gathered.used && now >= live->gathered.due)
        flush(live, now);
}

bool vg_herd_end(struct vg_liveness *live, const struct vg_incident *ended, uint64_t now)
{
    const struct vg_report *report = &ended->report;

    if (ended->follows)
        return true;
    if (live->gathered.used && live->gathered.evidence.report.task == report->task)
        flush(live, now);
    for (unsigned i = 0; i < VG_INCIDENTS_MAX; i++) {
        struct vg_incident *next = &live->incidents.incident[i];

        if (!is_kin(next, report))
            continue;
        next->follows = false;
        vg_spin_lock(&live->incidents.guard);
        next->report.instances = report->instances;
        next->report.at = report->at;
        next->report.lasted = report->lasted;
        vg_spin_unlock(&live->incidents.guard);
        return true;
    }
    return false;
}
