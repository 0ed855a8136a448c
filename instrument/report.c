/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <stdio.h>

const char *vg_verdict_name(enum vg_verdict verdict)
{
    static const char *const names[VG_VERDICT_COUNT] = {
        [VG_VERDICT_SNOOZED_CHILD] = "snoozed-child",
        [VG_VERDICT_FUTURELOCK] = "futurelock",
        [VG_VERDICT_STALLED_GRANT] = "stalled-grant",
        [VG_VERDICT_POLL_AFTER_READY] = "poll-after-ready",
    };

    return (unsigned)verdict < VG_VERDICT_COUNT ? names[verdict] : "?";
}

static void add_quoted(struct vg_text *text, const char *name)
{
    vg_text_add(text, "\"");
    vg_text_name(text, name);
    vg_text_add(text, "\"");
}

static void add_task(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "task ");
    vg_text_task(text, report->task);
    vg_text_add(text, " ");
    add_quoted(text, report->task_name);
}

static void add_resource(struct vg_text *text, const struct vg_report *report)
{
    vg_text_name(text, report->resource_kind);
    if (report->resource_name != NULL) {
        vg_text_add(text, " ");
        add_quoted(text, report->resource_name);
    }
}

/* "lock in do_thing at a.c:31: vg_lock(...)" */
static void add_future(struct vg_text *text, const struct vg_report_future *future)
{
    vg_text_name(text, future->type);
    if (future->frame != NULL && future->frame != future->type) {
        vg_text_add(text, " in ");
        vg_text_name(text, future->frame);
    }
    if (future->site != NULL) {
        vg_text_add(text, " at ");
        vg_text_site(text, future->site);
        vg_text_add(text, ": ");
        vg_text_name(text, future->site->expr);
    }
}

static void add_headline(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "vigil: %s, %s%s: ", vg_verdict_name(report->verdict),
                report->confidence == VG_CONFIRMED ? "confirmed" : "suspected",
                report->healed ? " and healed" : "");
    add_task(text, report);
    switch (report->verdict) {
    case VG_VERDICT_FUTURELOCK:
        vg_text_add(text, report->healed ? " waited for " : " waits for ");
        add_resource(text, report);
        vg_text_add(text, "%s a future that only it could poll, and %s not\n",
                    report->owns ? ", held by" : " behind", report->healed ? "did" : "does");
        break;
    case VG_VERDICT_STALLED_GRANT:
        vg_text_add(text, " was handed ");
        add_resource(text, report);
        vg_text_add(text, " for a future that it does not poll, and others wait\n");
        break;
    case VG_VERDICT_SNOOZED_CHILD:
        vg_text_add(text, " does not poll a child that was woken\n");
        break;
    default:
        vg_text_add(text, " awaits a future whose result it has taken before\n");
    }
}

static void add_waker(struct vg_text *text, const struct vg_report *report)
{
    if (report->woken_by == 0) {
        vg_text_add(text, "from outside (a timer, the kernel, another thread)");
        return;
    }
    vg_text_add(text, "by task ");
    vg_text_task(text, report->woken_by);
    if (report->woken_from != NULL) {
        vg_text_add(text, " at ");
        vg_text_site(text, report->woken_from);
    }
}

static void add_starved(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "  starved   ");
    add_future(text, &report->starved);
    vg_text_add(text, "\n            %s ", report->parked ? "parked by" : "left unpolled by");
    vg_text_name(text, report->parked ? report->parent.frame : report->parent.type);
    if (report->left_at != NULL) {
        vg_text_add(text, " at ");
        vg_text_site(text, report->left_at);
        vg_text_add(text, ": %s\n           ", report->left_at->expr);
    }
    if (report->parent.site != NULL) {
        vg_text_add(text, "%s which is now at ", report->left_at != NULL ? "" : ",");
        vg_text_site(text, report->parent.site);
    }
    vg_text_add(text, "\n            ");
    if (report->woken_at == 0) {
        vg_text_add(text, "not woken yet\n");
        return;
    }
    vg_text_add(text, "woken ");
    vg_text_duration(text, report->lasted);
    vg_text_add(text, " ago ");
    add_waker(text, report);
    vg_text_add(text, ", and not polled since\n");
    if (report->also > 0)
        vg_text_add(text, "            %u more woken futures are held up in the same way\n",
                    report->also);
}

static void add_holder(struct vg_text *text, const struct vg_report *report)
{
    if (report->granted) {
        vg_text_add(text, "            %s\n",
                    report->healed ? "granted to the starved future, taken back, given to the next"
                                   : "granted to the starved future");
        return;
    }
    if (report->owned) {
        vg_text_add(text, "            held by %s", report->owns ? "the starved future, " : "");
        if (report->owner.task != 0) {
            vg_text_add(text, "task ");
            vg_text_task(text, report->owner.task);
        } else {
            vg_text_add(text, "a thread outside");
        }
        if (report->owner.site != NULL) {
            vg_text_add(text, ", taken at ");
            vg_text_site(text, report->owner.site);
        }
        vg_text_add(text, "\n");
    }
    if (report->verdict == VG_VERDICT_FUTURELOCK && !report->owns)
        vg_text_add(text, "            the starved future stands before the blocked one\n");
}

static void add_resource_lines(struct vg_text *text, const struct vg_report *report)
{
    if (report->resource_kind == NULL)
        return;
    vg_text_add(text, "  resource  ");
    add_resource(text, report);
    if (report->resource_place != NULL) {
        vg_text_add(text, ", made at ");
        vg_text_place(text, report->resource_place);
    }
    vg_text_add(text, "; %u in its queue\n", report->waiters);
    add_holder(text, report);
}

static void add_exits(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;
    const unsigned shown = report->exits < VG_EXITS_MAX ? report->exits : VG_EXITS_MAX;

    if (report->blocked.type == NULL)
        return;
    vg_text_add(text, "  exits     ");
    if (report->exits == 0)
        vg_text_add(text,
                    "none: no timer, no I/O and no other future beside it on the await path\n");
    for (unsigned i = 0; i < shown; i++) {
        const struct vg_exit *exit = &evidence->exit[i];

        vg_text_add(text, "%s", i > 0 ? "            " : "late, not locked: may end by ");
        vg_text_name(text, exit->type);
        vg_text_add(text, " at ");
        vg_text_site(text, exit->site);
        vg_text_add(text, "%s\n", exit->timer ? " (timer)" : exit->io ? " (kernel)" : "");
    }
    if (report->exits > shown)
        vg_text_add(text, "            and %u more\n", report->exits - shown);
}

static void add_ways_out(struct vg_text *text, const struct vg_report *report)
{
    if (report->verdict == VG_VERDICT_POLL_AFTER_READY) {
        vg_text_add(text, "  ways out  guard the arm: VG_WHEN(!done, ...)\n");
        return;
    }
    vg_text_add(text, "  ways out  ");
    if (report->parked)
        vg_text_add(text, "VG_KEEP or VG_CANCEL instead of VG_PARK; await or VG_AWAIT_CANCEL() the "
                          "child first; run it as a task of its own\n");
    else
        vg_text_add(text, "poll every child that was woken, or end it; declare children through "
                          "vg_ops.child; run it as a task of its own\n");
}

static void render(struct vg_liveness *live, const struct vg_evidence *evidence,
                   const struct vg_report *report)
{
    struct vg_text text;

    vg_text_init(&text, live->text, sizeof live->text);
    add_headline(&text, report);
    if (report->starved.type != NULL)
        add_starved(&text, report);
    else
        vg_text_add(&text, "  where     "), add_future(&text, &report->parent),
            vg_text_add(&text, "\n");
    if (report->blocked.type != NULL) {
        vg_text_add(&text, "  blocked   ");
        add_future(&text, &report->blocked);
        vg_text_add(&text, "\n");
    }
    add_resource_lines(&text, report);
    add_exits(&text, evidence);
    vg_text_add(&text, "  await tree of ");
    add_task(&text, report);
    vg_text_add(&text, ", spawned at ");
    vg_text_place(&text, report->task_spawned);
    vg_text_add(&text, ", polled %llu times\n", (unsigned long long)evidence->polls);
    vg_tree_print(&evidence->tree, &text, report->at);
    add_ways_out(&text, report);
    if (report->healed) {
        vg_text_add(&text, "  healed after ");
        vg_text_duration(&text, report->lasted);
        vg_text_add(&text, "\n");
    }
    if (report->suppressed > 0)
        vg_text_add(&text, "  %u more like this were not reported\n", report->suppressed);
}

static void deliver(struct vg_liveness *live, struct vg_report *report)
{
    report->text = live->text;
    vg_past_add(&live->past, report);
    if (live->config.to_stderr)
        fputs(live->text, stderr);
    if (live->config.report != NULL)
        live->config.report(report, live->config.arg);
}

void vg_report_evidence(struct vg_liveness *live, const struct vg_evidence *evidence)
{
    struct vg_report report = evidence->report;
    const bool over = report.healed || report.verdict == VG_VERDICT_POLL_AFTER_READY;
    bool allowed;

    if (!over && vg_incident_known(&live->incidents, evidence))
        return;
    allowed = vg_incident_allowed(&live->incidents, &report, &report.suppressed);
    if (!over)
        vg_incident_open(&live->incidents, evidence, !allowed);
    else if (report.healed)
        vg_incident_lasted(&live->incidents, report.verdict, report.lasted);
    if (!allowed)
        return;
    render(live, evidence, &report);
    deliver(live, &report);
}

void vg_report_end(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                   uint64_t lasted, bool answered)
{
    struct vg_report report = *opened;
    struct vg_text text;

    report.ended = true;
    report.at = now;
    report.lasted = lasted;
    vg_text_init(&text, live->text, sizeof live->text);
    vg_text_add(&text, "vigil: %s ended: ", vg_verdict_name(report.verdict));
    add_task(&text, &report);
    vg_text_add(&text, ", ");
    add_future(&text, &report.starved);
    vg_text_add(&text, answered ? " was polled after " : " no longer waits, after ");
    vg_text_duration(&text, lasted);
    vg_text_add(&text, "\n");
    deliver(live, &report);
}
