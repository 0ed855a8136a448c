/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/exec.h>

#include <pthread.h>
#include <sched.h>

#include "harness.h"
#include "rig.h"
#include "vg_atomic.h"
#include "vg_os.h"

/* What an executor can be told besides how many workers it has. */

/* ---- processors ------------------------------------------------------------------------------ */

struct look {
    VG_FRAME(int);
    cpu_set_t set;
};

VG_ASYNC(look)
{
    VG_BEGIN(f);
    VG_RETURN(sched_getaffinity(0, sizeof f->set, &f->set));
}

static struct look *look(struct look *f)
{
    VG_SETUP(f, look);
    return f;
}

/* A processor that this process may use. */
static int some_cpu(void)
{
    cpu_set_t set;
    int cpu = 0;

    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    while (!CPU_ISSET((size_t)cpu, &set))
        cpu++;
    return cpu;
}

TEST(workers_run_where_they_are_told_to)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    struct look root;
    cpu_set_t before, after;
    int cpu = some_cpu();

    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    config.workers = 2;
    config.cpus = &cpu;
    config.cpus_count = 1;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_block_on(exec, &look(&root)->fut), 0);
    CHECK_EQ(root.ret, 0);
    CHECK_EQ(CPU_COUNT(&root.set), 1);
    CHECK(CPU_ISSET((size_t)cpu, &root.set));
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    CHECK_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    CHECK(CPU_EQUAL(&before, &after)); /* the caller's own is left alone */
}

TEST(a_processor_that_is_not_there_is_refused)
{
    static const int cpus[] = {CPU_SETSIZE, CPU_SETSIZE - 1, -1};

    for (unsigned i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        struct vg_config config = VG_CONFIG_INIT;
        struct vg_exec *exec;

        config.workers = 2;
        config.cpus = &cpus[i];
        config.cpus_count = 1;
        CHECK_EQ(vg_exec_open(&exec, &config), -EINVAL);
        CHECK(exec == NULL);
    }
}

/* ---- hooks ------------------------------------------------------------------------------------ */

enum { WORKERS = 3 };

struct hooks {
    VG_ATOMIC(uint32_t) started, stopped; /* a bit for each worker */
    VG_ATOMIC(int) thread[WORKERS];
};

static void note_start(void *arg, unsigned worker)
{
    struct hooks *const hooks = (struct hooks *)arg;

    CHECK(worker < WORKERS);
    vg_store(&hooks->thread[worker], vg_os_thread_id(), relaxed);
    CHECK_EQ(vg_fetch_add(&hooks->started, 1u << worker, acq_rel) >> worker & 1, 0);
}

static void note_stop(void *arg, unsigned worker)
{
    struct hooks *const hooks = (struct hooks *)arg;

    CHECK_EQ(vg_load(&hooks->thread[worker], relaxed), vg_os_thread_id());
    CHECK_EQ(vg_fetch_add(&hooks->stopped, 1u << worker, acq_rel) >> worker & 1, 0);
}

TEST(hooks_run_on_each_worker_before_its_first_task_and_after_its_last)
{
    struct hooks hooks = {0};
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    config.workers = WORKERS;
    config.worker_started = note_start;
    config.worker_stops = note_stop;
    config.worker_arg = &hooks;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(vg_load(&hooks.started, acquire), (1u << WORKERS) - 1);
    CHECK_EQ(vg_load(&hooks.stopped, acquire), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    CHECK_EQ(vg_load(&hooks.stopped, acquire), (1u << WORKERS) - 1);
}

TEST(a_worker_that_cannot_start_calls_no_hooks)
{
    struct hooks hooks = {0};
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    const int cpus[] = {some_cpu(), CPU_SETSIZE};

    config.workers = 2;
    config.cpus = cpus;
    config.cpus_count = 2;
    config.worker_started = note_start;
    config.worker_stops = note_stop;
    config.worker_arg = &hooks;
    CHECK_EQ(vg_exec_open(&exec, &config), -EINVAL);
    CHECK_EQ(vg_load(&hooks.started, acquire), 1);
    CHECK_EQ(vg_load(&hooks.stopped, acquire), 1);
}

/* ---- budget ----------------------------------------------------------------------------------- */

/* Is ready so often without waiting. */
struct ready {
    VG_FRAME(int);
    unsigned left;
    struct once_more {
        struct vg_future fut;
        int ret;
        struct vg_waiter waiter;
    } once;
};

static vg_poll once_more_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct once_more *const once = (struct once_more *)(void *)fut;

    vg_disarm(&once->waiter, cx);
    return (vg_poll){vg_coop(&once->waiter, fut, cx)};
}

static struct once_more *once_more(struct once_more *once)
{
    static const struct vg_ops ops = {
        .poll = once_more_poll,
        .name = "once_more",
        .size = sizeof(struct once_more),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&once->fut, &ops);
    once->ret = 0;
    once->waiter.flags = 0;
    return once;
}

VG_ASYNC(ready)
{
    VG_BEGIN(f);
    int rc;
    for (rc = 0; f->left > 0 && rc == 0; f->left--)
        VG_AWAIT(rc, once_more(&f->once));
    VG_RETURN(rc);
}

static struct ready *ready(struct ready *f, unsigned times)
{
    VG_SETUP(f, ready);
    f->left = times;
    return f;
}

TEST(the_budget_says_how_many_operations_a_poll_may_do)
{
    static const unsigned budgets[] = {1, 10, 0};

    for (unsigned i = 0; i < 3; i++) {
        struct rig rig;
        struct vg_config config;
        const unsigned budget = budgets[i] != 0 ? budgets[i] : 128;

        memset(&rig, 0, sizeof rig);
        sim_open(&rig.sim, 1, 1);
        config = sim_config(&rig.sim);
        config.budget = budgets[i];
        CHECK_EQ(vg_exec_open(&rig.exec, &config), 0);
        rig_spawn(&rig, ready, 5 * budget);
        CHECK_EQ(rig_polls(&rig, 0), 5);
        rig_close(&rig);
    }
}

TEST(a_budget_that_is_no_number_is_refused)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    config.budget = UINT32_MAX;
    CHECK_EQ(vg_exec_open(&exec, &config), -EINVAL);
}
