/* SPDX-License-Identifier: MIT */
#include "metrics.h"

/* A number that every worker has, and where it is. */
struct column {
    struct vg_metric metric;
    size_t offset; /* in struct vg_snapshot_worker: a uint64_t */
};

static uint64_t number(const struct vg_snapshot_worker *worker, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)worker + offset);
}

static void put_columns(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                        const struct column *column, unsigned columns, const char *label)
{
    struct vg_labels labels;

    for (unsigned i = 0; i < columns; i++) {
        vg_metric_head(out, &column[i].metric);
        for (unsigned w = 0; w < snapshot->workers; w++) {
            vg_label_none(&labels);
            vg_label_number(&labels, label, w);
            vg_sample(out, &column[i].metric, &labels,
                      number(&snapshot->worker[w], column[i].offset));
        }
    }
}

static void put_time(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric time = {
        "vigil_worker_time_seconds", VG_COUNTER, "seconds",
        "Time of a worker by what it did, up to its last look at the clock."};
    static const char *const states[VG_WORKER_STATES] = {
        [VG_WORKER_RUN] = "run",
        [VG_WORKER_TURN] = "turn",
        [VG_WORKER_SEARCH] = "search",
        [VG_WORKER_PARK] = "park",
    };
    struct vg_labels labels;

    vg_metric_head(out, &time);
    for (unsigned i = 0; i < snapshot->workers * VG_WORKER_STATES; i++) {
        const unsigned worker = i / VG_WORKER_STATES, state = i % VG_WORKER_STATES;

        vg_label_none(&labels);
        vg_label_number(&labels, "worker", worker);
        vg_label(&labels, "state", states[state]);
        vg_sample_time(out, &time, &labels, snapshot->worker[worker].info.time[state]);
    }
}

static void put_queues(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric queue = {
        "vigil_worker_queue_length", VG_GAUGE, NULL,
        "Queued tasks: of a worker, and of all workers together (queue=global)."};
    struct vg_labels labels;

    vg_metric_head(out, &queue);
    for (unsigned w = 0; w < snapshot->workers; w++) {
        vg_label_none(&labels);
        vg_label_number(&labels, "worker", w);
        vg_label(&labels, "queue", "local");
        vg_sample(out, &queue, &labels, snapshot->worker[w].info.queued);
    }
    vg_label_none(&labels);
    vg_label(&labels, "worker", "");
    vg_label(&labels, "queue", "global");
    vg_sample(out, &queue, &labels, snapshot->injected);
}

/* A thread whose wait is not known has no sample: a counter must not fall. */
static void put_kernel_wait(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric wait = {
        "vigil_worker_sched_wait_time_seconds", VG_COUNTER, "seconds",
        "Time in which a worker's thread was ready to run and its processor ran something else."};
    struct vg_labels labels;

    vg_metric_head(out, &wait);
    for (unsigned w = 0; w < snapshot->workers; w++) {
        if (!snapshot->worker[w].kernel_wait_known)
            continue;
        vg_label_none(&labels);
        vg_label_number(&labels, "worker", w);
        vg_sample_time(out, &wait, &labels, snapshot->worker[w].kernel_wait);
    }
}

#define OF_WORKER(member) offsetof(struct vg_snapshot_worker, member)

void vg_metrics_workers(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct column columns[] = {
        {{"vigil_worker_polls", VG_COUNTER, NULL, "Polls of tasks that were begun."},
         OF_WORKER(info.polls)},
        {{"vigil_worker_parks", VG_COUNTER, NULL, "Times that a worker went to sleep."},
         OF_WORKER(info.parks)},
        {{"vigil_worker_noop_unparks", VG_COUNTER, NULL,
          "Of these sleeps, the ones after which there was nothing to do."},
         OF_WORKER(info.idle_parks)},
        {{"vigil_worker_steal_attempts", VG_COUNTER, NULL,
          "Looks at another worker for something to steal."},
         OF_WORKER(info.searches)},
        {{"vigil_worker_steals", VG_COUNTER, NULL, "Of these, the ones that found a task."},
         OF_WORKER(info.stolen)},
        {{"vigil_worker_overflows", VG_COUNTER, NULL, "Tasks that found the run queue full."},
         OF_WORKER(info.overflowed)},
        {{"vigil_worker_wakes_passed_over", VG_COUNTER, NULL,
          "Wakes that a poll of their task held and did not answer."},
         OF_WORKER(passed_over)},
    };

    put_time(out, snapshot);
    put_columns(out, snapshot, columns, sizeof columns / sizeof *columns, "worker");
    put_queues(out, snapshot);
    put_kernel_wait(out, snapshot);
}

static void put_stranded(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric stranded = {
        "vigil_uring_stranded", VG_GAUGE, NULL,
        "Completions that have come and wait for their worker to look."};
    struct vg_labels labels;

    vg_metric_head(out, &stranded);
    for (unsigned w = 0; w < snapshot->workers; w++) {
        vg_label_none(&labels);
        vg_label_number(&labels, "ring", w);
        vg_sample(out, &stranded, &labels, snapshot->worker[w].driver.stranded);
    }
}

void vg_metrics_rings(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct column columns[] = {
        {{"vigil_uring_inflight", VG_GAUGE, NULL, "Operations that were taken and have not ended."},
         OF_WORKER(driver.inflight)},
        {{"vigil_uring_submissions", VG_COUNTER, NULL, "Operations taken."},
         OF_WORKER(driver.submissions)},
        {{"vigil_uring_completions", VG_COUNTER, NULL, "Operations ended."},
         OF_WORKER(driver.completions)},
        {{"vigil_uring_enters", VG_COUNTER, NULL, "Calls of io_uring_enter."},
         OF_WORKER(driver.enters)},
        {{"vigil_uring_cancels", VG_COUNTER, NULL, "Cancellations passed to the kernel."},
         OF_WORKER(driver.cancels)},
        {{"vigil_uring_late_cancels", VG_COUNTER, NULL,
          "Of these, the ones that found the operation ended."},
         OF_WORKER(driver.late_cancels)},
        {{"vigil_uring_sq_full", VG_COUNTER, NULL, "Times that submissions waited for room."},
         OF_WORKER(driver.sq_full)},
        {{"vigil_uring_cq_overflows", VG_COUNTER, NULL, "Times that completions waited for room."},
         OF_WORKER(driver.cq_overflows)},
        {{"vigil_uring_doorbells", VG_COUNTER, NULL,
          "Wake-ups of a worker that went through the kernel."},
         OF_WORKER(driver.doorbells)},
        {{"vigil_uring_abandoned", VG_COUNTER, NULL,
          "Operations that had not ended when their worker stopped."},
         OF_WORKER(driver.abandoned)},
    };

    put_columns(out, snapshot, columns, sizeof columns / sizeof *columns, "ring");
    put_stranded(out, snapshot);
}
