/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include <benchmark/benchmark.h>
#include <string>

#include <vigil/base.h>

namespace
{

/* Operations of a run; in builds with checks nothing is measured, they only try whether it runs. */
constexpr int64_t DIVISOR = VG_DEBUG ? 500 : 16;

struct google_run : bench_run {
    benchmark::State &state;
};

bool failed;

benchmark::State &state_of(bench_run *run)
{
    return static_cast<google_run *>(run)->state;
}

bool next(bench_run *run, int64_t count)
{
    return state_of(run).KeepRunningBatch(count);
}

void fail(bench_run *run, const char *why, bool skip)
{
    failed = failed || !skip;
    state_of(run).SkipWithError(why);
}

void count(bench_run *run, const char *name, double value)
{
    state_of(run).counters[name] = value;
}

const bench_harness google = {next, fail, count};

void call(benchmark::State &state, const bench *bench, unsigned workers)
{
    google_run run = {{&google, workers, DIVISOR}, state};

    bench->fn(&run, bench->arg);
}

void add(const bench *bench, unsigned workers)
{
    const std::string name = bench->name + std::string("/workers:") + std::to_string(workers);

    benchmark::RegisterBenchmark(name.c_str(), call, bench, workers)->MeasureProcessCPUTime();
}

} // namespace

int main(int argc, char **argv)
{
    if (bench_once_wanted(argc, argv))
        return bench_once(argc, argv);
    for (const bench *const *part = bench_parts; *part != nullptr; part++)
        for (const bench *bench = *part; bench->name != nullptr; bench++)
            for (unsigned workers = 1; workers <= 2 && workers <= bench->workers; workers++)
                add(bench, workers);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return failed ? 1 : 0;
}
