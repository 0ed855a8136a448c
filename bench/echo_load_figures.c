/* SPDX-License-Identifier: MIT */
#include "echo_load.h"

#include <inttypes.h>

/* Values below 32 have a class of their own; above, each power of two has 32. */
static unsigned class_of(uint64_t ns)
{
    unsigned shift;

    if (ns < 32)
        return (unsigned)ns;
    shift = 58 - (unsigned)__builtin_clzll(ns); /* leaves six bits, the first of them 1 */
    return shift * 32 + (unsigned)(ns >> shift);
}

static uint64_t floor_of(unsigned class)
{
    const unsigned shift = class < 64 ? 0 : class / 32 - 1;

    return (uint64_t)(class - shift * 32) << shift;
}

void load_record(struct load_figures *figures, uint64_t latency_ns)
{
    figures->latency[class_of(latency_ns)]++;
    if (latency_ns > figures->longest_ns)
        figures->longest_ns = latency_ns;
}

static double quantile_us(const struct load_figures *figures, double q)
{
    const double rank = q * (double)figures->requests;
    uint64_t seen = 0;

    for (unsigned class = 0; class < LOAD_CLASSES; class ++) {
        seen += figures->latency[class];
        if (seen > 0 && (double)seen >= rank)
            return (double)floor_of(class) / 1e3;
    }
    return 0;
}

static double per_request(const struct load_figures *figures, uint64_t ns)
{
    return figures->requests == 0 ? 0 : (double)ns / (double)figures->requests;
}

static void print_usage(const struct load_figures *figures, FILE *out)
{
    const struct load_usage *usage = &figures->usage;
    const uint64_t ticks = usage->user_ms10 + usage->system_ms10;

    fprintf(out,
            ",\"server_ns_per_request\":%.1f,\"server_user_share\":%.3f,\"server_busy\":%.3f,"
            "\"sleeps_per_request\":%.4f,\"thread_ns_per_request\":%.2f",
            per_request(figures, usage->server_ns),
            ticks == 0 ? 0 : (double)usage->user_ms10 / (double)ticks,
            (double)usage->server_ns / (double)figures->ns, per_request(figures, usage->sleeps),
            per_request(figures, usage->thread_ns));
}

void load_print(const struct load_figures *figures, const struct load_options *options, FILE *out)
{
    fprintf(out,
            "{\"connections\":%u,\"size\":%u,\"requests\":%" PRIu64 ",\"seconds\":%.3f,"
            "\"requests_per_s\":%.0f,\"load_ns_per_request\":%.1f",
            options->connections, options->size, figures->requests, (double)figures->ns / 1e9,
            (double)figures->requests * 1e9 / (double)figures->ns,
            per_request(figures, figures->usage.load_ns));
    if (options->pid != 0)
        print_usage(figures, out);
    fprintf(out,
            ",\"latency_us\":{\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}"
            "}\n",
            quantile_us(figures, 0.5), quantile_us(figures, 0.9), quantile_us(figures, 0.99),
            quantile_us(figures, 0.999), (double)figures->longest_ns / 1e3);
}
