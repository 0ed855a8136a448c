/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "report.h"

/* What is said of a poll that does not end. */

static void add_waiting(struct vg_text *text, const struct vg_report *report)
{
    if (report->queued > 0)
        vg_text_add(text, "            %u %s in its queues\n", report->queued,
                    report->queued == 1 ? "task waits" : "tasks wait");
    if (report->stranded > 0 || report->deferred)
        vg_text_add(text, "            %u%s %s in its ring, where nobody else may look\n",
                    report->stranded, report->deferred ? " or more" : "",
                    report->stranded == 1 ? "completion waits" : "completions wait");
    if (report->all_workers)
        vg_text_add(text,
                    "            every worker is blocked: no task runs, and no timer is on time\n");
}

static void add_lock(struct vg_text *text, const struct vg_report *report)
{
    if (report->blocks_on == NULL)
        return;
    vg_text_add(text, "            its thread waits for os-mutex ");
    vg_report_quoted(text, report->blocks_on);
    if (report->blocks_owner != 0) {
        vg_text_add(text, ", which task ");
        vg_text_task(text, report->blocks_owner);
        vg_text_add(text, " has");
    }
    vg_text_add(text, "\n");
}

static void add_worker(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "  worker    %s; ", report->asleep ? "asleep in the kernel" : "computing");
    vg_text_duration(text, report->cpu_ns);
    vg_text_add(text, " of CPU time in this poll\n");
    add_lock(text, report);
    add_waiting(text, report);
}

static void add_where(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "  where     ");
    if (report->parent.type == NULL && report->parent.site == NULL)
        vg_text_add(text, "not known: the thread was not asked, or did not answer");
    else
        vg_report_future(text, &report->parent);
    if (report->parent.site != NULL)
        vg_text_add(text, " (the last await that it came to)");
    vg_text_add(text, "\n");
}

static void add_stack(struct vg_text *text, const struct vg_report *report)
{
    const char *line = report->stack, *end;

    for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1)
        vg_text_add(text, "  %-10s%.*s\n", line == report->stack ? "stack" : "", (int)(end - line),
                    line);
}

static void add_ways_out(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "  ways out  ");
    if (report->asleep)
        vg_text_add(
            text, "await instead of blocking: vg_sleep(), the futures of vigil/io.h, vg_lock(); or "
                  "make the call on a thread of your own and wake a waiter from there\n");
    else
        vg_text_add(text,
                    "VG_AWAIT(rc, vg_yield(...)) between slices of the work; or do it on a thread "
                    "of your own\n");
}

static void add_headline(struct vg_text *text, const struct vg_report *report)
{
    if (report->verdict == VG_VERDICT_NEVER_YIELDED) {
        vg_report_task(text, report);
        vg_text_add(text, " has held worker %u since it began, for ", report->worker);
    } else {
        vg_text_add(text, "worker %u %s one poll of ", report->worker,
                    report->again ? "is still in" : "has not come out of");
        vg_report_task(text, report);
        vg_text_add(text, " for ");
    }
    vg_text_duration(text, report->lasted);
    vg_text_add(text, "\n");
}

void vg_report_poll(struct vg_text *text, const struct vg_report *report, uint64_t polls)
{
    add_headline(text, report);
    add_where(text, report);
    add_worker(text, report);
    add_stack(text, report);
    vg_text_add(text, "  task      spawned at ");
    vg_text_place(text, report->task_spawned);
    vg_text_add(text, "; this is its poll number %llu\n", (unsigned long long)polls);
    add_ways_out(text, report);
}

void vg_report_poll_end(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "worker %u is out of the poll of ", report->worker);
    vg_report_task(text, report);
    vg_text_add(text, " after ");
    vg_text_duration(text, report->lasted);
    vg_text_add(text, "\n");
}
