/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <stdio.h>

const char *vg_verdict_name(enum vg_verdict verdict)
{
    static const char *const names[VG_VERDICT_COUNT] = {
        [VG_VERDICT_SNOOZED_CHILD] = "snoozed-child",
        [VG_VERDICT_FUTURELOCK] = "futurelock",
        [VG_VERDICT_STALLED_GRANT] = "stalled-grant",
        [VG_VERDICT_POLL_AFTER_READY] = "poll-after-ready",
        [VG_VERDICT_BLOCKED_WORKER] = "blocked-worker",
        [VG_VERDICT_NEVER_YIELDED] = "never-yielded",
        [VG_VERDICT_UNARMED_PENDING] = "unarmed-pending",
        [VG_VERDICT_SELF_WAKE_SPIN] = "self-wake-spin",
        [VG_VERDICT_SPURIOUS_SPIN] = "spurious-spin",
        [VG_VERDICT_WAIT_CYCLE] = "wait-cycle",
        [VG_VERDICT_RECURSIVE_WAIT] = "recursive-wait",
        [VG_VERDICT_LOST_WAKEUP] = "lost-wakeup",
        [VG_VERDICT_CANCEL_LOSS] = "cancel-loss",
        [VG_VERDICT_LOCK_ACROSS_SUSPEND] = "lock-across-suspend",
        [VG_VERDICT_DEADLINE_RESET] = "deadline-reset",
        [VG_VERDICT_CANCEL_STALLED] = "cancel-stalled",
        [VG_VERDICT_HOARDED_RESERVATION] = "hoarded-reservation",
        [VG_VERDICT_UNFAIR_LOCK] = "unfair-lock",
        [VG_VERDICT_NEVER_POLLED] = "never-polled",
        [VG_VERDICT_TASK_STARVED] = "task-starved",
        [VG_VERDICT_TIMER_LATE] = "timer-late",
        [VG_VERDICT_IO_LATE] = "io-late",
        [VG_VERDICT_ARM_STARVED] = "arm-starved",
        [VG_VERDICT_BUDGET_STARVED] = "budget-starved",
        [VG_VERDICT_NO_PARALLELISM] = "no-parallelism",
        [VG_VERDICT_WAKE_REENTRY] = "wake-reentry",
    };

    return (unsigned)verdict < VG_VERDICT_COUNT ? names[verdict] : "?";
}

void vg_report_quoted(struct vg_text *text, const char *name)
{
    vg_text_add(text, "\"");
    vg_text_name(text, name);
    vg_text_add(text, "\"");
}

void vg_report_task(struct vg_text *text, const struct vg_report *report)
{
    vg_text_add(text, "task ");
    vg_text_task(text, report->task);
    vg_text_add(text, " ");
    vg_report_quoted(text, report->task_name);
}

/* "lock in do_thing at a.c:31: vg_lock(...)" */
void vg_report_future(struct vg_text *text, const struct vg_report_future *future)
{
    vg_text_name(text, future->type);
    if (future->frame != NULL && future->frame != future->type) {
        vg_text_add(text, " in ");
        vg_text_name(text, future->frame);
    }
    if (future->site != NULL) {
        vg_text_add(text, " at ");
        vg_text_site(text, future->site);
        vg_text_add(text, ": ");
        vg_text_name(text, future->site->expr);
    }
}

void vg_report_tree(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    vg_text_add(text, "  await tree of ");
    vg_report_task(text, report);
    vg_text_add(text, ", spawned at ");
    vg_text_place(text, report->task_spawned);
    vg_text_add(text, ", polled %llu times\n", (unsigned long long)evidence->polls);
    vg_tree_print(&evidence->tree, text, report->at);
}

static void add_repeated_arm(struct vg_text *text, const struct vg_evidence *evidence)
{
    vg_text_add(text, "  where     ");
    vg_report_future(text, &evidence->report.parent);
    vg_text_add(text, "\n");
    vg_report_tree(text, evidence);
    vg_text_add(text, "  ways out  guard the arm: VG_WHEN(!done, ...)\n");
}

static void add_lock(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    vg_report_task(text, report);
    vg_text_add(text, " awaits something while it has a lock that blocks threads\n  resource  %s ",
                report->resource_kind);
    vg_report_quoted(text, report->resource_name);
    if (report->resource_place != NULL) {
        vg_text_add(text, ", made at ");
        vg_text_place(text, report->resource_place);
    }
    vg_text_add(text, "\n  awaits    ");
    vg_report_future(text, &report->blocked);
    vg_text_add(text, "\n");
    vg_report_tree(text, evidence);
    vg_text_add(text,
                "  ways out  give it up before the await; a vg_mutex, whose waiters suspend\n");
}

static void add_body(struct vg_text *text, const struct vg_evidence *evidence)
{
    const struct vg_report *report = &evidence->report;

    if (report->drops > 0) {
        vg_report_dropped(text, evidence);
        return;
    }
    switch (report->verdict) {
    case VG_VERDICT_POLL_AFTER_READY:
        vg_report_task(text, report);
        vg_text_add(text, " awaits a future whose result it has taken before\n");
        add_repeated_arm(text, evidence);
        break;
    case VG_VERDICT_UNARMED_PENDING:
        vg_report_unarmed(text, evidence);
        break;
    case VG_VERDICT_SELF_WAKE_SPIN:
    case VG_VERDICT_SPURIOUS_SPIN:
        vg_report_spin(text, evidence);
        break;
    case VG_VERDICT_WAIT_CYCLE:
    case VG_VERDICT_RECURSIVE_WAIT:
        vg_report_ring(text, evidence);
        break;
    case VG_VERDICT_LOCK_ACROSS_SUSPEND:
        add_lock(text, evidence);
        break;
    case VG_VERDICT_LOST_WAKEUP:
    case VG_VERDICT_CANCEL_LOSS:
        vg_report_lost(text, evidence);
        break;
    case VG_VERDICT_CANCEL_STALLED:
        vg_report_stalled(text, evidence);
        break;
    case VG_VERDICT_HOARDED_RESERVATION:
    case VG_VERDICT_UNFAIR_LOCK:
    case VG_VERDICT_NEVER_POLLED:
        vg_report_kept_waiting(text, evidence);
        break;
    case VG_VERDICT_ARM_STARVED:
    case VG_VERDICT_BUDGET_STARVED:
    case VG_VERDICT_NO_PARALLELISM:
    case VG_VERDICT_WAKE_REENTRY:
        vg_report_crowding(text, evidence);
        break;
    case VG_VERDICT_TASK_STARVED:
    case VG_VERDICT_TIMER_LATE:
    case VG_VERDICT_IO_LATE:
        vg_report_overlooked(text, report);
        break;
    case VG_VERDICT_BLOCKED_WORKER:
    case VG_VERDICT_NEVER_YIELDED:
        vg_report_poll(text, report, evidence->polls);
        break;
    default:
        vg_report_starved(text, evidence);
    }
}

static void render(struct vg_liveness *live, const struct vg_evidence *evidence,
                   unsigned suppressed)
{
    const struct vg_report *report = &evidence->report;
    struct vg_text text;

    vg_text_init(&text, live->text, sizeof live->text);
    vg_text_add(&text, "vigil: %s, %s%s: ", vg_verdict_name(report->verdict),
                report->confidence == VG_CONFIRMED ? "confirmed" : "suspected",
                report->healed ? " and healed" : "");
    add_body(&text, evidence);
    if (suppressed > 0)
        vg_text_add(&text, "  %u more like this were not reported\n", suppressed);
}

static void deliver(struct vg_liveness *live, struct vg_report *report)
{
    report->text = live->text;
    vg_past_add(&live->past, report);
    if (live->config.to_stderr)
        fputs(live->text, stderr);
    if (live->config.report != NULL)
        live->config.report(report, live->config.arg);
}

void vg_report_now(struct vg_liveness *live, const struct vg_evidence *evidence)
{
    struct vg_report report = evidence->report;

    render(live, evidence, report.suppressed);
    deliver(live, &report);
}

void vg_report_evidence(struct vg_liveness *live, const struct vg_evidence *evidence, uint64_t now)
{
    struct vg_report report = evidence->report;
    const bool over = report.healed || report.verdict == VG_VERDICT_POLL_AFTER_READY ||
                      report.verdict == VG_VERDICT_LOCK_ACROSS_SUSPEND || report.drops > 0 ||
                      vg_is_instant(report.verdict);
    bool allowed;

    if (!over && vg_incident_known(&live->incidents, evidence))
        return;
    if (vg_is_spin(report.verdict)) {
        vg_herd_add(live, evidence, now);
        return;
    }
    allowed = vg_incident_allowed(&live->incidents, &report, &report.suppressed);
    if (!over)
        vg_incident_open(&live->incidents, evidence, !allowed);
    else if (report.healed)
        vg_incident_lasted(&live->incidents, report.verdict, report.lasted);
    if (!allowed)
        return;
    render(live, evidence, report.suppressed);
    deliver(live, &report);
}

static void begin_end(struct vg_text *text, struct vg_liveness *live, struct vg_report *report,
                      uint64_t now, uint64_t lasted)
{
    report->ended = true;
    report->at = now;
    report->lasted = lasted;
    vg_text_init(text, live->text, sizeof live->text);
    vg_text_add(text, "vigil: %s ended: ", vg_verdict_name(report->verdict));
}

void vg_report_end(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                   uint64_t lasted, bool answered)
{
    struct vg_report report = *opened;
    struct vg_text text;

    begin_end(&text, live, &report, now, lasted);
    vg_report_task(&text, &report);
    vg_text_add(&text, ", ");
    vg_report_future(&text, &report.starved);
    if (vg_is_spin(report.verdict))
        vg_report_spin_end(&text, &report);
    else if (vg_is_row(report.verdict))
        vg_text_add(&text, " is let through again, after ");
    else
        vg_text_add(&text, answered ? " was polled after " : " no longer waits, after ");
    vg_text_duration(&text, lasted);
    vg_text_add(&text, "\n");
    deliver(live, &report);
}

void vg_report_end_poll(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                        uint64_t lasted)
{
    struct vg_report report = *opened;
    struct vg_text text;

    begin_end(&text, live, &report, now, lasted);
    vg_report_poll_end(&text, &report);
    deliver(live, &report);
}

void vg_report_end_instant(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                           uint64_t lasted)
{
    struct vg_report report = *opened;
    struct vg_text text;

    vg_incident_lasted(&live->incidents, report.verdict, lasted);
    begin_end(&text, live, &report, now, lasted);
    if (report.task != 0) {
        vg_report_task(&text, &report);
        vg_text_add(&text, ", ");
    }
    vg_text_add(&text, "worker %u, after ", report.worker);
    vg_text_duration(&text, lasted);
    vg_text_add(&text, "\n");
    deliver(live, &report);
}
