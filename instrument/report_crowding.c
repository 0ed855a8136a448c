/* SPDX-License-Identifier: MIT */
#include "report.h"

/* What is said of futures that are in each other's way. */

static void add_duration(struct vg_text *text, const char *before, uint64_t length)
{
    vg_text_add(text, "%s", before);
    vg_text_duration(text, length);
    vg_text_add(text, "\n");
}

static void add_arm(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text,
                " has not come to an arm of its select for %u rounds, though there is something "
                "for it, for ",
                report->rounds);
    add_duration(text, "", report->lasted);
    vg_text_add(text, "  passed    ");
    vg_report_future(text, &report->starved);
    if (report->resource_kind != NULL) {
        vg_text_add(text, "\n  resource  %s ", report->resource_kind);
        vg_report_quoted(text, report->resource_name);
    }
    vg_text_add(text, "\n");
}

static void add_refusals(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(
        text,
        " polls futures again and again whose poll has no budget left: %llu times, while %llu "
        "got on",
        (unsigned long long)report->refused, (unsigned long long)report->useful);
    add_duration(text, ", in ", report->lasted);
    vg_text_add(text, "  refused   ");
    vg_report_future(text, &report->starved);
    vg_text_add(text, "\n  polled by ");
    vg_report_future(text, &report->parent);
    vg_text_add(text, "\n");
}

static void add_alone(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text,
                " has kept worker %u busy by itself, %u polls that each left woken children over, "
                "and others sleep",
                report->worker, report->rounds);
    add_duration(text, ", for ", report->lasted);
    vg_text_add(text, "  child     ");
    vg_report_future(text, &report->parent);
    vg_text_add(text, "\n");
}

static void add_reentry(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, " polls a future from within a wake\n  polled    ");
    vg_report_future(text, &report->starved);
    vg_text_add(text, "\n  woken by  %s ", report->resource_kind);
    vg_report_quoted(text, report->resource_name);
    vg_text_add(text, "\n");
}

static const char *ways_out(enum vg_verdict verdict)
{
    switch (verdict) {
    case VG_VERDICT_ARM_STARVED:
        return "  ways out  VG_SELECT, which is fair; take a few from the first and then look at "
               "the others\n";
    case VG_VERDICT_BUDGET_STARVED:
        return "  ways out  return pending when a child says that the budget is used up; vg_set, "
               "which does\n";
    case VG_VERDICT_NO_PARALLELISM:
        return "  ways out  make the children tasks (VG_SPAWN, vg_scope), or compute in "
               "vg_spawn_blocking()\n";
    default:
        return "  ways out  a wake only marks and queues (vg_wake()); call back after unlocking, "
               "outside of polls\n";
    }
}

void vg_report_crowding(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    vg_report_task(text, report);
    switch (report->verdict) {
    case VG_VERDICT_ARM_STARVED:
        add_arm(text, report);
        break;
    case VG_VERDICT_BUDGET_STARVED:
        add_refusals(text, report);
        break;
    case VG_VERDICT_NO_PARALLELISM:
        add_alone(text, report);
        break;
    default:
        add_reentry(text, report);
    }
    if (report->verdict != VG_VERDICT_NO_PARALLELISM)
        vg_report_tree(text, evidence);
    vg_text_add(text, "%s", ways_out(report->verdict));
}
