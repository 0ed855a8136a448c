/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a future that nobody polls. */

static void add_resource(struct vg_text *text, const struct vg_report *report)
{
    vg_text_name(text, report->resource_kind);
    if (report->resource_name != NULL) {
        vg_text_add(text, " ");
        vg_report_quoted(text, report->resource_name);
    }
}

static void add_headline(struct vg_text *text, const struct vg_report *report)
{
    vg_report_task(text, report);
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
    default:
        vg_text_add(text, " does not poll a child that was woken\n");
        break;
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
    vg_report_future(text, &report->starved);
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
    vg_text_add(text, "  ways out  ");
    if (report->parked)
        vg_text_add(text, "VG_KEEP or VG_CANCEL instead of VG_PARK; await or VG_AWAIT_CANCEL() the "
                          "child first; run it as a task of its own\n");
    else
        vg_text_add(text, "poll every child that was woken, or end it; declare children through "
                          "vg_ops.child; run it as a task of its own\n");
}

void vg_report_starved(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    add_headline(text, report);
    add_starved(text, report);
    if (report->blocked.type != NULL) {
        vg_text_add(text, "  blocked   ");
        vg_report_future(text, &report->blocked);
        vg_text_add(text, "\n");
    }
    add_resource_lines(text, report);
    add_exits(text, evidence);
    vg_report_tree(text, evidence);
    add_ways_out(text, report);
    if (report->healed) {
        vg_text_add(text, "  healed after ");
        vg_text_duration(text, report->lasted);
        vg_text_add(text, "\n");
    }
}
