/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_EXPOSITION_H
#define VIGIL_INSTRUMENT_EXPOSITION_H

#include <vigil/liveness.h>

#include "page.h"
#include "text.h"

/*
 * The text formats of metrics: Prometheus 0.0.4, and OpenMetrics 1.0, which differ in where a counter's _total
 * stands, in units, in the type of information, and in the end.
 *
 *     static const struct vg_metric polls = {"vigil_worker_polls", VG_COUNTER, NULL, "Polls of tasks."};
 *
 *     vg_metric_head(out, &polls);
 *     vg_label_none(&labels);
 *     vg_label_number(&labels, "worker", 3);
 *     vg_sample(out, &polls, &labels, 4711);        vigil_worker_polls_total{worker="3"} 4711
 */

enum vg_metric_kind { VG_COUNTER, VG_GAUGE, VG_HISTOGRAM, VG_INFO };

struct vg_metric {
    const char *name; /* with the unit, without _total */
    enum vg_metric_kind kind;
    const char *unit; /* "seconds", or NULL */
    const char *help; /* one sentence, nothing to be escaped */
};

struct vg_exposition {
    struct vg_page *page;
    bool openmetrics;
};

/* worker="3",node="child": at most what fits; a label more is a programmer's error. */
struct vg_labels {
    struct vg_text text;
    char buffer[640];
};

void vg_label_none(struct vg_labels *labels);

/* The value is cut after 80 characters; those that are not printable ASCII come out as \xNN. */
void vg_label(struct vg_labels *labels, const char *name, const char *value);
void vg_label_number(struct vg_labels *labels, const char *name, unsigned value);

void vg_metric_head(struct vg_exposition *out, const struct vg_metric *metric);
void vg_sample(struct vg_exposition *out, const struct vg_metric *metric,
               const struct vg_labels *labels, uint64_t value);

/* Nanoseconds, printed as seconds. */
void vg_sample_time(struct vg_exposition *out, const struct vg_metric *metric,
                    const struct vg_labels *labels, uint64_t ns);

/* Buckets at powers of four of a second, from a microsecond to a minute. */
void vg_sample_histogram(struct vg_exposition *out, const struct vg_metric *metric,
                         const struct vg_labels *labels, const struct vg_octaves *octaves);

/* After the last metric. */
void vg_exposition_end(struct vg_exposition *out);

#endif
