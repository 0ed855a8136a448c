/* SPDX-License-Identifier: MIT */
#include "futurelock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void fl_keep_report(const struct vg_report *report, void *arg)
{
    struct story *story = arg;
    struct fl_report *kept;

    if (story->reports == FL_REPORTS_MAX)
        return;
    kept = &story->report[story->reports++];
    kept->report = *report;
    kept->report.text = NULL;
    kept->text = strdup(report->text);
}

unsigned fl_futurelocks(const struct story *story, unsigned *healed)
{
    unsigned n = 0;

    *healed = 0;
    for (unsigned i = 0; i < story->reports; i++) {
        const struct vg_report *report = &story->report[i].report;

        if (report->verdict != VG_VERDICT_FUTURELOCK || report->ended)
            continue;
        n++;
        *healed += report->healed;
    }
    return n;
}

static const char *outcome(const struct story *story)
{
    return story->hung ? "hung" : "finished";
}

void fl_print(const struct story *story, FILE *out)
{
    unsigned healed, futurelocks = fl_futurelocks(story, &healed);

    fprintf(out, "policy: %s, healing %s\norder:", fl_policy_name(story->options.policy),
            story->options.healing ? "on" : "off");
    for (unsigned i = 0; i < story->steps; i++)
        fprintf(out, " %s", story->step[i]);
    fprintf(out, "\noutcome: %s after %" PRIu64 " ms\nfuturelocks: %u reported, %u healed\n",
            outcome(story), story->took / VG_MSEC(1), futurelocks, healed);
}

/* Texts are ASCII: anything else is left out. */
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if (*text >= ' ' && *text <= '~')
            fputc(*text, out);
    }
    fputc('"', out);
}

static void put_future(FILE *out, const char *key, const struct vg_report_future *future)
{
    fprintf(out, ",\"%s\":{\"type\":", key);
    put_string(out, future->type);
    fputs(",\"frame\":", out);
    put_string(out, future->frame);
    fputs(",\"file\":", out);
    put_string(out, future->site != NULL ? future->site->file : NULL);
    fprintf(out, ",\"line\":%d,\"expr\":", future->site != NULL ? future->site->line : 0);
    put_string(out, future->site != NULL ? future->site->expr : NULL);
    fputc('}', out);
}

static void put_report(FILE *out, const struct fl_report *kept)
{
    const struct vg_report *report = &kept->report;

    fputs("{\"verdict\":", out);
    put_string(out, vg_verdict_name(report->verdict));
    fprintf(out, ",\"confirmed\":%s,\"ended\":%s,\"healed\":%s,\"lasted_ns\":%" PRIu64,
            report->confidence == VG_CONFIRMED ? "true" : "false", report->ended ? "true" : "false",
            report->healed ? "true" : "false", report->lasted);
    fputs(",\"task\":", out);
    put_string(out, report->task_name);
    put_future(out, "starved", &report->starved);
    put_future(out, "parent", &report->parent);
    put_future(out, "blocked", &report->blocked);
    fputs(",\"resource\":", out);
    put_string(out, report->resource_name);
    fputs(",\n\"text\":", out);
    put_string(out, kept->text);
    fputc('}', out);
}

static void put_story(FILE *out, const struct story *story)
{
    fprintf(out,
            "{\"program\":\"futurelock\",\"policy\":\"%s\",\"healing\":%s,\"deadline_ms\":%u,"
            "\"outcome\":\"%s\",\"took_ns\":%" PRIu64 ",\"op1\":%d,\"op2\":%d,\"order\":[",
            fl_policy_name(story->options.policy), story->options.healing ? "true" : "false",
            story->options.deadline_ms, outcome(story), story->took, story->op1, story->op2);
    for (unsigned i = 0; i < story->steps; i++)
        fprintf(out, "%s\"%s\"", i > 0 ? "," : "", story->step[i]);
    fputs("],\n\"reports\":[", out);
    for (unsigned i = 0; i < story->reports; i++) {
        fputs(i > 0 ? ",\n" : "", out);
        put_report(out, &story->report[i]);
    }
    fputs("],\n\"liveness\":", out);
}

int fl_write(const struct story *story, const struct vg_snapshot *snapshot)
{
    FILE *out;
    bool failed;

    if (story->options.report == NULL)
        return 0;
    out = fopen(story->options.report, "we");
    if (out == NULL)
        return -errno;
    put_story(out, story);
    vg_snapshot_json(snapshot, out);
    fputs("}\n", out);
    failed = ferror(out) != 0;
    return fclose(out) != 0 || failed ? -EIO : 0;
}

void fl_forget(struct story *story)
{
    for (unsigned i = 0; i < story->reports; i++)
        free(story->report[i].text);
}
