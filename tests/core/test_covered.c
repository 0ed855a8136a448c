/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* The library's own futures below an opaque one, which polls them from the top whether woken or not. */

/* Keeps one wait and awaits other things; all below an opaque future. */
struct keeper {
    VG_FRAME(int);
    struct event *event; /* two */
    struct vg_handle *handle;
    VG_ARMS(2) arms;
    struct event_wait wait[2], third, fourth;
    struct vg_yield yield;
    struct vg_sleep nap, long_nap;
    struct vg_timeout timeout;
    struct vg_task_wait task_wait;
    VG_CHILDREN(2) all;
};

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[0], &f->event[0])),
                           VG_CANCEL(event_wait(&f->wait[1], &f->event[1]))));
    CHECK_EQ(rc, 1);
    VG_AWAIT(rc, vg_yield(&f->yield));
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(3)));
    VG_AWAIT(rc, vg_timeout(&f->timeout, VG_MSEC(2), vg_sleep(&f->long_nap, VG_SEC(1))));
    CHECK_EQ(rc, -ETIMEDOUT);
    VG_AWAIT(rc,
             VG_JOIN(f->all, vg_sleep(&f->nap, VG_MSEC(2)), vg_sleep(&f->long_nap, VG_MSEC(1))));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_task_wait(&f->task_wait, f->handle));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, &f->wait[0]);
    VG_RETURN(rc);
}

static struct keeper *keeper(struct keeper *f, struct event *event, struct vg_handle *handle)
{
    VG_SETUP(f, keeper);
    f->event = event;
    f->handle = handle;
    return f;
}

struct covered {
    VG_FRAME(int);
    struct event *event;
    struct vg_handle *handle;
    struct around opaque;
    struct keeper keeper;
};

VG_ASYNC(covered)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, opaque(&f->opaque, &keeper(&f->keeper, f->event, f->handle)->fut, NULL));
    CHECK_EQ(rc, 0);
    VG_RETURN(f->keeper.ret);
}

static struct covered *covered(struct covered *f, struct event *event, struct vg_handle *handle)
{
    VG_SETUP(f, covered);
    f->event = event;
    f->handle = handle;
    return f;
}

struct sleeper {
    VG_FRAME(int);
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(100)));
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f)
{
    VG_SETUP(f, sleeper);
    return f;
}

TEST(every_kind_of_future_works_below_an_opaque_one)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, sleeper);
    rig_spawn(&rig, covered, event, &rig.task[0]);
    event_set(&event[1]);
    rig_pass(&rig, VG_MSEC(20));
    event_set(&event[0]); /* of the kept one, which is not awaited yet */
    rig_run(&rig);
    CHECK(!rig_done(&rig, 1));
    CHECK_EQ(vg_exec_owing(rig.exec), 0);
    rig_pass(&rig, VG_MSEC(100));
    CHECK_EQ(RIG_RET(&rig, 1, struct covered), 0);
    CHECK_EQ((unsigned)rig.task[1].task->fences, 0);
    rig_close(&rig);
}

/* ---- a yield that is polled early ------------------------------------------------------------ */

struct hurried {
    VG_FRAME(int);
    struct event event;
    VG_CHILDREN(2) both;
    struct around opaque;
    struct vg_yield yield;
    struct event_wait wait;
    unsigned polls;
};

/* Wakes itself when it is first polled, so that all is polled once more in the same poll of the task. */
static void hurry(void *arg)
{
    struct hurried *f = arg;

    if (f->polls++ == 0)
        event_poke(&f->event);
}

VG_ASYNC(hurried)
{
    VG_BEGIN(f);
    int rc;
    f->event = (struct event){.set = false};
    VG_JOIN(f->both, vg_yield(&f->yield), event_wait_hooked(&f->wait, &f->event, hurry, f));
    VG_AWAIT(rc, opaque(&f->opaque, &f->both.join.fut, NULL));
    VG_RETURN(rc);
}

static struct hurried *hurried(struct hurried *f)
{
    VG_SETUP(f, hurried);
    f->polls = 0;
    return f;
}

TEST(a_yield_that_is_polled_early_still_ends_in_the_next_poll)
{
    struct rig rig;
    struct hurried *f;

    rig_open(&rig);
    rig_spawn(&rig, hurried);
    f = (struct hurried *)(void *)vg_task_root(rig.task[0].task);
    CHECK_EQ(f->polls, 3); /* its start, its wake, the yield's */
    CHECK(vg_done(&f->yield.fut));
    CHECK_EQ(rig_polls(&rig, 0), 2);
    event_set(&f->event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct hurried), 0);
    rig_close(&rig);
}
