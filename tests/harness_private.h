/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_HARNESS_PRIVATE_H
#define VIGIL_TESTS_HARNESS_PRIVATE_H

#include "harness.h"

/*
 * The harness's parts: harness.c runs tests in a process each, harness_check.c compares, harness_loops.c
 * repeats bodies and adds up what was counted.
 */

enum { TEST_WORKERS_MAX = 64, TEST_COUNTS = 4 };

/* What the test's process tells its parent. */
struct test_shared {
    uint64_t seed;    /* of the FOR_SEEDS body that runs; 0: none */
    unsigned workers; /* of the FOR_WORKERS body that runs; 0: none */
    unsigned timeout_s;
    char note[128]; /* of test_note() */
    struct {
        const char *what; /* a literal, which both processes have */
        uint64_t n;
    } count[TEST_COUNTS];
};

struct test_options {
    bool list, one_seed;
    uint64_t seed, seeds;
    unsigned workers; /* 0: 1, 2, 4 and 8 */
};

extern struct test_shared *test_shared;
extern struct test_options test_options;

/* Prints what the test has counted, and appends it to the file that VIGIL_RECORD names. */
void test_counts_print(const char *program, const char *test, double ms, const char *verdict);

#endif
