/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/pool.h>
#include <vigil/probe.h>
#include <vigil/time.h>

#include <pthread.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"
#include "vg_fault.h"
#include "vg_os.h"

/* Calls that block, on threads of their own. A call here blocks until the test opens its gate. */

enum { CALLS = 32, PATIENCE_S = 10 };

struct gate {
    VG_ATOMIC(uint32_t) open, entered, left;
};

static int pass(void *arg)
{
    struct gate *const gate = (struct gate *)arg;
    uint32_t n;

    CHECK(vg_exec_current() == NULL);
    n = vg_fetch_add(&gate->entered, 1u, acq_rel) + 1;
    while (vg_load(&gate->open, acquire) == 0)
        vg_os_wait(&gate->open, 0, VG_NEVER);
    vg_fetch_add(&gate->left, 1u, acq_rel);
    return (int)n;
}

static void open_gate(struct gate *gate)
{
    vg_store(&gate->open, 1u, release);
    vg_os_wake(&gate->open, INT32_MAX);
}

struct world {
    struct vg_exec *exec;
    struct vg_pool *pool;
    struct gate gate;
};

static void world_open(struct world *w, unsigned threads_max, uint64_t idle_ns)
{
    struct vg_config config = VG_CONFIG_INIT;
    const struct vg_pool_config pool = {
        .threads_max = threads_max, .idle_ns = idle_ns, .alloc = &test_alloc};

    memset(w, 0, sizeof *w);
    config.workers = 2;
    CHECK_EQ(vg_exec_open(&w->exec, &config), 0);
    CHECK_EQ(vg_pool_open(&w->pool, &pool), 0);
}

static struct vg_pool_stats stats_of(struct world *w)
{
    struct vg_pool_stats stats;

    vg_pool_stats(w->pool, &stats);
    return stats;
}

/* Every call is accounted for. */
static void world_close(struct world *w)
{
    struct vg_pool_stats stats;

    CHECK_EQ(vg_exec_close(w->exec, VG_SEC(PATIENCE_S)), 0);
    stats = stats_of(w);
    CHECK_EQ(stats.queued, 0);
    CHECK_EQ(stats.started, stats.ended);
    vg_pool_close(w->pool);
}

struct caller {
    VG_FRAME(int);
    struct world *world;
    struct vg_spawn_blocking call;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_spawn_blocking(&f->call, f->world->pool, pass, &f->world->gate));
    VG_RETURN(rc);
}

static struct caller *caller(struct caller *f, struct world *world)
{
    VG_SETUP(f, caller);
    f->world = world;
    return f;
}

static void spawn(struct world *w, struct vg_handle *handle)
{
    CHECK_EQ(VG_SPAWN(w->exec, handle, caller, w), 0);
}

static void wait_until(struct world *w, bool (*holds)(struct world *w, unsigned n), unsigned n)
{
    const uint64_t deadline = vg_os_now() + VG_SEC(PATIENCE_S);

    while (!holds(w, n)) {
        CHECK(vg_os_now() < deadline);
        vg_os_yield();
    }
}

static bool have_entered(struct world *w, unsigned n)
{
    return vg_load(&w->gate.entered, acquire) == n;
}

static bool are_queued(struct world *w, unsigned n)
{
    return stats_of(w).queued == n;
}

static bool are_threads(struct world *w, unsigned n)
{
    return stats_of(w).threads == n;
}

static void wait_for_poll(const struct vg_handle *handle, uint64_t number)
{
    const uint64_t deadline = vg_os_now() + VG_SEC(PATIENCE_S);
    struct vg_task_info info;

    do {
        CHECK(vg_os_now() < deadline);
        vg_os_yield();
        vg_task_info(handle->task, &info);
    } while (info.polls < number || (info.running && !info.ended));
}

static int result(struct vg_handle *handle)
{
    const uint64_t deadline = vg_os_now() + VG_SEC(PATIENCE_S);
    int ret;

    while (!vg_task_done(handle)) {
        CHECK(vg_os_now() < deadline);
        vg_os_yield();
    }
    ret = VG_TASK_RET(handle, struct caller);
    vg_task_release(handle);
    return ret;
}

TEST(calls_run_at_the_same_time_and_no_worker_is_held_up)
{
    struct world w;
    struct vg_handle handle[CALLS];
    unsigned sum = 0;

    world_open(&w, 0, 0);
    for (unsigned i = 0; i < CALLS; i++)
        spawn(&w, &handle[i]);
    wait_until(&w, have_entered, CALLS);
    CHECK_EQ(vg_blocking(w.exec, vg_sleep(&(struct vg_sleep){.ret = 0}, VG_MSEC(1))), 0);
    open_gate(&w.gate);
    for (unsigned i = 0; i < CALLS; i++)
        sum += (unsigned)result(&handle[i]);
    CHECK_EQ(sum, CALLS * (CALLS + 1) / 2);
    world_close(&w);
}

TEST(no_more_threads_are_started_than_are_allowed_and_the_rest_waits)
{
    struct world w;
    struct vg_handle handle[CALLS];
    struct vg_pool_stats stats;

    world_open(&w, 3, 0);
    for (unsigned i = 0; i < CALLS; i++)
        spawn(&w, &handle[i]);
    wait_until(&w, are_queued, CALLS - 3);
    wait_until(&w, have_entered, 3);
    CHECK_EQ(stats_of(&w).threads, 3);
    open_gate(&w.gate);
    for (unsigned i = 0; i < CALLS; i++)
        CHECK(result(&handle[i]) > 0);
    stats = stats_of(&w);
    CHECK_EQ(stats.started, CALLS);
    CHECK_EQ(stats.ended, CALLS);
    CHECK(stats.wait_max_ns <= stats.wait_ns);
    CHECK(stats.run_max_ns > 0);
    CHECK(stats.threads <= 3);
    world_close(&w);
}

TEST(a_cancelled_call_that_waits_is_taken_back_and_one_that_runs_comes_to_its_end)
{
    struct world w;
    struct vg_handle runs, waits;

    world_open(&w, 1, 0);
    spawn(&w, &runs);
    wait_until(&w, have_entered, 1);
    spawn(&w, &waits);
    wait_until(&w, are_queued, 1);
    vg_task_cancel(&runs);
    vg_task_cancel(&waits);
    CHECK_EQ(result(&waits), -ECANCELED);
    wait_for_poll(&runs, 2); /* it has seen the cancel */
    CHECK(!vg_task_done(&runs));
    CHECK_EQ(stats_of(&w).cancelled, 1);
    open_gate(&w.gate);
    CHECK_EQ(result(&runs), 1);
    CHECK_EQ(vg_load(&w.gate.left, acquire), 1);
    world_close(&w);
}

TEST(threads_that_have_nothing_to_do_end)
{
    struct world w;
    struct vg_handle handle;

    world_open(&w, 0, VG_MSEC(1));
    open_gate(&w.gate);
    for (unsigned i = 0; i < 3; i++) {
        spawn(&w, &handle);
        CHECK(result(&handle) > 0);
        wait_until(&w, are_threads, 0);
    }
    world_close(&w);
}

#if VG_FAULTS
static VG_ATOMIC(uint32_t) threads_left;

static int few_threads(const char *name)
{
    uint32_t n = vg_load(&threads_left, relaxed);

    if (strcmp(name, "thread") != 0)
        return 0;
    if (n == 0)
        return 1;
    vg_store(&threads_left, n - 1, relaxed);
    return 0;
}

TEST(a_call_is_refused_only_if_there_is_no_thread_at_all)
{
    struct world w;
    struct vg_handle first, second;

    world_open(&w, 0, 0);
    vg_fault_install(few_threads);
    spawn(&w, &first);
    CHECK_EQ(result(&first), -EAGAIN);
    CHECK_EQ(stats_of(&w).refused, 1);
    vg_store(&threads_left, 1u, relaxed);
    spawn(&w, &first);
    wait_until(&w, have_entered, 1);
    spawn(&w, &second);
    wait_until(&w, are_queued, 1);
    open_gate(&w.gate);
    CHECK_EQ(result(&first), 1);
    CHECK_EQ(result(&second), 2);
    vg_fault_install(NULL);
    world_close(&w);
}
#endif

TEST(without_memory_for_the_pool_or_a_thread_it_says_so)
{
    struct world w;
    struct vg_handle handle;

    test_alloc_fail_at(1);
    CHECK_EQ(vg_pool_open(&w.pool, &(struct vg_pool_config){.alloc = &test_alloc}), -ENOMEM);
    CHECK(w.pool == NULL);
    world_open(&w, 0, 0);
    open_gate(&w.gate);
    test_alloc_fail_at(1);
    spawn(&w, &handle);
    CHECK_EQ(result(&handle), -EAGAIN);
    CHECK_EQ(test_alloc_failed(), 1);
    spawn(&w, &handle);
    CHECK_EQ(result(&handle), 1);
    world_close(&w);
}

TEST(closing_a_pool_on_which_calls_wait_panics)
{
    struct world w;
    struct vg_handle handle[2];

    world_open(&w, 1, 0);
    spawn(&w, &handle[0]);
    wait_until(&w, have_entered, 1);
    spawn(&w, &handle[1]);
    wait_until(&w, are_queued, 1);
    for (unsigned i = 0; i < 2; i++)
        wait_for_poll(&handle[i], 1); /* no worker holds the pool's guard when the test forks */
    CHECK_PANICS("vg_pool_close: 1 calls still wait for a thread", vg_pool_close(w.pool));
    open_gate(&w.gate);
    CHECK_EQ(result(&handle[0]), 1);
    CHECK_EQ(result(&handle[1]), 2);
    world_close(&w);
}

/* ---- callers of all kinds, some of them cancelled ------------------------------------------------- */

static int add(void *arg)
{
    vg_fetch_add((VG_ATOMIC(uint32_t) *)arg, 1u, relaxed);
    return 0;
}

struct busy {
    VG_FRAME(int);
    struct vg_pool *pool;
    VG_ATOMIC(uint32_t) *ran;
    unsigned left;
    int ok;
    struct vg_spawn_blocking call;
    struct vg_timeout timeout;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    int rc;
    for (; f->left > 0; f->left--) {
        VG_AWAIT(rc, vg_timeout(&f->timeout, f->left % 3 == 0 ? 0 : VG_SEC(PATIENCE_S),
                                vg_spawn_blocking(&f->call, f->pool, add, f->ran)));
        CHECK(rc == 0 || f->left % 3 == 0);
        CHECK(f->call.ret == 0 || f->call.ret == -ECANCELED);
        f->ok += f->call.ret == 0;
    }
    VG_RETURN(f->ok);
}

static struct busy *busy(struct busy *f, struct vg_pool *pool, VG_ATOMIC(uint32_t) *ran,
                         unsigned times)
{
    VG_SETUP(f, busy);
    f->pool = pool;
    f->ran = ran;
    f->left = times;
    f->ok = 0;
    return f;
}

TEST(each_call_runs_once_or_not_at_all_and_says_which)
{
    struct world w;
    struct vg_handle handle[CALLS];
    VG_ATOMIC(uint32_t) ran = 0;
    unsigned ok = 0;

    world_open(&w, 4, VG_MSEC(1));
    for (unsigned i = 0; i < CALLS; i++)
        CHECK_EQ(VG_SPAWN(w.exec, &handle[i], busy, w.pool, &ran, test_long() ? 3000 : 300), 0);
    for (unsigned i = 0; i < CALLS; i++) {
        struct vg_task_wait wait;

        CHECK_EQ(vg_blocking(w.exec, vg_task_wait(&wait, &handle[i])), 0);
        ok += (unsigned)VG_TASK_RET(&handle[i], struct busy);
        vg_task_release(&handle[i]);
    }
    CHECK_EQ(ok, vg_load(&ran, relaxed));
    CHECK_EQ(stats_of(&w).ended, ok);
    world_close(&w);
}
