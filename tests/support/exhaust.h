/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_EXHAUST_H
#define VIGIL_TESTS_EXHAUST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Runs a scenario again and again, while something that it needs runs out: the n-th request fails, once in one
 * run, for good in the next, for n = 1, 2, ... until a run asks for less than that.
 *
 *     static void scenario(void *arg)
 *     {
 *         int rc = vg_exec_open(&exec, &config);
 *         if (exhaust_hit(rc))
 *             return;
 *         ...
 *         exhaust_end();                           (what follows has to work)
 *         CHECK_EQ(vg_block_on(exec, fut), 0);
 *     }
 *
 *     CHECK(exhaust(&exhaust_memory, scenario, NULL) > 3);
 *
 * After each run no block of the counting allocator and no descriptor may be left that was not there before. What
 * hangs ends at the harness's time limit, and a failure says which request of what had failed.
 */

struct exhaust {
    const char
        *what;  /* what runs out: a fault point by name; NULL: the counting allocator's memory */
    int error;  /* what the fault point is told */
    int answer; /* the error with which the library's calls say so; 0: the same */
};

extern const struct exhaust exhaust_memory; /* -ENOMEM */

typedef void exhaust_scenario(void *arg);

/* Returns how many requests there were to fail, one after the other: the n of the last run, less one. */
uint64_t exhaust(const struct exhaust *resource, exhaust_scenario *scenario, void *arg);

/* One run, in which `count` requests from the first-th on fail. Returns how many there were of them. */
uint64_t exhaust_some(const struct exhaust *resource, uint64_t first, uint64_t count,
                      exhaust_scenario *scenario, void *arg);

/* Within a scenario: the call has succeeded, or failed with the resource's error after a request had been
 * refused; anything else fails the test. True: it has failed. */
#define exhaust_hit(rc) exhaust_hit_at(__FILE__, __LINE__, #rc, (rc))
bool exhaust_hit_at(const char *file, int line, const char *text, long long rc);

/* Requests refused in this run so far. */
uint64_t exhaust_refused(void);

/* There is plenty again. */
void exhaust_end(void);

#endif
