/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <vigil/pool.h>

#include "metrics.h"

/* Pools of threads for calls that block. */

struct shown {
    unsigned count;
    struct vg_pool_stats stats[VG_TELEMETRY_POOLS];
    unsigned number[VG_TELEMETRY_POOLS]; /* among those of the same name; 0: the first */
};

static void read_all(struct shown *shown, const struct vg_telemetry_figures *figures)
{
    shown->count = figures->pools_count;
    for (unsigned i = 0; i < shown->count; i++) {
        vg_pool_stats(figures->pools[i], &shown->stats[i]);
        shown->number[i] = 0;
        for (unsigned k = 0; k < i; k++)
            shown->number[i] += strcmp(shown->stats[k].name, shown->stats[i].name) == 0;
    }
}

static void label(const struct shown *shown, unsigned i, struct vg_labels *labels)
{
    char name[80];
    struct vg_text text;

    vg_text_init(&text, name, sizeof name);
    vg_text_add(&text, "%s", shown->stats[i].name);
    if (shown->number[i] > 0)
        vg_text_add(&text, "#%u", shown->number[i] + 1);
    vg_label_none(labels);
    vg_label(labels, "pool", name);
}

static void put_threads(struct vg_exposition *out, const struct shown *shown)
{
    static const struct vg_metric threads = {"vigil_pool_threads", VG_GAUGE, NULL,
                                             "Threads of a pool for blocking calls."};
    static const struct vg_metric waiting = {"vigil_pool_waiting_calls", VG_GAUGE, NULL,
                                             "Calls that wait for a thread of the pool."};
    struct vg_labels labels;

    vg_metric_head(out, &threads);
    for (unsigned i = 0; i < shown->count; i++) {
        const struct vg_pool_stats *stats = &shown->stats[i];

        label(shown, i, &labels);
        vg_label(&labels, "state", "idle");
        vg_sample(out, &threads, &labels, stats->idle);
        label(shown, i, &labels);
        vg_label(&labels, "state", "busy");
        vg_sample(out, &threads, &labels, stats->threads - stats->idle);
    }
    vg_metric_head(out, &waiting);
    for (unsigned i = 0; i < shown->count; i++) {
        label(shown, i, &labels);
        vg_sample(out, &waiting, &labels, shown->stats[i].queued);
    }
}

static void put_calls(struct vg_exposition *out, const struct shown *shown)
{
    static const struct vg_metric calls = {"vigil_pool_calls", VG_COUNTER, NULL,
                                           "Blocking calls, by how they ended."};
    struct vg_labels labels;

    vg_metric_head(out, &calls);
    for (unsigned i = 0; i < shown->count; i++) {
        const struct {
            const char *outcome;
            uint64_t count;
        } ends[] = {{"ended", shown->stats[i].ended},
                    {"cancelled", shown->stats[i].cancelled},
                    {"refused", shown->stats[i].refused}};

        for (unsigned k = 0; k < sizeof ends / sizeof *ends; k++) {
            label(shown, i, &labels);
            vg_label(&labels, "outcome", ends[k].outcome);
            vg_sample(out, &calls, &labels, ends[k].count);
        }
    }
}

static void put_time(struct vg_exposition *out, const struct shown *shown,
                     const struct vg_metric *metric, size_t member)
{
    struct vg_labels labels;

    vg_metric_head(out, metric);
    for (unsigned i = 0; i < shown->count; i++) {
        label(shown, i, &labels);
        vg_sample_time(out, metric, &labels,
                       *(const uint64_t *)(const void *)((const char *)&shown->stats[i] + member));
    }
}

void vg_metrics_pools(struct vg_exposition *out, const struct vg_telemetry_figures *figures)
{
    static const struct vg_metric wait = {"vigil_pool_wait_time_seconds", VG_COUNTER, "seconds",
                                          "How long calls waited for a thread, all together."};
    static const struct vg_metric wait_max = {"vigil_pool_wait_time_max_seconds", VG_GAUGE,
                                              "seconds", "The longest such wait so far."};
    static const struct vg_metric run = {"vigil_pool_run_time_seconds", VG_COUNTER, "seconds",
                                         "How long calls ran, all together."};
    static const struct vg_metric run_max = {"vigil_pool_run_time_max_seconds", VG_GAUGE, "seconds",
                                             "The longest run of a call so far."};
    struct shown shown;

    read_all(&shown, figures);
    put_threads(out, &shown);
    put_calls(out, &shown);
    put_time(out, &shown, &wait, offsetof(struct vg_pool_stats, wait_ns));
    put_time(out, &shown, &wait_max, offsetof(struct vg_pool_stats, wait_max_ns));
    put_time(out, &shown, &run, offsetof(struct vg_pool_stats, run_ns));
    put_time(out, &shown, &run_max, offsetof(struct vg_pool_stats, run_max_ns));
}
