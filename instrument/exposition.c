/* SPDX-License-Identifier: MIT */
#include "exposition.h"

#include <string.h>

#include "octaves.h"

void vg_label_none(struct vg_labels *labels)
{
    vg_text_init(&labels->text, labels->buffer, sizeof labels->buffer);
}

void vg_label(struct vg_labels *labels, const char *name, const char *value)
{
    struct vg_text shown;
    char buffer[340];

    /* What stands for a byte that cannot be printed has a backslash, too. */
    vg_text_init(&shown, buffer, sizeof buffer);
    vg_text_name(&shown, value);
    vg_text_add(&labels->text, "%s%s=\"", labels->text.at > labels->buffer ? "," : "", name);
    for (const char *c = buffer; *c != '\0'; c++)
        vg_text_add(&labels->text, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    vg_text_add(&labels->text, "\"");
    VG_ASSERT(labels->text.at < labels->text.end); /* nothing was cut off */
}

void vg_label_number(struct vg_labels *labels, const char *name, unsigned value)
{
    char buffer[16];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_add(&text, "%u", value);
    vg_label(labels, name, buffer);
}

/* The name under which the samples stand, which is also the family's unless this is OpenMetrics. */
static const char *suffix_of(const struct vg_metric *metric)
{
    return metric->kind == VG_COUNTER ? "_total" : metric->kind == VG_INFO ? "_info" : "";
}

void vg_metric_head(struct vg_exposition *out, const struct vg_metric *metric)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram", "info"};
    const char *suffix = out->openmetrics ? "" : suffix_of(metric);
    const char *kind = kinds[metric->kind];

    if (metric->kind == VG_INFO && !out->openmetrics)
        kind = "gauge";
    vg_page_add(out->page, "# HELP %s%s %s\n", metric->name, suffix, metric->help);
    vg_page_add(out->page, "# TYPE %s%s %s\n", metric->name, suffix, kind);
    if (out->openmetrics && metric->unit != NULL)
        vg_page_add(out->page, "# UNIT %s %s\n", metric->name, metric->unit);
}

static void put_name(struct vg_exposition *out, const struct vg_metric *metric, const char *suffix,
                     const struct vg_labels *labels)
{
    vg_page_add(out->page, "%s%s", metric->name, suffix);
    if (labels->text.at > labels->buffer)
        vg_page_add(out->page, "{%s}", labels->buffer);
}

void vg_sample(struct vg_exposition *out, const struct vg_metric *metric,
               const struct vg_labels *labels, uint64_t value)
{
    put_name(out, metric, suffix_of(metric), labels);
    vg_page_add(out->page, " %llu\n", (unsigned long long)value);
}

static void put_seconds(struct vg_exposition *out, uint64_t ns)
{
    vg_page_add(out->page, " %llu.%09llu\n", (unsigned long long)(ns / 1000000000),
                (unsigned long long)(ns % 1000000000));
}

void vg_sample_time(struct vg_exposition *out, const struct vg_metric *metric,
                    const struct vg_labels *labels, uint64_t ns)
{
    put_name(out, metric, suffix_of(metric), labels);
    put_seconds(out, ns);
}

static void put_bucket(struct vg_exposition *out, const struct vg_metric *metric,
                       const struct vg_labels *labels, const char *bound, uint64_t n)
{
    vg_page_add(out->page, "%s_bucket{%s%sle=\"%s\"} %llu\n", metric->name, labels->buffer,
                labels->text.at > labels->buffer ? "," : "", bound, (unsigned long long)n);
}

void vg_sample_histogram(struct vg_exposition *out, const struct vg_metric *metric,
                         const struct vg_labels *labels, const struct vg_octaves *octaves)
{
    /* 4^-10 to 4^3 in full: all digits are significant, and the spelling is Go's, as OpenMetrics wants it. */
    static const char *const bounds[] = {
        "9.5367431640625e-07",
        "3.814697265625e-06",
        "1.52587890625e-05",
        "6.103515625e-05",
        "0.000244140625",
        "0.0009765625",
        "0.00390625",
        "0.015625",
        "0.0625",
        "0.25",
        "1.0",
        "4.0",
        "16.0",
        "64.0",
    };
    enum { FIRST = 30 - 2 * 10 }; /* the exponent of the first one, in units of 2^-30 s */

    for (unsigned i = 0; i < sizeof bounds / sizeof *bounds; i++)
        put_bucket(out, metric, labels, bounds[i], vg_octaves_below(octaves, FIRST + 2 * i));
    put_bucket(out, metric, labels, "+Inf", octaves->count);
    put_name(out, metric, "_count", labels);
    vg_page_add(out->page, " %llu\n", (unsigned long long)octaves->count);
    put_name(out, metric, "_sum", labels);
    put_seconds(out, octaves->sum);
}

void vg_exposition_end(struct vg_exposition *out)
{
    if (out->openmetrics)
        vg_page_add(out->page, "# EOF\n");
}
