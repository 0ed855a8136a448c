/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vigil/base.h>

struct options mc_options = {.bound = -1, .seed = 1, .steps = 2000, .expect = -1};

static struct mc_model *models;

static const char usage[] =
    "usage: %s [option...] [model...]\n"
    "  --list           name the models\n"
    "  --bound N        depth first, all schedules of up to N preemptions (2 unless told "
    "otherwise)\n"
    "  --max N          give the depth first search up after N executions\n"
    "  --random N       N random executions\n"
    "  --pct N          N executions by random priorities\n"
    "  --seed N         of both (1)\n"
    "  --steps N        allow executions to be cut after N steps (else it is a failure, after "
    "2000)\n"
    "  --c11            release sequences of C11, not C++20\n"
    "  --expect KIND    succeed if just that is found: ok, assertion, race, freed, lost-wake, "
    "deadlock\n"
    "  --save FILE      write the schedule of a failure\n"
    "  --replay WHAT    run one schedule, given as text or as a file, and print its trace\n";

void mc_register(struct mc_model *model)
{
    struct mc_model **at = &models;

    while (*at && strcmp((*at)->name, model->name) < 0)
        at = &(*at)->next;
    model->next = *at;
    *at = model;
}

/* The library's panic, under the explorer. */
void vg_panic_at(const char *file, int line, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    mc_fail(MC_ASSERTION, "panic at %s:%d: %s", file, line, text);
}

/* ---- one search of one model ------------------------------------------------------------------ */

struct result {
    long executions, cut;
    bool complete;
    double seconds;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct result search(const struct mc_model *model, enum search_mode mode, int bound,
                            long limit)
{
    struct result result = {0};
    double start = now();

    search_begin(mode, bound);
    while (limit == 0 || result.executions < limit) {
        search_execution(result.executions++);
        thread_execute(model);
        if (mc_run.failure)
            break;
        result.cut += mc_run.cut;
        if (!search_next()) {
            result.complete = true;
            break;
        }
    }
    result.seconds = now() - start;
    return result;
}

static void describe(const char *name, enum search_mode mode, int bound, const struct result *r)
{
    printf("%s: %s%s, %ld executions, ", name, mc_run.failure ? "FOUND " : "",
           report_kind(mc_run.failure), r->executions);
    if (mode == SEARCH_RANDOM)
        printf("random");
    else if (mode == SEARCH_PCT)
        printf("by priorities");
    else
        printf("%s %d preemptions",
               r->complete      ? "complete at"
               : mc_run.failure ? "within"
                                : "stopped at",
               bound);
    if (r->cut > 0)
        printf(", %ld cut at %d steps", r->cut, mc_options.steps);
    printf(", %.2f s\n", r->seconds);
}

static void save(const char *schedule)
{
    FILE *file = mc_options.save ? fopen(mc_options.save, "w") : NULL;

    if (file) {
        fprintf(file, "%s\n", schedule);
        fclose(file);
    }
}

static void explain(const struct mc_model *model)
{
    static char schedule[1 << 16];
    enum mc_kind found = mc_run.failure;

    report_schedule(schedule, sizeof schedule);
    save(schedule);
    printf("%s\n", mc_run.message);
    if (!report_read_schedule(schedule))
        abort();
    mc_run.tracing = true;
    search_execution(0);
    thread_execute(model);
    mc_run.tracing = false;
    if (mc_run.failure != found)
        printf("the explorer has failed to repeat this: ended as %s\n",
               report_kind(mc_run.failure));
    printf("again: %s --replay '%s'\n", model->name, schedule);
}

static enum mc_kind expected(const struct mc_model *model)
{
    return mc_options.expect < 0 ? model->expect : (enum mc_kind)mc_options.expect;
}

/* True: nothing was found, and nothing left out that was not meant to be. */
static bool try(const struct mc_model *model, enum search_mode mode, int bound, long limit)
{
    struct result result = search(model, mode, bound, limit);
    enum mc_kind found = mc_run.failure;

    describe(model->name, mode, bound, &result);
    if (found && found != expected(model))
        explain(model);
    mc_run.failure = found;
    return found == MC_OK && (result.cut == 0 || mc_options.may_cut);
}

/* True: all is as expected. */
static bool explore(const struct mc_model *model)
{
    int bound = mc_options.bound;
    bool clean = true;

    search_model();
    if (bound < 0 && !mc_options.random && !mc_options.pct)
        bound = 2;
    if (bound >= 0)
        clean = try(model, SEARCH_DFS, bound, mc_options.executions);
    if (clean && mc_options.random)
        clean = try(model, SEARCH_RANDOM, -1, mc_options.random);
    if (clean && mc_options.pct)
        clean = try(model, SEARCH_PCT, -1, mc_options.pct);
    if (mc_run.failure == expected(model))
        return clean || expected(model);
    if (expected(model))
        printf("%s: expected %s\n", model->name, report_kind(expected(model)));
    return false;
}

static bool replay(const struct mc_model *model)
{
    static char text[1 << 16];
    FILE *file = fopen(mc_options.replay, "r");

    snprintf(text, sizeof text, "%s", mc_options.replay);
    if (file) {
        if (!fgets(text, sizeof text, file))
            text[0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        fclose(file);
    }
    if (!report_read_schedule(text)) {
        fprintf(stderr, "not a schedule: %s\n", text);
        return false;
    }
    mc_run.tracing = true;
    search_execution(0);
    thread_execute(model);
    printf("%s: %s %s\n", model->name, report_kind(mc_run.failure), mc_run.message);
    return mc_run.failure == expected(model);
}

/* ---- command line ----------------------------------------------------------------------------- */

static bool number(const char *text, long *value)
{
    char *end;

    *value = strtol(text, &end, 10);
    return end != text && *end == '\0' && *value >= 0;
}

/* Options with a value; false if there is no such option or the value makes no sense. */
static bool option(const char *name, const char *value)
{
    long n = 0;

    if (strcmp(name, "--expect") == 0) {
        mc_options.expect = report_parse_kind(value);
        return mc_options.expect >= 0;
    }
    if (strcmp(name, "--save") == 0)
        mc_options.save = value;
    else if (strcmp(name, "--replay") == 0)
        mc_options.replay = value;
    else if (!number(value, &n))
        return false;
    else if (strcmp(name, "--bound") == 0)
        mc_options.bound = (int)n;
    else if (strcmp(name, "--max") == 0)
        mc_options.executions = n;
    else if (strcmp(name, "--random") == 0)
        mc_options.random = n;
    else if (strcmp(name, "--pct") == 0)
        mc_options.pct = n;
    else if (strcmp(name, "--seed") == 0)
        mc_options.seed = (uint64_t)n;
    else if (strcmp(name, "--steps") == 0) {
        mc_options.steps = (int)n;
        mc_options.may_cut = true;
    } else
        return false;
    return true;
}

static int fail_usage(const char *program)
{
    fprintf(stderr, usage, program);
    return 2;
}

static bool chosen(const struct mc_model *model, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], model->name) == 0)
            return true;
    return count == 0;
}

static int run(char **names, int count)
{
    int ran = 0, failed = 0;

    for (const struct mc_model *m = models; m; m = m->next)
        if (chosen(m, names, count)) {
            ran++;
            failed += !(mc_options.replay ? replay(m) : explore(m));
        }
    if (ran == 0 || ran < count) {
        fprintf(stderr, "no such model\n");
        return 2;
    }
    return failed > 0;
}

static int list(void)
{
    for (const struct mc_model *m = models; m; m = m->next)
        printf("%s\n", m->name);
    return 0;
}

int main(int argc, char **argv)
{
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--list") == 0)
            return list();
        if (strcmp(argv[i], "--c11") == 0)
            mc_options.c11 = true;
        else if (i + 1 == argc || !option(argv[i], argv[i + 1]))
            return fail_usage(argv[0]);
        else
            i++;
    }
    return run(argv + i, argc - i);
}
