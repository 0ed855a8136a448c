/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "panic.h"
#include "rig.h"

/* Contracts that are broken: the process ends, and the message says who, where and what to do. */

/* ---- children left behind -------------------------------------------------------------------- */

struct careless {
    VG_FRAME(int);
    struct event *event; /* two */
    uint8_t policy;
    VG_ARMS(2) arms;
    struct event_wait wait[2];
};

VG_ASYNC(careless)
{
    VG_BEGIN(f);
    int rc;
    const struct vg_arm loser = {&event_wait(&f->wait[0], &f->event[0])->fut, f->policy, true,
                                 false};
    VG_AWAIT(rc, VG_SELECT(f->arms, loser, VG_CANCEL(event_wait(&f->wait[1], &f->event[1]))));
    VG_RETURN(rc);
}

static struct careless *careless(struct careless *f, struct event *event, uint8_t policy)
{
    VG_SETUP(f, careless);
    f->event = event;
    f->policy = policy;
    return f;
}

static void leave_behind(uint8_t policy)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, careless, event, policy);
    event_set(&event[1]);
    rig_run(&rig);
}

TEST(returning_with_a_kept_child_names_both)
{
    CHECK_PANICS(PANIC("core/async.c",
                       "careless returns while its child event_wait is kept and still runs",
                       "careless", "careless") "VG_SELECT(f->arms, loser",
                 leave_behind(VG_POLICY_KEEP));
}

TEST(returning_with_a_parked_child_names_both)
{
    CHECK_PANICS(PANIC("core/async.c", "careless returns while its child event_wait is parked",
                       "careless", "careless") "VG_SELECT(f->arms, loser",
                 leave_behind(VG_POLICY_PARK));
}

/* ---- memory that is still in use ------------------------------------------------------------- */

struct hasty {
    VG_FRAME(int);
    struct event *event; /* two */
    VG_ARMS(2) arms;
    struct event_wait wait[2];
};

VG_ASYNC(hasty)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[0], &f->event[0])),
                           VG_CANCEL(event_wait(&f->wait[1], &f->event[1]))));
    VG_AWAIT(rc, event_wait(&f->wait[0], &f->event[0]));
    VG_RETURN(rc);
}

static struct hasty *hasty(struct hasty *f, struct event *event)
{
    VG_SETUP(f, hasty);
    f->event = event;
    return f;
}

TEST(constructing_over_a_live_future_names_it)
{
    struct rig rig;
    static struct event event[2];

    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    rig_open(&rig);
    rig_spawn(&rig, hasty, event);
    event_set(&event[0]); /* it ends while it is kept: its memory is free again */
    event_set(&event[1]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct hasty), 0);
    event[0].set = event[1].set = false;
    rig_spawn(&rig, hasty, event);
    CHECK_PANICS(PANIC("core/future.c", "a future is constructed over the live event_wait", "hasty",
                       "hasty") "VG_SELECT(f->arms, VG_KEEP",
                 {
                     event_set(&event[1]);
                     rig_run(&rig);
                 });
    event_set(&event[0]);
    rig_run(&rig);
    rig_close(&rig);
}

/* ---- one future, two parents ----------------------------------------------------------------- */

struct sharer {
    VG_FRAME(int);
    struct event *event;
    VG_CHILDREN(2) both;
    struct event_wait wait;
    struct around first, second;
};

VG_ASYNC(sharer)
{
    VG_BEGIN(f);
    int rc;
    event_wait(&f->wait, f->event);
    VG_AWAIT(rc, VG_JOIN(f->both, around(&f->first, &f->wait.fut, NULL),
                         around(&f->second, &f->wait.fut, NULL)));
    VG_RETURN(rc);
}

static struct sharer *sharer(struct sharer *f, struct event *event)
{
    VG_SETUP(f, sharer);
    f->event = event;
    return f;
}

TEST(two_futures_that_wait_for_one_are_found_out)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    CHECK_PANICS(PANIC("core/future.c", "event_wait is awaited by two futures at once", "sharer",
                       "around") "VG_JOIN(f->both",
                 rig_spawn(&rig, sharer, &event));
    rig_close(&rig);
}

struct half {
    VG_FRAME(int);
    struct event_wait *wait;
};

VG_ASYNC(half)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, f->wait);
    VG_RETURN(rc);
}

static struct half *half(struct half *f, struct event_wait *wait)
{
    VG_SETUP(f, half);
    f->wait = wait;
    return f;
}

/* As by a pointer that two functions share. */
struct whole {
    VG_FRAME(int);
    struct event *event;
    VG_CHILDREN(2) both;
    struct event_wait wait;
    struct half first, second;
};

VG_ASYNC(whole)
{
    VG_BEGIN(f);
    int rc;
    event_wait(&f->wait, f->event);
    VG_AWAIT(rc, VG_JOIN(f->both, half(&f->first, &f->wait), half(&f->second, &f->wait)));
    VG_RETURN(rc);
}

static struct whole *whole(struct whole *f, struct event *event)
{
    VG_SETUP(f, whole);
    f->event = event;
    return f;
}

TEST(two_functions_that_await_one_future_are_found_out)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    CHECK_PANICS(PANIC("core/future.c", "event_wait is awaited by two futures at once", "whole",
                       "half") "f->wait",
                 rig_spawn(&rig, whole, &event));
    rig_close(&rig);
}

/* ---- leaves ---------------------------------------------------------------------------------- */

enum misdeed { ARMS_TWICE, ARMS_NEVER, ENDS_ARMED, IS_CROOKED, IS_POLLED_AGAIN };

/* A leaf of somebody who has not read the manual. */
struct bad {
    struct vg_future fut;
    int ret;
    enum misdeed misdeed;
    char crooked[8 + sizeof(struct vg_waiter)];
    struct vg_waiter waiter;
};

static vg_poll bad_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct bad *bad = (struct bad *)(void *)fut;
    const uintptr_t crooked = ((uintptr_t)bad->crooked | 15) - 7;

    switch (bad->misdeed) {
    case ARMS_TWICE:
        vg_arm(&bad->waiter, fut, cx);
        vg_arm(&bad->waiter, fut, cx);
        return VG_PENDING;
    case IS_CROOKED:
        vg_arm((struct vg_waiter *)crooked, fut, cx);
        return VG_PENDING;
    case ENDS_ARMED:
        vg_arm(&bad->waiter, fut, cx);
        return VG_READY;
    default:
        return VG_PENDING;
    }
}

static struct bad *bad(struct bad *bad, enum misdeed misdeed)
{
    static const struct vg_ops ops = {
        .poll = bad_poll, .name = "bad_leaf", .size = sizeof(struct bad), .kind = VG_KIND_LEAF};

    vg_future_init(&bad->fut, &ops);
    bad->ret = 0;
    bad->misdeed = misdeed;
    bad->waiter.flags = 0;
    return bad;
}

struct user {
    VG_FRAME(int);
    enum misdeed misdeed;
    struct bad bad;
};

VG_ASYNC(user)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, bad(&f->bad, f->misdeed));
    VG_RETURN(rc);
}

static struct user *user(struct user *f, enum misdeed misdeed)
{
    VG_SETUP(f, user);
    f->misdeed = misdeed;
    return f;
}

static void misuse(enum misdeed misdeed)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, user, misdeed);
}

TEST(a_waiter_armed_twice_is_named)
{
    CHECK_PANICS(PANIC("core/wake.c", "the waiter of bad_leaf is armed twice", "user",
                       "bad_leaf") "bad(&f->bad",
                 misuse(ARMS_TWICE));
}

TEST(a_waiter_that_is_not_aligned_is_named)
{
    CHECK_PANICS(PANIC("core/wake.c", "the waiter of bad_leaf is not aligned to 16 bytes", "user",
                       "bad_leaf") "bad(&f->bad",
                 misuse(IS_CROOKED));
}

TEST(a_task_that_ends_while_a_leaf_is_armed_is_named)
{
    CHECK_PANICS("user has ended, but a future below it is still armed", misuse(ENDS_ARMED));
}

TEST(a_leaf_that_is_pending_and_waits_for_nothing_is_named)
{
    if (!VG_DEBUG)
        SKIP("checked in debug builds");
    CHECK_PANICS(PANIC("core/future.c", "bad_leaf is pending and has armed no waiter", "user",
                       "user") "bad(&f->bad",
                 misuse(ARMS_NEVER));
}

struct repeater {
    struct vg_future fut;
    int ret;
    struct event_wait *wait;
};

static vg_poll repeater_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct repeater *repeater = (struct repeater *)(void *)fut;

    while (vg_poll_child(&repeater->wait->fut, cx).ready)
        ; /* and once more */
    return VG_PENDING;
}

struct repeated {
    VG_FRAME(int);
    struct event *event;
    struct repeater repeater;
    struct event_wait wait;
};

VG_ASYNC(repeated)
{
    VG_BEGIN(f);
    int rc;
    static const struct vg_ops ops = {
        .poll = repeater_poll, .name = "repeater", .size = sizeof(struct repeater)};
    vg_future_init(&f->repeater.fut, &ops);
    f->repeater.wait = event_wait(&f->wait, f->event);
    VG_AWAIT(rc, &f->repeater);
    VG_RETURN(rc);
}

static struct repeated *repeated(struct repeated *f, struct event *event)
{
    VG_SETUP(f, repeated);
    f->event = event;
    return f;
}

TEST(polling_a_future_that_has_ended_is_found_out)
{
    struct rig rig;
    struct event event = {.set = true};

    rig_open(&rig);
    CHECK_PANICS(PANIC("core/future.c", "event_wait is polled after it has ended", "repeated",
                       "repeater") "&f->repeater",
                 rig_spawn(&rig, repeated, &event));
    rig_close(&rig);
}
