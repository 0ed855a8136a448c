/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness_private.h"

uint64_t test_seed;
static uint64_t seeds_end;

/* Seeds */

static void set_seed(uint64_t seed)
{
    test_seed = seed;
    test_shared->seed = seed;
}

uint64_t test_seeds_begin(uint64_t count)
{
    if (test_options.seeds)
        count = test_options.seeds;
    else if (test_long())
        count *= 20;
    set_seed(test_options.one_seed ? test_options.seed : 1);
    seeds_end = test_options.one_seed ? test_seed + 1 : count + 1;
    return test_seed;
}

bool test_seeds_more(void)
{
    if (test_seed != seeds_end)
        return true;
    set_seed(0);
    return false;
}

uint64_t test_seeds_next(void)
{
    set_seed(test_seed + 1);
    return test_seed;
}

/* Workers */

unsigned test_workers_begin(void)
{
    return test_shared->workers = test_options.workers ? test_options.workers : 1;
}

bool test_workers_more(void)
{
    return test_shared->workers != 0;
}

unsigned test_workers_next(void)
{
    const bool last = test_options.workers || test_shared->workers == 8;
    return test_shared->workers = last ? 0 : test_shared->workers * 2;
}

/* Counts */

void test_count(uint64_t n, const char *what)
{
    unsigned i = 0;
    while (i < TEST_COUNTS && test_shared->count[i].what &&
           strcmp(test_shared->count[i].what, what) != 0)
        i++;
    CHECK(i < TEST_COUNTS);
    test_shared->count[i].what = what;
    test_shared->count[i].n += n;
}

/* One write each, so that lines of tests that run side by side do not mix. */
static void append(const char *line, size_t len)
{
    const char *path = getenv("VIGIL_RECORD");
    const int fd = path && *path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        return;
    if (write(fd, line, len) != (ssize_t)len)
        perror(path);
    close(fd);
}

void test_counts_print(const char *program, const char *test, double ms, const char *verdict)
{
    char line[1024];
    for (unsigned i = 0; i < TEST_COUNTS && test_shared->count[i].what; i++) {
        const unsigned long long n = test_shared->count[i].n;
        const char *what = test_shared->count[i].what;
        printf("count: %llu %s\n", n, what);
        int len = snprintf(line, sizeof line, "%llu\t%s\t%.1f\t%s\t%s\t%s\n", n, what, ms / 1e3,
                           verdict, test, program);
        if (len > 0 && (size_t)len < sizeof line)
            append(line, (size_t)len);
    }
}
