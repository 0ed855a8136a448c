/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_COUNTING_ALLOC_H
#define VIGIL_TESTS_COUNTING_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include <vigil/alloc.h>

/*
 * An allocator that knows its live blocks and fails when told to. Any thread may use it.
 *
 *     config.alloc = &test_alloc;
 *
 * The harness fails a test that leaves blocks behind. Fresh blocks are filled with 0xa5 and freed
 * ones with 0xdd, so that reading what nobody wrote shows.
 */

/* NULL when the n-th request was to fail; align is a power of two from 8 up. */
void *test_alloc_get(size_t size, size_t align);

/* Fails the test unless p is NULL or a live block of exactly this size and alignment. */
void test_alloc_put(void *p, size_t size, size_t align);

/* The two as an executor's hooks. */
extern const struct vg_alloc test_alloc;

/* Makes the n-th request from now fail, counted from 1, once; 0 makes none fail. */
void test_alloc_fail_at(uint64_t n);

/* The same for count requests in a row. */
void test_alloc_fail(uint64_t first, uint64_t count);

/* Requests that were made to fail since the last call of either. */
uint64_t test_alloc_failed(void);

/* Requests so far, those that failed included, and blocks alive now. */
uint64_t test_alloc_requests(void);
uint64_t test_alloc_live(void);

/* Prints the live blocks on standard error, at most ten. */
void test_alloc_dump(void);

#endif
