/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counting_alloc.h"

TEST(numbers_of_any_type_compare_by_value)
{
    CHECK_EQ((size_t)3, 3);
    CHECK_EQ((unsigned char)200, 200L);
    CHECK_EQ(-1, -1LL);
    CHECK_EQ(true, 1);
    CHECK_EQ(&test_seed, &test_seed);
    CHECK_PANICS("4294967295 is not -1", CHECK_EQ(UINT_MAX, -1));
    CHECK_PANICS("CHECK_EQ(1 + 1, 3): 2 is not 3", CHECK_EQ(1 + 1, 3));
}

TEST(a_failed_check_names_its_place_and_expression)
{
    CHECK_PANICS("test_harness.c:", CHECK(1 > 2));
    CHECK_PANICS("CHECK(1 > 2)", CHECK(1 > 2));
    CHECK_PANICS("no \"b\" in:\nan a", CHECK_STR("an a", "b"));
}

TEST(a_failure_names_the_seed_in_force)
{
    uint64_t runs = 0;
    FOR_SEEDS (seed, 5) {
        char text[64];
        snprintf(text, sizeof text, "seed %llu; again:", (unsigned long long)seed);
        CHECK_PANICS(text, FAIL("planted"));
        CHECK_EQ(seed, test_seed);
        runs++;
    }
    CHECK(runs > 0);
    CHECK_EQ(test_seed, 0);
}

TEST(surviving_an_expected_panic_is_a_failure)
{
    CHECK_PANICS("did not panic", CHECK_PANICS("never", (void)0));
    CHECK_PANICS("no \"other\" in:", CHECK_PANICS("other", abort()));
}

TEST(the_allocator_counts_fails_and_checks_sizes)
{
    void *block = test_alloc_get(100, 256);
    CHECK_EQ((uintptr_t)block % 256, 0);
    CHECK_EQ(test_alloc_live(), 1);
    CHECK_PANICS("h->size", test_alloc_put(block, 99, 256));
    CHECK_PANICS("h->align", test_alloc_put(block, 100, 16));
    test_alloc_put(block, 100, 256);
    CHECK_EQ(test_alloc_live(), 0);

    test_alloc_fail_at(2);
    void *first = test_alloc_get(1, 16);
    void *second = test_alloc_get(1, 16), *third = test_alloc_get(1, 16);
    CHECK(first && !second && third);
    test_alloc_put(first, 1, 16);
    test_alloc_put(third, 1, 16);
    CHECK_EQ(test_alloc_requests(), 4);
}

/* Runs the sample program and returns its exit code, and what it prints and records in output. */
static int run_sample(const char *arguments, char *output, size_t size)
{
    char command[512];
    snprintf(command, sizeof command, "env -u VIGIL_WORKERS VIGIL_RECORD=/dev/stdout %s %s 2>&1",
             HARNESS_SAMPLES, arguments);
    FILE *pipe = popen(command, "r");
    CHECK(pipe != NULL);
    size_t len = fread(output, 1, size - 1, pipe);
    output[len] = 0;
    int status = pclose(pipe);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define CHECK_SAMPLE(arguments, code, needle)                                                      \
    do {                                                                                           \
        char output_[4096];                                                                        \
        int code_ = run_sample(arguments, output_, sizeof output_);                                \
        CHECK_STR(output_, needle);                                                                \
        CHECK_EQ(code_, code);                                                                     \
    } while (0)

TEST(a_test_that_leaves_a_descriptor_open_or_closed_fails)
{
    CHECK_SAMPLE("opens_a_descriptor", 1, "left open: /dev/null");
    CHECK_SAMPLE("closes_a_descriptor", 1, "descriptor 0 was closed");
}

TEST(a_test_that_leaves_a_block_allocated_fails)
{
    CHECK_SAMPLE("leaves_a_block", 1, "block of 42 bytes, request 1");
}

TEST(a_test_that_hangs_or_crashes_fails)
{
    CHECK_SAMPLE("hangs", 1, "no end after");
    CHECK_SAMPLE("crashes", 1, "killed by signal");
    CHECK_SAMPLE("exits_early", 1, "exit code 3");
}

TEST(a_crash_under_a_seed_names_it_and_the_seed_can_be_replayed)
{
    CHECK_SAMPLE("crashes_with_seed_7", 1, "seed 7; again: ");
    CHECK_SAMPLE("crashes_with_seed_7 --seed 7", 1, "seed 7; again: ");
    CHECK_SAMPLE("crashes_with_seed_7 --seed 6", 0, "1 passed, 0 failed, 0 skipped");
    CHECK_SAMPLE("crashes_with_seed_7 --seeds 6", 0, "1 passed, 0 failed, 0 skipped");
}

TEST(a_crash_with_a_number_of_workers_names_it_and_the_number_can_be_replayed)
{
    CHECK_SAMPLE("crashes_with_4_workers", 1, "4 workers; again: ");
    CHECK_SAMPLE("crashes_with_4_workers --workers 4", 1, "4 workers; again: ");
    CHECK_SAMPLE("crashes_with_4_workers --workers 3", 0, "1 passed, 0 failed, 0 skipped");
    CHECK_SAMPLE("counts --workers 3", 0, "count: 3 workers\n");
}

TEST(what_a_test_counts_is_added_up_printed_and_recorded)
{
    CHECK_SAMPLE("counts", 0, "count: 7 rounds\n7\trounds\t");
    CHECK_SAMPLE("counts", 0, "\tok\tcounts\t" HARNESS_SAMPLES "\n");
    CHECK_SAMPLE("counts", 0, "count: 15 workers\n15\tworkers\t");
}

TEST(a_program_whose_tests_are_all_skipped_is_skipped)
{
    CHECK_SAMPLE("is_skipped", 77, "skipped: no such machine");
}

TEST(names_select_tests_and_unknown_ones_are_refused)
{
    CHECK_SAMPLE("--list", 0, "leaves_a_block\n");
    CHECK_SAMPLE("leaves_a_bl passes", 1, "1 passed, 1 failed, 0 skipped");
    CHECK_SAMPLE("no_such_test", 2, "no test has such a name");
    CHECK_SAMPLE("--seed x", 2, "usage:");
    CHECK_SAMPLE("--seed", 2, "usage:");
    CHECK_SAMPLE("--workers 65", 2, "usage:");
    CHECK_SAMPLE("--what", 2, "usage:");
}
