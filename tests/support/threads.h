/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_THREADS_H
#define VIGIL_TESTS_THREADS_H

#include <vigil/exec.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"
#include "vg_os.h"

/*
 * For tests on real threads, which are for ThreadSanitizer and the real processor; what they cannot show is shown in
 * tests/explore.
 */

/* An executor of so many workers, with the tests' own allocator. */
static inline struct vg_exec *test_exec(unsigned workers)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    config.workers = workers;
    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    return exec;
}

enum { TEST_THREADS_MAX = 8 };

struct test_thread {
    struct vg_os_thread thread;
    void (*run)(int id);
    int id;
    VG_ATOMIC(int) *go;
};

static inline void *test_thread_main(void *arg)
{
    struct test_thread *self = arg;

    /* Pairs with the store below: nobody begins before all are there. */
    while (!vg_load(self->go, acquire))
        vg_os_yield();
    self->run(self->id);
    return NULL;
}

/* Runs the function on several threads at once. */
static inline void test_threads(int count, void (*run)(int id))
{
    struct test_thread threads[TEST_THREADS_MAX];
    VG_ATOMIC(int) go;

    CHECK(count <= TEST_THREADS_MAX);
    vg_store(&go, 0, relaxed);
    for (int i = 0; i < count; i++) {
        threads[i] = (struct test_thread){.run = run, .id = i, .go = &go};
        threads[i].thread.run = test_thread_main;
        threads[i].thread.arg = &threads[i];
        CHECK_EQ(vg_os_thread_start(&threads[i].thread, "test"), 0);
    }
    vg_store(&go, 1, release);
    for (int i = 0; i < count; i++)
        vg_os_thread_join(&threads[i].thread);
}

/* A cheap pseudo-random sequence of each thread's own. */
static inline unsigned test_draw(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

#endif
