/* SPDX-License-Identifier: MIT */
#include "metrics.h"

/* ---- the executor ------------------------------------------------------------------------------ */

static void put_info(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric build = {"vigil_build", VG_INFO, NULL, "Version of vigil."};
    static const struct vg_metric executor = {"vigil_executor", VG_INFO, NULL,
                                              "Name of the executor and level of its instruments."};
    static const struct vg_metric uptime = {"vigil_executor_uptime_seconds", VG_GAUGE, "seconds",
                                            "Age of the executor, 0 when none is open."};
    struct vg_labels labels;

    vg_metric_head(out, &build);
    vg_label_none(&labels);
    vg_label(&labels, "version", VG_VERSION);
    vg_sample(out, &build, &labels, 1);
    vg_metric_head(out, &executor);
    vg_label_none(&labels);
    vg_label(&labels, "name", snapshot->name);
    vg_label_number(&labels, "level", snapshot->level);
    vg_sample(out, &executor, &labels, 1);
    vg_metric_head(out, &uptime);
    vg_label_none(&labels);
    vg_sample_time(out, &uptime, &labels, snapshot->uptime);
}

static void put_tasks(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric tasks = {"vigil_tasks", VG_GAUGE, NULL,
                                           "Tasks that have not ended."};
    static const struct vg_metric children = {
        "vigil_children", VG_GAUGE, NULL,
        "Futures that are one of several which their task waits for."};
    const struct {
        const char *state;
        uint64_t count;
    } states[] = {
        {"running", snapshot->running}, {"scheduled", snapshot->queued}, {"idle", snapshot->idle}};
    struct vg_labels labels;

    vg_metric_head(out, &tasks);
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
        vg_label_none(&labels);
        vg_label(&labels, "state", states[i].state);
        vg_sample(out, &tasks, &labels, states[i].count);
    }
    vg_metric_head(out, &children);
    vg_label_none(&labels);
    vg_sample(out, &children, &labels, snapshot->children);
}

/* ---- futures ----------------------------------------------------------------------------------- */

static void put_polls(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric polls = {
        "vigil_future_polls", VG_COUNTER, NULL,
        "Polls of woken futures, by who woke them and what came of it."};
    static const char *const causes[VG_CAUSES] = {
        [VG_CAUSE_WAKE] = "wake", [VG_CAUSE_SELF] = "self_wake"};
    static const char *const outcomes[VG_OUTCOMES] = {
        [VG_OUTCOME_PENDING] = "pending", [VG_OUTCOME_READY] = "ready"};
    struct vg_labels labels;

    vg_metric_head(out, &polls);
    for (unsigned i = 0; i < VG_CAUSES * VG_OUTCOMES; i++) {
        const unsigned cause = i / VG_OUTCOMES, outcome = i % VG_OUTCOMES;
        uint64_t n = 0;

        for (unsigned w = 0; w < snapshot->workers; w++)
            n += snapshot->worker[w].info.visits[cause][outcome];
        vg_label_none(&labels);
        vg_label(&labels, "cause", causes[cause]);
        vg_label(&labels, "outcome", outcomes[outcome]);
        vg_sample(out, &polls, &labels, n);
    }
}

static void put_wakes(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric wakes = {
        "vigil_future_wakes", VG_COUNTER, NULL,
        "Wakes by what they found and who made them; those by threads outside excepted."};
    static const struct {
        const char *kind, *origin;
    } names[VG_WAKE_KINDS] = {
        [VG_WAKE_SELF] = {"self", "task"},
        [VG_WAKE_TASK_FIRST] = {"first", "task"},
        [VG_WAKE_TASK_COALESCED] = {"coalesced", "task"},
        [VG_WAKE_DRIVER_FIRST] = {"first", "driver"},
        [VG_WAKE_DRIVER_COALESCED] = {"coalesced", "driver"},
    };
    struct vg_labels labels;

    vg_metric_head(out, &wakes);
    for (unsigned i = 0; i < VG_WAKE_KINDS; i++) {
        uint64_t n = 0;

        for (unsigned w = 0; w < snapshot->workers; w++)
            n += snapshot->worker[w].info.wakes[i];
        vg_label_none(&labels);
        vg_label(&labels, "kind", names[i].kind);
        vg_label(&labels, "origin", names[i].origin);
        vg_sample(out, &wakes, &labels, n);
    }
}

/* ---- verdicts ------------------------------------------------------------------------------------ */

static void put_rule(struct vg_exposition *out, const struct vg_metric *metric, unsigned rule,
                     const char *confidence, uint64_t n)
{
    struct vg_labels labels;

    vg_label_none(&labels);
    vg_label(&labels, "rule", vg_verdict_name((enum vg_verdict)rule));
    if (confidence != NULL)
        vg_label(&labels, "confidence", confidence);
    vg_sample(out, metric, &labels, n);
}

static void put_verdicts(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric verdicts = {
        "vigil_verdicts", VG_COUNTER, NULL,
        "Verdicts, whether they were reported or suppressed as too frequent."};
    static const struct vg_metric suppressed = {"vigil_verdicts_suppressed", VG_COUNTER, NULL,
                                                "Verdicts whose reports were suppressed."};
    static const struct vg_metric active = {"vigil_verdict_active", VG_GAUGE, NULL,
                                            "Verdicts that still stand."};
    static const struct vg_metric healings = {
        "vigil_healings", VG_COUNTER, NULL,
        "Grants that were taken back from futures that nobody polled."};
    struct vg_labels labels;

    vg_metric_head(out, &verdicts);
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        put_rule(out, &verdicts, i, "suspected", snapshot->verdict[i].suspected);
        put_rule(out, &verdicts, i, "confirmed", snapshot->verdict[i].confirmed);
    }
    vg_metric_head(out, &suppressed);
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++)
        put_rule(out, &suppressed, i, NULL, snapshot->verdict[i].suppressed);
    vg_metric_head(out, &active);
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++)
        put_rule(out, &active, i, NULL, snapshot->verdict[i].active);
    vg_metric_head(out, &healings);
    vg_label_none(&labels);
    vg_sample(out, &healings, &labels, snapshot->healings);
}

static void put_starvation(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric starvation = {
        "vigil_starvation_duration_seconds", VG_HISTOGRAM, "seconds",
        "How long what a verdict found lasted, of those that are over."};
    struct vg_labels labels;

    vg_metric_head(out, &starvation);
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        vg_label_none(&labels);
        vg_label(&labels, "rule", vg_verdict_name((enum vg_verdict)i));
        vg_sample_histogram(out, &starvation, &labels, &snapshot->verdict[i].lasted);
    }
}

/* ---- the instruments themselves ------------------------------------------------------------------ */

const unsigned vg_status_codes[VG_TELEMETRY_STATUSES] = {200, 400, 404, 405, 408, 431, 503, 505};

static void put_responses(struct vg_exposition *out, const struct vg_telemetry_figures *figures)
{
    static const struct vg_metric responses = {
        "vigil_telemetry_responses", VG_COUNTER, NULL,
        "Responses of this endpoint so far, by HTTP status."};
    struct vg_labels labels;

    vg_metric_head(out, &responses);
    for (unsigned i = 0; i < VG_TELEMETRY_STATUSES; i++) {
        vg_label_none(&labels);
        vg_label_number(&labels, "code", vg_status_codes[i]);
        vg_sample(out, &responses, &labels, figures->responses[i]);
    }
}

static void put_self(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                     const struct vg_telemetry_figures *figures)
{
    static const struct vg_metric time = {"vigil_instrument_time_seconds", VG_COUNTER, "seconds",
                                          "Processor time of the instruments' threads."};
    static const struct vg_metric dropped = {"vigil_instrument_events_dropped", VG_COUNTER, NULL,
                                             "Findings that were lost."};
    static const struct vg_metric claims = {"vigil_instrument_claims", VG_COUNTER, NULL,
                                            "Idle tasks that this endpoint held to read them."};
    static const struct vg_metric slow = {
        "vigil_instrument_slow_claims", VG_COUNTER, NULL,
        "Of these, the ones that it held for more than a millisecond."};
    struct vg_labels labels;

    vg_metric_head(out, &time);
    vg_label_none(&labels);
    vg_label(&labels, "thread", "watchdog");
    vg_sample_time(out, &time, &labels, snapshot->watchdog_cpu);
    vg_label_none(&labels);
    vg_label(&labels, "thread", "telemetry");
    vg_sample_time(out, &time, &labels, figures->cpu);
    vg_metric_head(out, &dropped);
    vg_label_none(&labels);
    vg_label(&labels, "reason", "no_room");
    vg_sample(out, &dropped, &labels, snapshot->lost);
    vg_label_none(&labels);
    vg_metric_head(out, &claims);
    vg_sample(out, &claims, &labels, figures->claims);
    vg_metric_head(out, &slow);
    vg_sample(out, &slow, &labels, figures->slow_claims);
}

void vg_metrics_render(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                       struct vg_sites_shown *shown, const struct vg_telemetry_figures *figures)
{
    put_info(out, snapshot);
    vg_metrics_waits(out, snapshot, shown);
    put_polls(out, snapshot);
    put_wakes(out, snapshot);
    put_tasks(out, snapshot);
    put_verdicts(out, snapshot);
    put_starvation(out, snapshot);
    vg_metrics_workers(out, snapshot);
    vg_metrics_rings(out, snapshot);
    vg_metrics_pools(out, figures);
    put_self(out, snapshot, figures);
    put_responses(out, figures);
    vg_exposition_end(out);
}
