/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a wake that did not come, and of what has vanished. */

void vg_report_units(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "  resource  %s ", report->resource_kind);
    vg_report_quoted(text, report->resource_name);
    if (report->resource_place != NULL) {
        vg_text_add(text, ", made at ");
        vg_text_place(text, report->resource_place);
    }
    vg_text_add(text, "; %llu free", (unsigned long long)report->free);
    if (report->total > 0)
        vg_text_add(text, ", %llu held, %llu granted, of %llu", (unsigned long long)report->held,
                    (unsigned long long)report->granted_units, (unsigned long long)report->total);
    if (report->wanted > 0)
        vg_text_add(text, "; the next in line wants %llu", (unsigned long long)report->wanted);
    vg_text_add(text, "; %u in its queue\n", report->waiters);
}

void vg_report_lost(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;
    const bool wake = report->verdict == VG_VERDICT_LOST_WAKEUP;
    const uint64_t sum = report->free + report->held + report->granted_units;

    vg_report_task(text, report);
    if (wake)
        vg_text_add(text, " waits for what is there, and has not been woken\n");
    else
        vg_text_add(text, " waits for a resource of which %llu of %llu have vanished\n",
                    (unsigned long long)(report->total - sum), (unsigned long long)report->total);
    vg_text_add(text, "  blocked   ");
    vg_report_future(text, &report->blocked);
    vg_text_add(text, "\n");
    vg_report_units(text, report);
    vg_report_tree(text, evidence);
    vg_text_add(
        text, wake ? "  ways out  after queueing look again; whoever leaves the queue, or gives "
                     "something back, wakes the next that can be served\n"
                   : "  ways out  a future that is cancelled with a grant gives it back, and wakes "
                     "the next\n");
}
