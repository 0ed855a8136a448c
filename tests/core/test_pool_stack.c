/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>

#include <vigil/exec.h>
#include <vigil/pool.h>

#include "counting_alloc.h"
#include "harness.h"

/* Stacks of the threads for calls that block. */

static int measure_stack(void *arg)
{
    pthread_attr_t attributes;
    void *base;

    CHECK_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    CHECK_EQ(pthread_attr_getstack(&attributes, &base, (size_t *)arg), 0);
    CHECK_EQ(pthread_attr_destroy(&attributes), 0);
    return 0;
}

TEST(a_thread_has_the_stack_that_was_asked_for)
{
    const struct vg_pool_config pool_config = {.stack_size = 1 << 20, .alloc = &test_alloc};
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_spawn_blocking call;
    struct vg_exec *exec;
    struct vg_pool *pool;
    size_t size = 0;

    config.workers = 1;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_pool_open(&pool, &pool_config), 0);
    CHECK_EQ(vg_blocking(exec, vg_spawn_blocking(&call, pool, measure_stack, &size)), 0);
    CHECK_EQ(size, pool_config.stack_size);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    vg_pool_close(pool);
}

TEST(a_stack_that_no_thread_can_live_on_is_refused)
{
    const struct vg_pool_config config = {.stack_size = 100};
    struct vg_pool *pool;

    CHECK_EQ(vg_pool_open(&pool, &config), -EINVAL);
    CHECK(pool == NULL);
}
