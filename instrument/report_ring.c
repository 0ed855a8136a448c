/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of tasks that wait for each other. */

void vg_report_link_waits(struct vg_text *text, const struct vg_report_link *link)
{
    vg_text_add(text, "task ");
    vg_text_task(text, link->task);
    vg_text_add(text, " ");
    vg_report_quoted(text, link->task_name);
    vg_text_add(text, ", spawned at ");
    vg_text_place(text, link->task_spawned);
    vg_text_add(text, "\n            in ");
    vg_report_future(text, &link->future);
    vg_text_add(text, "\n            for %s ", link->resource_kind);
    vg_report_quoted(text, link->resource_name);
    if (link->resource_place != NULL) {
        vg_text_add(text, ", made at ");
        vg_text_place(text, link->resource_place);
    }
}

static void add_link(struct vg_text *text, const struct vg_report_link *link)
{
    vg_text_add(text, "  waits     ");
    vg_report_link_waits(text, link);
    vg_text_add(text, ", which depends on task ");
    vg_text_task(text, link->owner.task);
    if (link->owner.site != NULL) {
        vg_text_add(text, " since ");
        vg_text_site(text, link->owner.site);
    }
    if (link->others > 0)
        vg_text_add(text, "\n            and for %u more, with which it is the same", link->others);
    vg_text_add(text, "\n");
}

static const char *ways_out(const struct vg_report *report)
{
    if (report->verdict == VG_VERDICT_RECURSIVE_WAIT)
        return "  ways out  give it back first, or pass it down; another task for the other end of "
               "a "
               "channel; try_send, and a queue of your own\n";
    return "  ways out  take them in the same order everywhere; hold none while waiting for "
           "another; a "
           "timeout around one of the waits\n";
}

void vg_report_ring(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    if (report->verdict == VG_VERDICT_RECURSIVE_WAIT) {
        vg_report_task(text, report);
        vg_text_add(text, " waits for what it has itself");
    } else {
        vg_text_add(text, "%u tasks wait for one another", report->ring_length);
    }
    vg_text_add(text, ", and for nothing else");
    if (report->victims > 0)
        vg_text_add(text, "; %u more wait behind %s", report->victims,
                    report->ring_length > 1 ? "them" : "it");
    vg_text_add(text, "\n");
    for (unsigned i = 0; i < report->ring_length && i < VG_RING_MAX; i++)
        add_link(text, &report->ring[i]);
    if (report->ring_length > VG_RING_MAX)
        vg_text_add(text, "  ...       and %u more\n", report->ring_length - VG_RING_MAX);
    if (report->confidence == VG_SUSPECTED)
        vg_text_add(text, "  exits     only a task that is not known to have to do with it\n");
    vg_report_tree(text, evidence);
    vg_text_add(text, "%s", ways_out(report));
}
