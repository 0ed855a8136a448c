/* SPDX-License-Identifier: MIT */
#include <vigil/driver.h>

#include "nodes.h"
#include "panic.h"
#include "rig.h"

/* Calls at the wrong time or in the wrong place, which panic. */

struct caller {
    VG_FRAME(int);
    void (*call)(struct vg_exec *exec);
    struct vg_exec *exec;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    f->call(f->exec);
    VG_RETURN(0);
}

static struct caller *caller(struct caller *f, void (*call)(struct vg_exec *exec),
                             struct vg_exec *exec)
{
    VG_SETUP(f, caller);
    f->call = call;
    f->exec = exec;
    return f;
}

static void call_block_on(struct vg_exec *exec)
{
    struct caller never;

    CHECK_EQ(vg_block_on(exec, &caller(&never, NULL, NULL)->fut), 0);
}

static void call_close(struct vg_exec *exec)
{
    vg_exec_close(exec, 0);
}

TEST(a_task_must_not_block_on_its_own_executor_or_close_it)
{
    struct rig rig;

    rig_open(&rig);
    CHECK_PANICS(PANIC_IN_TASK("core/block_on.c", "a task blocks on the executor that it runs on",
                               "caller", "caller"),
                 rig_spawn(&rig, caller, call_block_on, rig.exec));
    CHECK_PANICS(PANIC_IN_TASK("core/close.c", "a task closes the executor that it runs on",
                               "caller", "caller"),
                 rig_spawn(&rig, caller, call_close, rig.exec));
    rig_close(&rig);
}

TEST(a_handle_of_no_task_cannot_be_cancelled_or_awaited)
{
    const struct vg_handle none = {NULL};
    struct vg_task_wait wait;

    CHECK_PANICS("handle->task != NULL", vg_task_cancel(&none));
    CHECK_PANICS("handle->task != NULL", vg_task_wait(&wait, &none));
}

TEST(io_outside_a_task_panics)
{
    struct rig rig;

    CHECK_PANICS("vigil: panic at core/inspect.c:...: I/O outside a task", (void)vg_driver_here());
    rig_open(&rig); /* to have one changes nothing */
    CHECK_PANICS("I/O outside a task", (void)vg_driver_here());
    rig_close(&rig);
}

/* A leaf that gives its operation to whatever driver there is. */
static vg_poll submitter_poll(struct vg_future *fut, struct vg_cx *cx)
{
    static struct vg_op op = {.code = VG_OP_CLOSE, .fd = -1};
    const struct vg_driver_here here = vg_driver_here();

    (void)fut, (void)cx;
    here.driver->ops->submit(here.driver, here.worker, &op);
    return VG_READY;
}

struct submitter {
    struct vg_future fut;
    int ret;
};

static void submit_without_a_driver(void)
{
    static const struct vg_ops ops = {.poll = submitter_poll,
                                      .name = "submitter",
                                      .size = sizeof(struct submitter),
                                      .kind = VG_KIND_LEAF};
    struct vg_config config = VG_CONFIG_INIT;
    struct submitter submitter = {.ret = 0};
    struct vg_exec *exec;

    config.workers = 1;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    vg_future_init(&submitter.fut, &ops);
    CHECK_EQ(vg_block_on(exec, &submitter.fut), 0);
}

TEST(io_on_an_executor_without_io_says_what_it_needs)
{
    CHECK_PANICS(
        "vigil: panic at core/driver_futex.c:...: I/O needs a driver that does it, such as "
        "vg_uring_open()...vigil:   in task submitter, spawned at core/block_on.c:"
        "..., polling submitter",
        submit_without_a_driver());
}

/* A select that is the root of its task has nobody to leave a loser to. */
static void keep_at_the_root(uint8_t policy)
{
    static struct event event;
    static struct event_wait wait;
    static struct vg_sleep nap;
    static VG_ARMS(2) arms;
    const struct vg_arm loser = {&event_wait(&wait, &event)->fut, policy, true, false};
    struct vg_select *root = VG_SELECT(arms, loser, VG_CANCEL(vg_sleep(&nap, VG_MSEC(1))));
    struct rig rig;

    rig_open(&rig);
    CHECK_EQ(vg_block_on(rig.exec, &root->fut), 0);
}

TEST(an_arm_can_only_be_left_to_a_function)
{
    CHECK_PANICS(
        "core/future.c:...: event_wait would go on without a frame above it: only an async "
        "function can keep or park",
        keep_at_the_root(VG_POLICY_KEEP));
    CHECK_PANICS("event_wait would go on without a frame above it",
                 keep_at_the_root(VG_POLICY_PARK));
}
