/* SPDX-License-Identifier: MIT */
/* Tests that misbehave in one way each; test_harness.c checks that the harness tells. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "counting_alloc.h"

TEST(passes)
{
    CHECK(true);
}

TEST(opens_a_descriptor)
{
    CHECK(open("/dev/null", O_RDONLY) >= 0);
}

TEST(closes_a_descriptor)
{
    close(STDIN_FILENO);
}

TEST(leaves_a_block)
{
    CHECK(test_alloc_get(42, 8) != NULL);
}

TEST(hangs)
{
    TEST_TIMEOUT(0);
    pause();
}

TEST(crashes)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

TEST(exits_early)
{
    _exit(3);
}

TEST(crashes_with_seed_7)
{
    FOR_SEEDS (seed, 20)
        if (seed == 7)
            abort();
}

TEST(crashes_with_4_workers)
{
    FOR_WORKERS (workers)
        if (workers == 4)
            abort();
}

TEST(counts)
{
    test_count(3, "rounds");
    FOR_WORKERS (workers)
        test_count(workers, "workers");
    test_count(4, "rounds");
}

TEST(is_skipped)
{
    SKIP("no such machine");
}
