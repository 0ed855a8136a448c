/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of a future that waits for a resource longer than it should. */

static void add_headline(struct vg_text *text, const struct vg_report *report)
{
    vg_report_task(text, report);
    switch (report->verdict) {
    case VG_VERDICT_HOARDED_RESERVATION:
        vg_text_add(text, " waits for what others hold, who have waited for something else for ");
        vg_text_duration(text, report->lasted);
        break;
    case VG_VERDICT_UNFAIR_LOCK:
        vg_text_add(text, " is overtaken: others that came later were served %llu times in ",
                    (unsigned long long)report->overtaken);
        vg_text_duration(text, report->lasted);
        break;
    default:
        vg_text_add(text, " waits for what only a future can give that has never been polled: %s",
                    report->unpolled);
    }
    vg_text_add(text, "\n");
}

static void add_holders(struct vg_text *text, const struct vg_report *report)
{
    for (unsigned i = 0; report->ring != NULL && i < report->ring_length; i++) {
        vg_text_add(text, "  held by   ");
        vg_report_link_waits(text, &report->ring[i]);
        vg_text_add(text, "\n");
    }
}

static const char *ways_out(const struct vg_report *report)
{
    switch (report->verdict) {
    case VG_VERDICT_HOARDED_RESERVATION:
        return "  ways out  wait for the input first, and reserve then; give it back while there "
               "is nothing to do\n";
    case VG_VERDICT_UNFAIR_LOCK:
        return "  ways out  first come, first served: a vg_rwlock, vg_mutex or vg_semaphore\n";
    default:
        return "  ways out  await it beside this (VG_JOIN, VG_SELECT with VG_KEEP), or spawn it, "
               "before waiting for it; take nothing before the first poll\n";
    }
}

void vg_report_kept_waiting(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    add_headline(text, report);
    vg_text_add(text, "  blocked   ");
    vg_report_future(text, &report->blocked);
    vg_text_add(text, "\n");
    vg_report_units(text, report);
    add_holders(text, report);
    vg_report_tree(text, evidence);
    vg_text_add(text, "%s", ways_out(report));
}
