/* SPDX-License-Identifier: MIT */
/*
 * One benchmark, once, after a run that does not count and makes memory and caches warm:
 *
 *     vigil_bench NAME WORKERS [DIVISOR]     prints "<name>\t<operations>\t<wall ns>\t<processor ns>", then what else it
 *                                            counted, as "\t<what>=<value>"; a benchmark of memory prints bytes, and 0
 *     vigil_bench --list                     prints "<name>\t<most workers>" for each
 *
 * The same contract as that of the programs that vigil is compared with. Exit code 77: the machine cannot run it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shim.h"

enum { SKIPPED = 77, COUNTERS = 4, WARM_UPS = 1 };

struct once {
    struct bench_run run;
    unsigned runs; /* begun */
    int64_t operations;
    uint64_t wall_ns, processor_ns; /* of the last one: when it began, then how long it took */
    double bytes;                   /* instead of times, unless 0 */
    struct {
        const char *name;
        double value;
    } counter[COUNTERS];
    unsigned counters;
    int code;
};

static uint64_t clock_of(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static struct once *once_of(struct bench_run *run)
{
    return (struct once *)(void *)run;
}

static bool next(struct bench_run *run, int64_t count)
{
    struct once *once = once_of(run);
    const uint64_t wall = clock_of(CLOCK_MONOTONIC);
    const uint64_t processor = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    const bool ended = once->runs == 1 + WARM_UPS;

    if (once->code != 0)
        return false;
    once->runs += 1;
    once->operations = count;
    once->wall_ns = ended ? wall - once->wall_ns : clock_of(CLOCK_MONOTONIC);
    once->processor_ns =
        ended ? processor - once->processor_ns : clock_of(CLOCK_PROCESS_CPUTIME_ID);
    return !ended;
}

static void fail(struct bench_run *run, const char *why, bool skip)
{
    fprintf(stderr, "vigil_bench: %s\n", why);
    once_of(run)->code = skip ? SKIPPED : 1;
}

static void count(struct bench_run *run, const char *name, double value)
{
    struct once *once = once_of(run);

    if (strcmp(name, "bytes") == 0) {
        once->bytes = value;
    } else if (once->counters < COUNTERS) {
        once->counter[once->counters].name = name;
        once->counter[once->counters++].value = value;
    }
}

static const struct bench_harness harness = {next, fail, count};

static int print(const struct once *once, const char *name)
{
    if (once->code != 0)
        return once->code;
    if (once->runs <= 1 + WARM_UPS)
        return 1;
    if (once->bytes != 0)
        printf("%s\t%" PRId64 "\t%.0f\t0", name, once->operations, once->bytes);
    else
        printf("%s\t%" PRId64 "\t%" PRIu64 "\t%" PRIu64, name, once->operations, once->wall_ns,
               once->processor_ns);
    for (unsigned i = 0; i < once->counters; i++)
        printf("\t%s=%.3f", once->counter[i].name, once->counter[i].value);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : 1;
}

static const struct bench *find(const char *name)
{
    for (const struct bench *const *part = bench_parts; *part != NULL; part++)
        for (const struct bench *bench = *part; bench->name != NULL; bench++)
            if (strcmp(bench->name, name) == 0)
                return bench;
    return NULL;
}

static int list(void)
{
    for (const struct bench *const *part = bench_parts; *part != NULL; part++)
        for (const struct bench *bench = *part; bench->name != NULL; bench++)
            printf("%s\t%u\n", bench->name, bench->workers);
    return 0;
}

bool bench_once_wanted(int argc, char **argv)
{
    return argc > 1 && (argv[1][0] != '-' || strcmp(argv[1], "--list") == 0);
}

int bench_once(int argc, char **argv)
{
    const struct bench *bench = find(argv[1]);
    const int workers = argc > 2 ? atoi(argv[2]) : 1, divisor = argc > 3 ? atoi(argv[3]) : 1;
    struct once once = {.run = {.harness = &harness}};

    if (strcmp(argv[1], "--list") == 0)
        return list();
    if (bench == NULL || argc > 4 || workers < 1 || divisor < 1 ||
        (unsigned)workers > bench->workers) {
        fprintf(stderr, "vigil_bench: cannot run %s so\n", argv[1]);
        return 2;
    }
    once.run.workers = (unsigned)workers;
    once.run.divisor = divisor;
    bench->fn(&once.run, bench->arg);
    return print(&once, bench->name);
}
