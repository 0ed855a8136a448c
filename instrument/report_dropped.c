/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a future that was cancelled because another one had won. */

static void add_headline(struct vg_text *text, const struct vg_report *report)
{
    vg_report_task(text, report);
    if (report->carried) {
        vg_text_add(text, " has lost what it had received: a function that was about to hand it on "
                          "was cancelled");
        if (report->drops > 1)
            vg_text_add(text, ", for the %uth time", report->drops);
        vg_text_add(text, "\n");
        return;
    }
    vg_text_add(text,
                report->length > 0 ? " has set a timer of " : " has thrown away the same work ");
    if (report->length > 0) {
        vg_text_duration(text, report->length);
        vg_text_add(text, " again ");
    }
    vg_text_add(text, "%u times in ", report->drops);
    vg_text_duration(text, report->spanned);
    vg_text_add(text, report->length > 0 ? ", and it never expired\n"
                                         : ", timed out in the middle of it, and never done\n");
}

static const char *ways_out(const struct vg_report *report)
{
    if (report->carried)
        return "  ways out  reserve the room first, then receive and send without an await "
               "between; VG_KEEP the arm and await it again\n";
    if (report->length > 0)
        return "  ways out  make a vg_sleep_until() once, before the loop, and VG_PARK the arm; if "
               "every event is meant to put it off, this is right\n";
    return "  ways out  do it in a task of its own and wait for that; a longer timeout\n";
}

void vg_report_dropped(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    add_headline(text, report);
    vg_text_add(text, "  dropped   ");
    vg_report_future(text, &report->starved);
    if (report->length == 0) {
        vg_text_add(text, "\n  waited    in ");
        vg_report_future(text, &report->blocked);
    }
    vg_text_add(text, "\n");
    vg_report_tree(text, evidence);
    vg_text_add(text, "%s", ways_out(report));
}

void vg_report_stalled(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    vg_report_task(text, report);
    vg_text_add(text, " has cancelled a future, which has not ended since: for ");
    vg_text_duration(text, report->lasted);
    vg_text_add(text, "\n  cancelled ");
    vg_report_future(text, &report->starved);
    vg_text_add(text, "\n  waits     in ");
    vg_report_future(text, &report->blocked);
    if (report->resource_kind != NULL) {
        vg_text_add(text, "\n            for %s ", report->resource_kind);
        vg_report_quoted(text, report->resource_name);
    }
    vg_text_add(text, "\n");
    vg_report_tree(text, evidence);
    vg_text_add(text,
                "  ways out  what a cancelled function still awaits has to be short: a timeout "
                "around what is shielded\n");
}
