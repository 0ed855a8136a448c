/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a future that nothing can wake. */

void vg_report_unarmed(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    vg_report_task(text, report);
    vg_text_add(text, report->hangs
                          ? " waits for a future that nothing can wake, and will never run again\n"
                          : " has a future that nothing can wake\n");
    vg_text_add(text, "  pending   ");
    vg_report_future(text, &report->starved);
    vg_text_add(text, "\n            it has armed no waiter, and nothing below it has\n");
    if (!report->hangs)
        vg_text_add(text, "            what else the task waits for may hide that for a while\n");
    vg_report_tree(text, evidence);
    vg_text_add(
        text,
        "  ways out  arm a waiter before returning VG_PENDING, in every poll that returns it; "
        "poll a child again until it is pending; to wait for ever, await vg_forever()\n");
}
