/* SPDX-License-Identifier: MIT */
#include <vigil/liveness.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/exec.h>

#include "octaves.h"
#include "tally.h"
#include "vg_os.h"

static struct vg_latency latency(const struct vg_tally_line *line, enum vg_segment segment)
{
    const struct vg_hist *hist = &line->waits.hist[segment];

    return (struct vg_latency){
        .sum = line->waits.sum[segment],
        .p50 = vg_hist_quantile(hist, 500),
        .p99 = vg_hist_quantile(hist, 990),
        .p999 = vg_hist_quantile(hist, 999),
        .max = hist->max,
    };
}

static struct vg_snapshot_row make_row(const struct vg_liveness *live,
                                       const struct vg_tally_line *line)
{
    return (struct vg_snapshot_row){
        .ended = {line->ended[VG_PART_RUNTIME], line->ended[VG_PART_PARENT]},
        .site = vg_sites_at(&live->sites, line->slot),
        .node = line->slot % 2 ? VG_NODE_CHILD : VG_NODE_TASK,
        .cancelled = line->waits.cancelled,
        .count = line->waits.count,
        .open = line->open,
        .runtime = latency(line, VG_SEG_RUNTIME),
        .parent = latency(line, VG_SEG_PARENT),
        .total = latency(line, VG_SEG_TOTAL),
    };
}

static int busier(const void *a, const void *b)
{
    const struct vg_snapshot_row *x = (const struct vg_snapshot_row *)a;
    const struct vg_snapshot_row *y = (const struct vg_snapshot_row *)b;
    const uint64_t left = x->count + x->open, right = y->count + y->open;

    return (left < right) - (left > right);
}

static void fill_rows(struct vg_snapshot *snapshot, const struct vg_tally *tally)
{
    for (unsigned i = 0; i < tally->lines; i++)
        if (tally->line[i].waits.count + tally->line[i].open + tally->line[i].waits.cancelled > 0)
            snapshot->row[snapshot->rows++] = make_row(tally->live, &tally->line[i]);
    qsort(snapshot->row, snapshot->rows, sizeof *snapshot->row, busier);
}

static void raise(uint64_t *max, uint64_t n)
{
    *max = n > *max ? n : *max;
}

/* What the executor says of a worker. */
static void ask_executor(struct vg_snapshot_worker *worker, struct vg_exec *exec, unsigned index)
{
    struct vg_os_look look = {.waited = 0};

    vg_exec_worker(exec, index, &worker->info);
    vg_exec_driver_stats(exec, index, &worker->driver);
    worker->kernel_wait_known =
        worker->info.thread != 0 && vg_os_look_at(worker->info.thread, &look);
    worker->kernel_wait = look.waited;
}

static void fill_worker(struct vg_snapshot *snapshot, struct vg_liveness *live,
                        const struct vg_tally_worker *tally, unsigned index)
{
    struct vg_lane *lane = vg_lane_of(live, index);
    struct vg_snapshot_worker *worker = &snapshot->worker[index];
    const unsigned slots = vg_sites_slots(&live->sites);

    *worker = (struct vg_snapshot_worker){
        .passed_over = vg_load(&lane->passed_over, relaxed),
        .blocked = vg_load(&lane->blocks, relaxed),
        .blocked_ns = vg_load(&lane->blocked_ns, relaxed),
        .blocked_max = vg_load(&lane->blocked_max, relaxed),
    };
    memcpy(worker->ended, tally->ended, sizeof worker->ended);
    if (live->exec != NULL)
        ask_executor(worker, live->exec, index);
    for (unsigned slot = 0; slot < slots; slot++) {
        struct vg_slot_head *head = vg_slot_head(&live->sites, (char *)lane, slot);

        worker->visits += vg_load(&head->count, relaxed);
        worker->runtime_sum += vg_load(&head->runtime_sum, relaxed);
        worker->parent_sum += vg_load(&head->parent_sum, relaxed);
        raise(&worker->total_max, vg_load(&head->prompt_max, relaxed));
        raise(&worker->total_max, vg_load(&head->max[VG_SEG_TOTAL], relaxed));
    }
    snapshot->lost += vg_load(&lane->lost, relaxed);
    snapshot->healings += vg_load(&lane->healings, relaxed);
}

static void fill_verdicts(struct vg_snapshot *snapshot, struct vg_liveness *live)
{
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        struct vg_incident_counts *count = &live->incidents.count[i];
        struct vg_hist lasted = {.count = 0};

        vg_hist_merge(&lasted, &count->lasted, 0);
        snapshot->verdict[i] = (struct vg_snapshot_verdict){
            .reported = vg_load(&count->reported, relaxed),
            .suppressed = vg_load(&count->suppressed, relaxed),
            .healed = vg_load(&count->healed, relaxed),
            .active = vg_load(&count->active, relaxed),
            .suspected = vg_load(&count->found[VG_SUSPECTED], relaxed),
            .confirmed = vg_load(&count->found[VG_CONFIRMED], relaxed),
        };
        vg_octaves_add(&snapshot->verdict[i].lasted, &lasted, vg_load(&count->lasted_sum, relaxed));
    }
}

static struct vg_snapshot *allocate(const struct vg_liveness *live, unsigned rows)
{
    const size_t workers_size = live->workers * sizeof(struct vg_snapshot_worker);
    const size_t size =
        sizeof(struct vg_snapshot) + workers_size + rows * sizeof(struct vg_snapshot_row);
    struct vg_snapshot *snapshot;

    snapshot = (struct vg_snapshot *)live->alloc.alloc(live->alloc.self, size, 16);
    if (snapshot == NULL)
        return NULL;
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->alloc = live->alloc;
    snapshot->size = size;
    snapshot->worker = (struct vg_snapshot_worker *)(void *)(snapshot + 1);
    snapshot->row = (struct vg_snapshot_row *)(void *)(snapshot->worker + live->workers);
    return snapshot;
}

static void fill_head(struct vg_snapshot *snapshot, struct vg_liveness *live,
                      const struct vg_tally *tally)
{
    snapshot->at = tally->now;
    snapshot->level = vg_load(&live->level, relaxed);
    snapshot->open = tally->open;
    snapshot->workers = live->workers;
    snapshot->watchdog_cpu = vg_load(&live->watchdog.cpu_ns, relaxed);
    snprintf(snapshot->name, sizeof snapshot->name, "%s", live->name);
    if (live->exec == NULL)
        return;
    snapshot->tasks = vg_exec_live(live->exec);
    snapshot->running = tally->running;
    snapshot->queued = tally->queued;
    snapshot->idle = tally->idle;
    snapshot->children = vg_exec_children(live->exec);
    snapshot->injected = vg_exec_injected(live->exec);
    snapshot->uptime = tally->now - live->began_at;
}

static int copy(struct vg_liveness *live, struct vg_snapshot **out)
{
    struct vg_snapshot *snapshot;
    struct vg_tally tally;
    int rc = vg_tally_begin(&tally, live, vg_live_now(live));

    *out = NULL;
    if (rc < 0)
        return rc;
    vg_tally_open_waits(&tally);
    snapshot = allocate(live, tally.lines);
    if (snapshot != NULL) {
        fill_head(snapshot, live, &tally);
        fill_rows(snapshot, &tally);
        for (unsigned i = 0; i < live->workers; i++)
            fill_worker(snapshot, live, &tally.worker[i], i);
        fill_verdicts(snapshot, live);
    }
    vg_tally_end(&tally);
    *out = snapshot;
    return snapshot != NULL ? 0 : -ENOMEM;
}

int vg_snapshot(struct vg_liveness *live, struct vg_snapshot **out)
{
    int rc;

    vg_live_hold(live);
    rc = copy(live, out);
    vg_live_release(live);
    return rc;
}

void vg_snapshot_free(struct vg_snapshot *snapshot)
{
    struct vg_alloc alloc;

    if (snapshot == NULL)
        return;
    alloc = snapshot->alloc;
    alloc.free(alloc.self, snapshot, snapshot->size, 16);
}
