/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "vg_sanitizer.h"

/* Sources that wake what they should have let go of: found out before a task is harmed. */

/* A source that keeps the waiter when its leaf ends. */
struct sloppy {
    struct vg_waiter *waiter;
    bool settles; /* its leaf is below a select, which polls it when it is cancelled */
};

struct sloppy_wait {
    struct vg_future fut;
    int ret;
    struct sloppy *sloppy;
    struct vg_waiter waiter;
};

static vg_poll sloppy_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct sloppy_wait *wait = (struct sloppy_wait *)(void *)fut;

    if (!vg_cancelled(fut) && wait->sloppy->waiter == NULL) {
        vg_arm(&wait->waiter, fut, cx);
        wait->sloppy->waiter = &wait->waiter;
        return VG_PENDING;
    }
    vg_disarm(&wait->waiter, cx);
    return VG_READY;
}

static void sloppy_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct sloppy_wait *wait = (struct sloppy_wait *)(void *)fut;

    if (!wait->sloppy->settles)
        vg_kick(&wait->waiter, cx);
}

static struct sloppy_wait *sloppy_wait(struct sloppy_wait *wait, struct sloppy *sloppy)
{
    static const struct vg_ops ops = {
        .poll = sloppy_poll,
        .cancel = sloppy_cancel,
        .name = "sloppy_wait",
        .size = sizeof(struct sloppy_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->ret = 0;
    wait->sloppy = sloppy;
    wait->waiter.flags = 0;
    return wait;
}

struct sitter {
    VG_FRAME(int);
    struct sloppy *sloppy;
    struct event *event; /* what it waits for afterwards; NULL: nothing */
    bool scribbles;
    union {
        struct sloppy_wait sloppy;
        struct event_wait event;
    } u;
    struct event_wait last;
};

VG_ASYNC(sitter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, sloppy_wait(&f->u.sloppy, f->sloppy));
    if (f->scribbles)
        SCRIBBLE(&f->u);
    if (f->event != NULL)
        VG_AWAIT(rc, event_wait(&f->last, f->event));
    VG_RETURN(rc);
}

static struct sitter *sitter(struct sitter *f, struct sloppy *sloppy, struct event *event,
                             bool scribbles)
{
    VG_SETUP(f, sitter);
    f->sloppy = sloppy;
    f->event = event;
    f->scribbles = scribbles;
    return f;
}

static void wake(const struct sloppy *sloppy)
{
    vg_notify(vg_wake(sloppy->waiter));
}

TEST(a_wake_too_many_for_one_arming_names_the_leaf)
{
    struct rig rig;
    struct sloppy sloppy = {.waiter = NULL};

    rig_open(&rig);
    rig_spawn(&rig, sitter, &sloppy, NULL, false);
    wake(&sloppy);
    CHECK_PANICS("the waiter of sloppy_wait is woken twice for one arming", wake(&sloppy));
    rig_run(&rig); /* the first is answered */
    CHECK_EQ(RIG_RET(&rig, 0, struct sitter), 0);
    CHECK_PANICS("the waiter of sloppy_wait is woken twice for one arming", wake(&sloppy));
    rig_close(&rig);
}

TEST(a_wake_after_the_leaf_was_cancelled_names_the_leaf)
{
    struct rig rig;
    struct sloppy sloppy = {.waiter = NULL};

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    rig_open(&rig);
    rig_spawn(&rig, sitter, &sloppy, NULL, false);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(rig_done(&rig, 0));
    CHECK_PANICS("the waiter of sloppy_wait is woken, but it is not armed any more", wake(&sloppy));
    rig_close(&rig);
}

struct chooser {
    VG_FRAME(int);
    struct sloppy *sloppy;
    struct event *event;
    VG_ARMS(2) arms;
    struct sloppy_wait wait;
    struct event_wait other;
};

VG_ASYNC(chooser)
{
    VG_BEGIN(f);
    int arm;
    VG_AWAIT(arm, VG_SELECT(f->arms, VG_CANCEL(sloppy_wait(&f->wait, f->sloppy)),
                            VG_CANCEL(event_wait(&f->other, f->event))));
    VG_RETURN(arm);
}

static struct chooser *chooser(struct chooser *f, struct sloppy *sloppy, struct event *event)
{
    VG_SETUP(f, chooser);
    f->sloppy = sloppy;
    f->event = event;
    return f;
}

static void lose_and_wake(bool settles)
{
    struct rig rig;
    struct sloppy sloppy = {.settles = settles};
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, chooser, &sloppy, &event);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct chooser), 1);
    CHECK_PANICS("the waiter of sloppy_wait is woken, but it is not armed any more", wake(&sloppy));
    rig_close(&rig);
}

TEST(a_wake_after_the_leaf_has_lost_a_select_names_the_leaf)
{
    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    lose_and_wake(true);
}

TEST(a_wake_after_the_leaf_was_kicked_and_settled_names_the_leaf)
{
    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    lose_and_wake(false);
}

/* The task lives on, and is not disturbed by a wake that is not for it. */
TEST(a_wake_of_memory_that_is_in_use_for_something_else_is_found_out)
{
    struct rig rig;
    struct sloppy sloppy = {.waiter = NULL};
    struct event event = {.set = false};

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    rig_open(&rig);
    rig_spawn(&rig, sitter, &sloppy, &event, true);
    wake(&sloppy);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    CHECK_PANICS("whose memory is in use for something else", wake(&sloppy));
    event_set(&event);
    rig_run(&rig);
    rig_close(&rig);
}

TEST(a_wake_after_the_task_has_ended_is_found_out)
{
    struct rig rig;
    struct sloppy sloppy = {.waiter = NULL};
    const char *needle =
        VG_ASAN ? "use-after-poison" : "a waiter is woken in the memory of a task that has ended";

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, sitter, &sloppy, NULL, false), 0);
    rig_run(&rig);
    wake(&sloppy);
    rig_run(&rig);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    CHECK_PANICS(needle, wake(&sloppy));
    rig_close(&rig);
}

TEST(a_wake_of_a_waiter_that_was_never_armed_is_found_out)
{
    struct vg_waiter waiter = {.flags = 0};

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    CHECK_PANICS("a waiter is woken that was never armed", (void)!vg_wake(&waiter).task);
}

/* As a copy of a frame does: its waiters are not those that the sources have. */
TEST(a_wake_of_a_copy_of_an_armed_waiter_is_found_out)
{
    struct rig rig;
    struct sloppy sloppy = {.waiter = NULL};
    struct vg_waiter copy;

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    rig_open(&rig);
    rig_spawn(&rig, sitter, &sloppy, NULL, false);
    copy = *sloppy.waiter;
    CHECK_PANICS("a waiter is woken that was never armed", (void)!vg_wake(&copy).task);
    wake(&sloppy);
    rig_run(&rig);
    rig_close(&rig);
}
