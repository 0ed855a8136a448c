/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include <benchmark/benchmark.h>

struct bench_run {
    benchmark::State &state;
};

static bool failed;

bool bench_next(struct bench_run *run, int64_t count)
{
    return run->state.KeepRunningBatch(count);
}

void bench_fail(struct bench_run *run, const char *why)
{
    failed = true;
    run->state.SkipWithError(why);
}

void bench_skip(struct bench_run *run, const char *why)
{
    run->state.SkipWithError(why);
}

void bench_count(struct bench_run *run, const char *name, double value)
{
    run->state.counters[name] = value;
}

static void call(benchmark::State &state, const struct bench *bench)
{
    struct bench_run run = {state};

    bench->fn(&run, bench->arg);
}

static void add(const struct bench *bench)
{
    for (; bench->name != nullptr; bench++)
        benchmark::RegisterBenchmark(bench->name, call, bench)->MeasureProcessCPUTime();
}

int main(int argc, char **argv)
{
    for (const struct bench *part :
         {bench_floor, bench_depth, bench_task, bench_oneshot, bench_timer, bench_mutex, bench_mpsc,
          bench_broadcast, bench_watch, bench_io})
        add(part);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return failed ? 1 : 0;
}
