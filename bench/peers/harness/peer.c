/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) < 0)
        peer_die("clock_gettime");
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void peer_begin(struct peer_run *run)
{
    run->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    run->wall_ns = clock_ns(CLOCK_MONOTONIC);
}

void peer_end(struct peer_run *run, uint64_t ops)
{
    run->wall_ns = clock_ns(CLOCK_MONOTONIC) - run->wall_ns;
    run->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - run->cpu_ns;
    run->ops = ops;
}

void peer_check(const char *what, uint64_t got, uint64_t wanted)
{
    if (got == wanted)
        return;
    fprintf(stderr, "%s: %" PRIu64 ", not %" PRIu64 "\n", what, got, wanted);
    exit(1);
}

void peer_die(const char *what)
{
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static uint64_t number(const char *text, uint64_t least)
{
    char *end;
    const uint64_t value = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || value < least) {
        fprintf(stderr, "%s is not such a number\n", text);
        exit(2);
    }
    return value;
}

uint64_t peer_count(uint64_t full)
{
    const char *text = getenv("VIGIL_PEER_SCALE");
    const uint64_t scale = text != NULL ? number(text, 1) : 1;

    return full > scale ? full / scale : 1;
}

uint64_t peer_sleep_ms(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return 1 + *x % 1000;
}

static int run(const struct peer_bench *bench, unsigned workers)
{
    struct peer_run measured;

    (void)bench->run(workers);
    measured = bench->run(workers);
    printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", bench->name, measured.ops,
           measured.wall_ns, measured.cpu_ns);
    return 0;
}

int peer_main(int argc, char **argv, const struct peer_bench *benches,
              void (*echo)(unsigned port, unsigned workers))
{
    const char *command = argc > 1 ? argv[1] : "";

    if (argc == 4 && echo != NULL && strcmp(command, "echo") == 0) {
        echo((unsigned)number(argv[2], 0), (unsigned)number(argv[3], 1));
        return 0;
    }
    for (; benches->name != NULL; benches++) {
        if (argc == 2 && strcmp(command, "--list") == 0)
            puts(benches->name);
        else if (argc == 3 && strcmp(command, benches->name) == 0)
            return run(benches, (unsigned)number(argv[2], 1));
    }
    if (argc == 2 && strcmp(command, "--list") == 0)
        return 0;
    if (argc == 3)
        fprintf(stderr, "no benchmark %s; see --list\n", command);
    else
        fprintf(stderr, "PROGRAM BENCH WORKERS | PROGRAM --list | PROGRAM echo PORT WORKERS\n");
    return 2;
}
