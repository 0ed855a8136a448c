/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a task that is busy for nothing. */

static void add_share(struct vg_text *text, const struct vg_report *report)
{
    const uint64_t share = 100 * report->busy_ns / report->lasted;

    vg_text_add(text, "; of the last ");
    vg_text_duration(text, report->lasted);
    vg_text_add(text, " they took %u %%", (unsigned)(share < 100 ? share : 100));
}

static void add_times(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(
        text,
        "  polls     %u in a row came to nothing: no future has ended, none has said that it "
        "has got on\n            ",
        report->visits);
    vg_text_duration(text, report->visit_ns);
    vg_text_add(text, " each");
    if (report->lasted > 0)
        add_share(text, report);
    vg_text_add(text, "\n");
    if (report->instances > 1)
        vg_text_add(text, "            %u tasks do the same at this place\n", report->instances);
}

void vg_report_spin(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;
    const bool self = report->verdict == VG_VERDICT_SELF_WAKE_SPIN;

    vg_report_task(text, report);
    vg_text_add(text,
                self ? " wakes itself again and again, to no effect\n"
                     : " is woken again and again, to no effect, by tasks that fare no better\n");
    vg_text_add(text, "  future    ");
    vg_report_future(text, &report->starved);
    vg_text_add(text, "\n");
    add_times(text, report);
    vg_report_tree(text, evidence);
    vg_text_add(
        text,
        self ? "  ways out  arm a waiter with whoever changes the condition, instead of waking "
               "yourself to look at it; if each poll does a part of the work: vg_progress()\n"
             : "  ways out  wake only when there is something to do; look at what the wake was "
               "for before passing it on; if a poll has got on: vg_progress()\n");
}

void vg_report_spin_end(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, " has got on or ended, %u fruitless polls later", report->visits);
    if (report->instances > 1)
        vg_text_add(text, ", the last of %u tasks", report->instances);
    vg_text_add(text, ", after ");
}
