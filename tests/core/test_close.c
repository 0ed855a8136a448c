/* SPDX-License-Identifier: MIT */
#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"

/* The end of an executor: everything is cancelled, what does not end is named. */

struct endless {
    VG_FRAME(int);
    struct event *event;
    bool stubborn; /* awaits the event whatever happens */
    uint64_t cleanup;
    int *ended;
    struct event_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(endless)
{
    VG_BEGIN(f);
    int rc;
    if (f->stubborn)
        VG_AWAIT_SHIELDED(rc, event_wait(&f->wait, f->event));
    else
        VG_AWAIT(rc, event_wait(&f->wait, f->event));
    if (f->cleanup > 0)
        VG_AWAIT_SHIELDED(rc, vg_sleep(&f->nap, f->cleanup));
    ++*f->ended;
    VG_RETURN(rc);
}

static struct endless *endless(struct endless *f, struct event *event, bool stubborn,
                               uint64_t cleanup, int *ended)
{
    VG_SETUP(f, endless);
    f->event = event;
    f->stubborn = stubborn;
    f->cleanup = cleanup;
    f->ended = ended;
    return f;
}

TEST(closing_cancels_what_runs_what_waits_and_what_has_not_begun)
{
    struct rig rig;
    struct event event[3] = {{.set = false}};
    int ended = 0;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, endless, &event[0], false, 0, &ended), 0);
    rig_run(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, endless, &event[1], false, VG_MSEC(30), &ended), 0);
    rig_run(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, endless, &event[2], false, 0, &ended), 0);
    rig_close(&rig);
    CHECK_EQ(ended, 3);
}

TEST(an_executor_without_tasks_closes_at_once)
{
    struct rig rig;
    uint64_t before;

    rig_open(&rig);
    before = sim_now(&rig.sim);
    CHECK_EQ(vg_exec_close(rig.exec, VG_NEVER), 0);
    CHECK_EQ(sim_now(&rig.sim), before);
    sim_close(&rig.sim);
}

/* Three tasks, two of which do not heed a cancel. Ends the process, because their memory stays. */
static _Noreturn void close_with_stubborn_tasks(void)
{
    struct rig rig;
    struct event event[3] = {{.set = false}};
    int ended = 0;

    rig_open(&rig);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(VG_SPAWN(rig.exec, NULL, endless, &event[i], i != 1, 0, &ended), 0);
    rig_run(&rig);
    CHECK_EQ(vg_exec_close(rig.exec, VG_SEC(1)), 2);
    CHECK_EQ(ended, 1);
    FAIL("as expected");
}

TEST(tasks_that_do_not_end_are_counted_and_named)
{
    CHECK_PANICS("as expected", close_with_stubborn_tasks());
    CHECK_PANICS("sim closes with 2 tasks that did not end in time", close_with_stubborn_tasks());
    CHECK_PANICS("task endless, spawned at ", close_with_stubborn_tasks());
    CHECK_PANICS("awaits event_wait(&f->wait, f->event) at ", close_with_stubborn_tasks());
}

static _Noreturn void close_with_a_slow_task(void)
{
    struct rig rig;
    struct event event = {.set = false};
    int ended = 0;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, endless, &event, false, VG_SEC(5), &ended), 0);
    rig_run(&rig);
    CHECK_EQ(vg_exec_close(rig.exec, VG_SEC(1)), 1);
    CHECK_EQ(ended, 0);
    FAIL("as expected");
}

TEST(a_task_that_cleans_up_for_too_long_is_named_with_what_it_awaits)
{
    CHECK_PANICS("as expected", close_with_a_slow_task());
    CHECK_PANICS("awaits vg_sleep(&f->nap, f->cleanup) at ", close_with_a_slow_task());
}

/* ---- too late -------------------------------------------------------------------------------- */

struct late {
    VG_FRAME(int);
    struct event *event;
    int *spawned;
    int *ended;
    struct event_wait wait;
};

VG_ASYNC(late)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    struct vg_handle handle = {NULL};
    *f->spawned =
        VG_SPAWN(vg_exec_current(), &handle, endless, f->event, false, VG_SEC(1), f->ended);
    CHECK(handle.task == NULL);
    VG_RETURN(rc);
}

static struct late *late(struct late *f, struct event *event, int *spawned, int *ended)
{
    VG_SETUP(f, late);
    f->event = event;
    f->spawned = spawned;
    f->ended = ended;
    return f;
}

TEST(an_executor_that_closes_takes_no_more_tasks)
{
    struct rig rig;
    struct event event = {.set = false};
    int spawned = 1, ended = 0;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, late, &event, &spawned, &ended), 0);
    rig_run(&rig);
    rig_close(&rig);
    CHECK_EQ(spawned, -ESHUTDOWN);
    CHECK_EQ(ended, 0);
}

/* ---- on threads ------------------------------------------------------------------------------ */

TEST(closing_ends_tasks_on_all_workers)
{
    FOR_WORKERS (workers) {
        struct vg_config config = VG_CONFIG_INIT;
        struct vg_exec *exec;
        static struct event event[200];
        int ended[200] = {0};

        memset(event, 0, sizeof event);
        config.workers = workers;
        config.alloc = &test_alloc;
        CHECK_EQ(vg_exec_open(&exec, &config), 0);
        for (unsigned i = 0; i < 200; i++)
            CHECK_EQ(VG_SPAWN(exec, NULL, endless, &event[i], false, i % 3 * VG_MSEC(2), &ended[i]),
                     0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(30)), 0);
        for (unsigned i = 0; i < 200; i++)
            CHECK_EQ(ended[i], 1);
    }
}
