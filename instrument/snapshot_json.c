/* SPDX-License-Identifier: MIT */
#include <vigil/liveness.h>

#include "text.h"

/* Bytes that are not ASCII are taken for Latin-1: whatever a name holds, the output is valid. */
static void put_string(FILE *out, const char *key, const char *value)
{
    fprintf(out, "\"%s\":", key);
    if (value == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *value != '\0'; value++) {
        const unsigned char c = (unsigned char)*value;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void put_number(FILE *out, const char *key, uint64_t value)
{
    fprintf(out, "\"%s\":%llu", key, (unsigned long long)value);
}

static void put_func(FILE *out, const struct vg_site *site)
{
    char name[96];
    struct vg_text text;

    vg_text_init(&text, name, sizeof name);
    if (site != NULL)
        vg_text_func(&text, site);
    put_string(out, "func", site != NULL ? name : NULL);
}

static void put_site(FILE *out, const struct vg_site *site, enum vg_node node)
{
    put_string(out, "file", site != NULL ? site->file : NULL);
    fputc(',', out);
    put_number(out, "line", site != NULL ? (uint64_t)site->line : 0);
    fputc(',', out);
    put_func(out, site);
    fputc(',', out);
    put_string(out, "expr", site != NULL ? site->expr : NULL);
    fputc(',', out);
    put_string(out, "node", node == VG_NODE_CHILD ? "child" : "task");
}

static void put_latency(FILE *out, const char *key, const struct vg_latency *latency)
{
    fprintf(out, ",\"%s\":{", key);
    put_number(out, "sum", latency->sum);
    fputc(',', out);
    put_number(out, "p50", latency->p50);
    fputc(',', out);
    put_number(out, "p99", latency->p99);
    fputc(',', out);
    put_number(out, "p999", latency->p999);
    fputc(',', out);
    put_number(out, "max", latency->max);
    fputc('}', out);
}

static void put_row(FILE *out, const struct vg_snapshot_row *row)
{
    fputc('{', out);
    put_site(out, row->site, row->node);
    fputc(',', out);
    put_number(out, "count", row->count);
    fputc(',', out);
    put_number(out, "open", row->open);
    fputc(',', out);
    put_number(out, "cancelled", row->cancelled);
    put_latency(out, "runtime_ns", &row->runtime);
    put_latency(out, "parent_ns", &row->parent);
    put_latency(out, "total_ns", &row->total);
    fputc('}', out);
}

static void put_worker(FILE *out, const struct vg_snapshot_worker *worker)
{
    fputc('{', out);
    put_number(out, "visits", worker->visits);
    fputc(',', out);
    put_number(out, "passed_over", worker->passed_over);
    fputc(',', out);
    put_number(out, "runtime_sum_ns", worker->runtime_sum);
    fputc(',', out);
    put_number(out, "parent_sum_ns", worker->parent_sum);
    fputc(',', out);
    put_number(out, "total_max_ns", worker->total_max);
    fputc(',', out);
    put_number(out, "blocked", worker->blocked);
    fputc(',', out);
    put_number(out, "blocked_sum_ns", worker->blocked_ns);
    fputc(',', out);
    put_number(out, "blocked_max_ns", worker->blocked_max);
    fputc('}', out);
}

static void put_open(FILE *out, const struct vg_snapshot_open *open)
{
    fputs("\"open\":{", out);
    put_number(out, "count", open->count);
    fputc(',', out);
    put_number(out, "over_10ms", open->over_10ms);
    fputc(',', out);
    put_number(out, "over_100ms", open->over_100ms);
    fputc(',', out);
    put_number(out, "over_1s", open->over_1s);
    fputc(',', out);
    put_number(out, "oldest_ns", open->oldest);
    fputs(",\"oldest_at\":{", out);
    put_site(out, open->site, open->node);
    fputs("}}", out);
}

static void put_verdict(FILE *out, const char *name, const struct vg_snapshot_verdict *verdict)
{
    fprintf(out, "\"%s\":{", name);
    put_number(out, "reported", verdict->reported);
    fputc(',', out);
    put_number(out, "suppressed", verdict->suppressed);
    fputc(',', out);
    put_number(out, "healed", verdict->healed);
    fputc(',', out);
    put_number(out, "active", verdict->active);
    fputc('}', out);
}

static void put_head(FILE *out, const struct vg_snapshot *snapshot)
{
    put_string(out, "executor", snapshot->name);
    fputc(',', out);
    put_number(out, "at_ns", snapshot->at);
    fputc(',', out);
    put_number(out, "level", snapshot->level);
    fputc(',', out);
    put_number(out, "tasks", snapshot->tasks);
    fputc(',', out);
    put_number(out, "lost_reports", snapshot->lost);
    fputc(',', out);
    put_number(out, "healings", snapshot->healings);
    fputc(',', out);
    put_number(out, "watch_cpu_ns", snapshot->watchdog_cpu);
    fputc(',', out);
}

void vg_snapshot_json(const struct vg_snapshot *snapshot, FILE *out)
{
    fputc('{', out);
    put_head(out, snapshot);
    put_open(out, &snapshot->open);
    fputs(",\"verdicts\":{", out);
    for (unsigned i = 0; i < VG_VERDICT_COUNT; i++) {
        fputs(i > 0 ? "," : "", out);
        put_verdict(out, vg_verdict_name((enum vg_verdict)i), &snapshot->verdict[i]);
    }
    fputs("},\"workers\":[", out);
    for (unsigned i = 0; i < snapshot->workers; i++) {
        fputs(i > 0 ? "," : "", out);
        put_worker(out, &snapshot->worker[i]);
    }
    fputs("],\"sites\":[", out);
    for (unsigned i = 0; i < snapshot->rows; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        put_row(out, &snapshot->row[i]);
    }
    fputs("\n]}\n", out);
}
