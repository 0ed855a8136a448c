/* SPDX-License-Identifier: MIT */
#include "page_tree.h"
#include "telemetry.h"

/* What is wrong now and what was, as JSON. Times are nanoseconds; those that end in _ns_ago count back from now. */

static void put_future(struct vg_page *page, const char *key, const struct vg_report_future *future)
{
    if (future->type == NULL)
        return;
    vg_page_key(page, key);
    vg_page_add(page, "{");
    vg_page_member_string(page, "type", future->type);
    vg_page_member_string(page, "frame", future->frame);
    vg_page_member_site(page, "at", future->site);
    vg_page_member_string(page, "awaits", future->site != NULL ? future->site->expr : NULL);
    vg_page_add(page, "}");
}

static void put_resource(struct vg_page *page, const struct vg_report *report)
{
    if (report->resource_kind == NULL)
        return;
    vg_page_key(page, "resource");
    vg_page_add(page, "{");
    vg_page_member_string(page, "kind", report->resource_kind);
    vg_page_member_string(page, "name", report->resource_name);
    vg_page_member_place(page, "made", report->resource_place);
    vg_page_member(page, "waiters", report->waiters);
    vg_page_member_bool(page, "granted", report->granted);
    vg_page_member_bool(page, "owned", report->owned);
    if (report->owned) {
        vg_page_member_task(page, "owner", report->owner.task);
        vg_page_member_site(page, "taken_at", report->owner.site);
    }
    vg_page_add(page, "}");
}

static void put_report(struct vg_page *page, const struct vg_report *report, uint64_t now)
{
    vg_page_member_string(page, "rule", vg_verdict_name(report->verdict));
    vg_page_member_string(page, "confidence",
                          report->confidence == VG_CONFIRMED ? "confirmed" : "suspected");
    vg_page_member(page, "at_ns_ago", now > report->at ? now - report->at : 0);
    vg_page_member(page, "lasted_ns", report->lasted);
    vg_page_member_bool(page, "ended", report->ended);
    vg_page_member_bool(page, "healed", report->healed);
    vg_page_member_task(page, "task", report->task);
    vg_page_member_string(page, "task_name", report->task_name);
    vg_page_member_place(page, "task_spawned", report->task_spawned);
    if (report->verdict == VG_VERDICT_BLOCKED_WORKER || report->verdict == VG_VERDICT_NEVER_YIELDED)
        vg_page_member(page, "worker", report->worker);
    put_future(page, "starved", &report->starved);
    put_future(page, "parent", &report->parent);
    put_future(page, "blocked", &report->blocked);
    vg_page_member_site(page, "left_at", report->left_at);
    put_resource(page, report);
    vg_page_member(page, "exits", report->exits);
}

static void put_active(struct vg_page *page, struct vg_liveness *live, uint64_t now)
{
    struct vg_report active[VG_ACTIVE_MAX];
    const unsigned count = vg_incidents_copy(&live->incidents, active);

    vg_page_key(page, "active");
    vg_page_add(page, "[");
    for (unsigned i = 0; i < count; i++) {
        vg_page_add(page, "%s\n{", i > 0 ? "," : "");
        put_report(page, &active[i], now);
        vg_page_add(page, "}");
    }
    vg_page_add(page, "]");
}

static void put_past(struct vg_page *page, struct vg_liveness *live, uint64_t now)
{
    struct vg_past_report past;
    bool first = true;

    vg_page_key(page, "reports");
    vg_page_add(page, "[");
    for (unsigned i = 0; i < VG_PAST_MAX; i++) {
        if (!vg_past_copy(&live->past, i, &past))
            continue;
        vg_page_add(page, "%s\n{", first ? "" : ",");
        vg_page_member(page, "number", past.number);
        put_report(page, &past.report, now);
        vg_page_key(page, "text");
        vg_page_text(page, past.text);
        vg_page_add(page, "}");
        first = false;
    }
    vg_page_add(page, "]");
}

static void put_counts(struct vg_page *page, const struct vg_snapshot *snapshot)
{
    vg_page_key(page, "counts");
    vg_page_add(page, "{");
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        const struct vg_snapshot_verdict *verdict = &snapshot->verdict[i];

        vg_page_key(page, vg_verdict_name((enum vg_verdict)i));
        vg_page_add(page, "{");
        vg_page_member(page, "suspected", verdict->suspected);
        vg_page_member(page, "confirmed", verdict->confirmed);
        vg_page_member(page, "reported", verdict->reported);
        vg_page_member(page, "suppressed", verdict->suppressed);
        vg_page_member(page, "healed", verdict->healed);
        vg_page_member(page, "active", verdict->active);
        vg_page_add(page, "}");
    }
    vg_page_add(page, "}");
}

void vg_page_verdicts(struct vg_telemetry *telemetry, struct vg_page *page)
{
    struct vg_liveness *live = telemetry->live;
    struct vg_snapshot *snapshot;

    if (vg_snapshot(live, &snapshot) < 0) {
        page->no_memory = true;
        return;
    }
    vg_page_add(page, "{");
    vg_page_member_string(page, "executor", snapshot->name);
    put_counts(page, snapshot);
    put_active(page, live, snapshot->at);
    put_past(page, live, snapshot->at);
    vg_page_add(page, "}\n");
    vg_snapshot_free(snapshot);
}
