/* SPDX-License-Identifier: MIT */
#include <vigil/liveness.h>

#include <string.h>

#include "text.h"

enum { CELL = 10, LABEL = 64 };

static void print_duration(FILE *out, uint64_t ns)
{
    char buffer[32];
    struct vg_text text;

    vg_text_init(&text, buffer, sizeof buffer);
    vg_text_duration(&text, ns);
    fprintf(out, "%*s", CELL, buffer);
}

static void print_verdicts(const struct vg_snapshot *snapshot, FILE *out)
{
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        const struct vg_snapshot_verdict *verdict = &snapshot->verdict[i];

        fprintf(out, "  %-19s %6llu reported  %6llu suppressed  %6llu healed  %6llu active\n",
                vg_verdict_name((enum vg_verdict)i), (unsigned long long)verdict->reported,
                (unsigned long long)verdict->suppressed, (unsigned long long)verdict->healed,
                (unsigned long long)verdict->active);
    }
    if (snapshot->lost > 0)
        fprintf(out, "  %llu reports found no room\n", (unsigned long long)snapshot->lost);
}

/* "conn.c:224 session": the place, and the async function. */
static void label_site(const struct vg_site *site, struct vg_text *text)
{
    if (site == NULL) {
        vg_text_add(text, "(bare roots, queued tasks)");
        return;
    }
    vg_text_site(text, site);
    vg_text_add(text, " ");
    vg_text_func(text, site);
}

static int label_width(const struct vg_snapshot *snapshot)
{
    size_t width = strlen("await site");

    for (unsigned i = 0; i < snapshot->rows; i++) {
        char label[LABEL + 1];
        struct vg_text text;

        vg_text_init(&text, label, sizeof label);
        label_site(snapshot->row[i].site, &text);
        if (strlen(label) > width)
            width = strlen(label);
    }
    return (int)width;
}

static void print_open(const struct vg_snapshot_open *open, FILE *out)
{
    char label[LABEL + 1];
    struct vg_text text;

    fprintf(out, "open waits: %llu, over 10 ms: %llu, over 100 ms: %llu, over 1 s: %llu",
            (unsigned long long)open->count, (unsigned long long)open->over_10ms,
            (unsigned long long)open->over_100ms, (unsigned long long)open->over_1s);
    if (open->count > 0) {
        vg_text_init(&text, label, sizeof label);
        vg_text_duration(&text, open->oldest);
        vg_text_add(&text, " at ");
        label_site(open->site, &text);
        fprintf(out, "; oldest %s", label);
    }
    fputc('\n', out);
}

static void print_head(int width, FILE *out)
{
    fprintf(out, "wake to poll\n  %-*s %-5s %10s %6s %9s  %-8s%*s%*s%*s%*s\n", width, "await site",
            "node", "answered", "open", "cancelled", "part", CELL, "p50", CELL, "p99", CELL,
            "p99.9", CELL, "max");
}

static void print_row(const struct vg_snapshot_row *row, int width, FILE *out)
{
    const struct vg_latency *segment[] = {&row->runtime, &row->parent, &row->total};
    static const char *const name[] = {"runtime", "parent", "total"};
    char label[LABEL + 1];
    struct vg_text text;
    int indent;

    vg_text_init(&text, label, sizeof label);
    label_site(row->site, &text);
    indent = fprintf(out, "  %-*s %-5s %10llu %6llu %9llu", width, label,
                     row->node == VG_NODE_CHILD ? "child" : "task", (unsigned long long)row->count,
                     (unsigned long long)row->open, (unsigned long long)row->cancelled);
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0)
            fprintf(out, "%*s", indent, "");
        fprintf(out, "  %-8s", name[i]);
        print_duration(out, segment[i]->p50);
        print_duration(out, segment[i]->p99);
        print_duration(out, segment[i]->p999);
        print_duration(out, segment[i]->max);
        fputc('\n', out);
    }
}

static void print_worker(const struct vg_snapshot *snapshot, unsigned index, FILE *out)
{
    const struct vg_snapshot_worker *worker = &snapshot->worker[index];

    fprintf(out, "  worker %-3u %12llu wakes answered  %8llu passed over  longest wait", index,
            (unsigned long long)worker->visits, (unsigned long long)worker->passed_over);
    print_duration(out, worker->total_max);
    if (worker->blocked > 0) {
        fprintf(out, "  blocked %llu times, at most for", (unsigned long long)worker->blocked);
        print_duration(out, worker->blocked_max);
    }
    fputc('\n', out);
}

void vg_snapshot_text(const struct vg_snapshot *snapshot, FILE *out)
{
    char name[4 * sizeof snapshot->name];
    struct vg_text text;
    int width;

    vg_text_init(&text, name, sizeof name);
    vg_text_name(&text, snapshot->name);
    fprintf(out, "executor \"%s\": %u workers, %llu tasks, level %u\n", name, snapshot->workers,
            (unsigned long long)snapshot->tasks, snapshot->level);
    fputs("verdicts\n", out);
    print_verdicts(snapshot, out);
    print_open(&snapshot->open, out);
    width = label_width(snapshot);
    print_head(width, out);
    for (unsigned i = 0; i < snapshot->rows; i++)
        print_row(&snapshot->row[i], width, out);
    for (unsigned i = 0; i < snapshot->workers; i++)
        print_worker(snapshot, i, out);
}
