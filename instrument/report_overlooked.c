/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a worker that runs tasks and does not come to something else. */

static void add_subject(struct vg_text *text, const struct vg_report *report)
{
    switch (report->verdict) {
    case VG_VERDICT_TASK_STARVED:
        vg_report_task(text, report);
        vg_text_add(text, ", spawned at ");
        vg_text_place(text, report->task_spawned);
        vg_text_add(text, ", is not run: it has been %s of worker %u for ",
                    report->in_slot ? "in the private slot" : "the first in the run queue",
                    report->worker);
        break;
    case VG_VERDICT_TIMER_LATE:
        vg_text_add(text, "timers of worker %u are late by ", report->worker);
        break;
    default:
        vg_text_add(text, "completions have waited at worker %u for ", report->worker);
    }
    vg_text_duration(text, report->lasted);
    vg_text_add(text, "\n");
}

void vg_report_overlooked(struct vg_text *text, const struct vg_report *report)
{
    add_subject(text, report);
    if (report->verdict == VG_VERDICT_TIMER_LATE && report->task != 0) {
        vg_text_add(text, "  waits     ");
        vg_report_task(text, report);
        vg_text_add(text, ", spawned at ");
        vg_text_place(text, report->task_spawned);
        vg_text_add(text, ", for one of them\n");
    }
    if (report->in_slot)
        vg_text_add(text, "  cause     the worker is in one poll all the time, and others sleep\n");
    else
        vg_text_add(text, "  cause     the worker has made %llu polls meanwhile\n",
                    (unsigned long long)report->polls_since);
    if (report->blocked.type != NULL) {
        vg_text_add(text, "  polls     now \"");
        vg_text_name(text, report->blocked.type);
        vg_text_add(text, "\"\n");
    }
}
