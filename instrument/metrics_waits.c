/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "metrics.h"
#include "octaves.h"

static const char *const nodes[VG_NODES] = {[VG_NODE_TASK] = "task", [VG_NODE_CHILD] = "child"};
static const char *const parts[VG_PARTS] = {
    [VG_PART_RUNTIME] = "runtime", [VG_PART_PARENT] = "parent"};

static void put_by_worker(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric duration = {
        "vigil_schedule_duration_seconds", VG_HISTOGRAM, "seconds",
        "From the wake of a future to its poll: until its task ran, and from there."};
    struct vg_labels labels;

    vg_metric_head(out, &duration);
    for (unsigned i = 0; i < snapshot->workers * VG_NODES * VG_PARTS; i++) {
        const unsigned worker = i / (VG_NODES * VG_PARTS), node = i / VG_PARTS % VG_NODES;
        const unsigned part = i % VG_PARTS;

        vg_label_none(&labels);
        vg_label_number(&labels, "worker", worker);
        vg_label(&labels, "node", nodes[node]);
        vg_label(&labels, "segment", parts[part]);
        vg_sample_histogram(out, &duration, &labels, &snapshot->worker[worker].ended[node][part]);
    }
}

/* ---- by await site ----------------------------------------------------------------------------- */

/* "examples/http_connection.c:84 http_connection". Two awaits of one line differ by a number: series must. */
static void label_site(const struct vg_sites_shown *shown, struct vg_site_shown *entry)
{
    enum { NUMBER = 4 };
    struct vg_text text;
    unsigned like = 0;

    vg_text_init(&text, entry->label, sizeof entry->label - NUMBER);
    if (entry->site != NULL) {
        vg_text_site(&text, entry->site);
        vg_text_add(&text, " ");
        vg_text_func(&text, entry->site);
    } else {
        vg_text_add(&text, "none");
    }
    for (const struct vg_site_shown *other = shown->site; other < entry; other++)
        like += other->node == entry->node &&
                strncmp(other->label, entry->label, strlen(entry->label)) == 0 &&
                (other->label[strlen(entry->label)] == '\0' ||
                 other->label[strlen(entry->label)] == '#');
    text.end += NUMBER;
    if (like > 0)
        vg_text_add(&text, "#%u", like + 1);
}

/* The entry of a row; NULL: it belongs to the rest. */
static const struct vg_site_shown *entry_of(struct vg_sites_shown *shown,
                                            const struct vg_snapshot_row *row)
{
    struct vg_site_shown *entry;

    for (unsigned i = 0; i < shown->count; i++)
        if (shown->site[i].site == row->site && shown->site[i].node == row->node)
            return &shown->site[i];
    if (shown->count == VG_SITES_SHOWN)
        return NULL;
    entry = &shown->site[shown->count++];
    entry->site = row->site;
    entry->node = row->node;
    label_site(shown, entry);
    return entry;
}

static const struct vg_metric by_site = {
    "vigil_site_schedule_duration_seconds", VG_HISTOGRAM, "seconds",
    "The same by the await site that waited; site=other: all but the 64 that were busiest."};

static void put_rest(struct vg_exposition *out, const struct vg_octaves (*rest)[VG_PARTS])
{
    struct vg_labels labels;

    for (unsigned i = 0; i < VG_NODES * VG_PARTS; i++) {
        const unsigned node = i / VG_PARTS, part = i % VG_PARTS;

        vg_label_none(&labels);
        vg_label(&labels, "site", "other");
        vg_label(&labels, "node", nodes[node]);
        vg_label(&labels, "segment", parts[part]);
        vg_sample_histogram(out, &by_site, &labels, &rest[node][part]);
    }
}

static void put_by_site(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                        struct vg_sites_shown *shown)
{
    struct vg_octaves rest[VG_NODES][VG_PARTS];
    struct vg_labels labels;

    memset(rest, 0, sizeof rest);
    vg_metric_head(out, &by_site);
    for (unsigned i = 0; i < snapshot->rows; i++) {
        const struct vg_snapshot_row *row = &snapshot->row[i];
        const struct vg_site_shown *entry = entry_of(shown, row); /* rows come busiest first */

        for (unsigned part = 0; part < VG_PARTS; part++) {
            if (entry == NULL) {
                vg_octaves_merge(&rest[row->node][part], &row->ended[part]);
                continue;
            }
            vg_label_none(&labels);
            vg_label(&labels, "site", entry->label);
            vg_label(&labels, "node", nodes[row->node]);
            vg_label(&labels, "segment", parts[part]);
            vg_sample_histogram(out, &by_site, &labels, &row->ended[part]);
        }
    }
    put_rest(out, (const struct vg_octaves(*)[VG_PARTS])rest);
}

static void put_cancelled(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                          struct vg_sites_shown *shown)
{
    static const struct vg_metric cancelled = {
        "vigil_site_cancelled", VG_COUNTER, NULL,
        "Async functions and timers that waited there and were cancelled, for another had won."};
    struct vg_labels labels;
    uint64_t rest = 0;

    vg_metric_head(out, &cancelled);
    for (unsigned i = 0; i < snapshot->rows; i++) {
        const struct vg_snapshot_row *row = &snapshot->row[i];
        const struct vg_site_shown *entry = entry_of(shown, row);

        if (row->node != VG_NODE_CHILD)
            continue;
        if (entry == NULL) {
            rest += row->cancelled;
            continue;
        }
        vg_label_none(&labels);
        vg_label(&labels, "site", entry->label);
        vg_sample(out, &cancelled, &labels, row->cancelled);
    }
    vg_label_none(&labels);
    vg_label(&labels, "site", "other");
    vg_sample(out, &cancelled, &labels, rest);
}

/* ---- what has not ended ------------------------------------------------------------------------ */

static void put_pending(struct vg_exposition *out, const struct vg_snapshot *snapshot)
{
    static const struct vg_metric age = {"vigil_future_wake_pending_age_seconds", VG_GAUGE,
                                         "seconds",
                                         "Age of the oldest wake that no poll has answered."};
    static const struct vg_metric pending = {
        "vigil_future_wake_pending", VG_GAUGE, NULL,
        "Woken futures that have not been polled for longer than that."};
    const struct vg_snapshot_open *open = &snapshot->open;
    const struct {
        const char *over;
        uint64_t count;
    } counts[] = {{"0s", open->count},
                  {"10ms", open->over_10ms},
                  {"100ms", open->over_100ms},
                  {"1s", open->over_1s}};
    struct vg_labels labels;

    vg_metric_head(out, &age);
    for (unsigned node = 0; node < VG_NODES; node++) {
        vg_label_none(&labels);
        vg_label(&labels, "node", nodes[node]);
        vg_sample_time(out, &age, &labels, open->oldest_of[node]);
    }
    vg_metric_head(out, &pending);
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        vg_label_none(&labels);
        vg_label(&labels, "over", counts[i].over);
        vg_sample(out, &pending, &labels, counts[i].count);
    }
}

void vg_metrics_waits(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                      struct vg_sites_shown *shown)
{
    put_by_worker(out, snapshot);
    put_by_site(out, snapshot, shown);
    put_cancelled(out, snapshot, shown);
    put_pending(out, snapshot);
}
