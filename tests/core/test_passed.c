/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/*
 * Leaves that are granted something, and what becomes of a grant that a poll leaves untaken. The source is a
 * baton with one queue: whoever is woken has been given it.
 */
struct baton {
    struct baton_wait *first;  /* queued, in order */
    struct baton_wait *holder; /* granted, and not taken */
    bool free;
    unsigned told;
};

struct baton_wait {
    struct vg_future fut;
    int ret;
    struct baton *baton;
    struct baton_wait
        *next; /* its place in the queue, which has nothing to do with what the task owes */
    bool queued, passed_over;
    unsigned *polls;
    struct vg_waiter waiter;
};

/* To the first that has not been passed over. */
static void baton_grant(struct baton *baton)
{
    struct baton_wait **place = &baton->first, *wait;

    while (*place != NULL && (*place)->passed_over)
        place = &(*place)->next;
    wait = *place;
    baton->free = wait == NULL;
    if (wait == NULL)
        return;
    *place = wait->next;
    wait->queued = false;
    baton->holder = wait;
    vg_notify(vg_wake(&wait->waiter));
}

static void baton_release(struct baton *baton)
{
    baton_grant(baton);
}

static void baton_leave(struct baton_wait *wait)
{
    struct baton_wait **place = &wait->baton->first;

    while (wait->queued && *place != wait)
        place = &(*place)->next;
    if (wait->queued)
        *place = wait->next;
    wait->queued = false;
}

static vg_poll baton_wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct baton_wait *wait = (struct baton_wait *)(void *)fut;
    struct baton *baton = wait->baton;
    struct baton_wait **place = &baton->first;

    ++*wait->polls;
    wait->passed_over = false;
    if (baton->holder == wait || baton->free) {
        baton->holder = NULL;
        baton->free = false;
        baton_leave(wait);
        vg_disarm(&wait->waiter, cx);
        return VG_READY;
    }
    vg_disarm(&wait->waiter, cx); /* it was passed over, and the baton is with somebody else */
    vg_arm(&wait->waiter, fut, cx);
    if (!wait->queued) {
        while (*place != NULL)
            place = &(*place)->next;
        *place = wait;
        wait->next = NULL;
        wait->queued = true;
    }
    return VG_PENDING;
}

static enum vg_pass baton_wait_passed_over(struct vg_future *fut, struct vg_cx *cx)
{
    struct baton_wait *wait = (struct baton_wait *)(void *)fut;
    struct baton *baton = wait->baton;

    (void)cx;
    baton->told++;
    wait->passed_over = true;
    if (baton->holder != wait)
        return VG_PASS_NONE;
    baton->holder = NULL;
    wait->next = baton->first; /* it keeps its place, and stays owed */
    baton->first = wait;
    wait->queued = true;
    baton_grant(baton);
    return VG_PASS_REVOKED;
}

static struct baton_wait *baton_wait(struct baton_wait *wait, struct baton *baton, unsigned *polls)
{
    static const struct vg_ops ops = {
        .poll = baton_wait_poll,
        .passed_over = baton_wait_passed_over,
        .name = "baton_wait",
        .size = sizeof(struct baton_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->ret = 0;
    wait->baton = baton;
    wait->queued = wait->passed_over = false;
    wait->polls = polls;
    wait->waiter.flags = 0;
    return wait;
}

/* ---- parks its place in the queue, then comes back to it ------------------------------------- */

enum { GO, BACK, EVENTS };

struct runner {
    VG_FRAME(int);
    struct baton *baton;
    struct event *event; /* EVENTS; NULL: goes straight ahead */
    unsigned polls;
    VG_ARMS(2) arms;
    struct event_wait go, back;
    struct baton_wait wait;
};

VG_ASYNC(runner)
{
    VG_BEGIN(f);
    int rc;
    baton_wait(&f->wait, f->baton, &f->polls);
    if (f->event != NULL) {
        VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(&f->wait),
                               VG_CANCEL(event_wait(&f->go, &f->event[GO]))));
        VG_AWAIT(rc, event_wait(&f->back, &f->event[BACK]));
    }
    VG_AWAIT(rc, &f->wait);
    baton_release(f->baton);
    VG_RETURN(rc);
}

static struct runner *runner(struct runner *f, struct baton *baton, struct event *event)
{
    VG_SETUP(f, runner);
    f->baton = baton;
    f->event = event;
    f->polls = 0;
    return f;
}

struct track {
    struct rig rig;
    struct baton baton;
    struct event event[EVENTS];
};

/* Task 0 has parked its wait, and is first in the queue. */
static void track_open(struct track *t)
{
    memset(t->event, 0, sizeof t->event);
    t->baton = (struct baton){.free = false};
    rig_open(&t->rig);
    rig_spawn(&t->rig, runner, &t->baton, t->event);
    event_set(&t->event[GO]);
    rig_run(&t->rig);
}

TEST(a_grant_that_was_revoked_leaves_the_wake_owed)
{
    struct track t;

    track_open(&t);
    baton_release(&t.baton);
    rig_run(&t.rig);
    CHECK_EQ(t.baton.told, 1);
    CHECK(t.baton.free && t.baton.holder == NULL);
    CHECK_EQ(t.baton.first->waiter.flags & VG_W_OWED, VG_W_OWED);
    event_set(&t.event[BACK]); /* awaiting it is all that is needed for a look at the queue */
    rig_run(&t.rig);
    CHECK_EQ(RIG_RET(&t.rig, 0, struct runner), 0);
    CHECK_EQ(((const struct runner *)vg_task_frame(&t.rig.task[0]))->polls, 2);
    rig_close(&t.rig);
}

TEST(a_grant_that_was_revoked_goes_to_the_next_in_the_queue)
{
    struct track t;

    track_open(&t);
    rig_spawn(&t.rig, runner, &t.baton, NULL);
    baton_release(&t.baton);
    rig_run(&t.rig);
    CHECK_EQ(RIG_RET(&t.rig, 1, struct runner), 0);
    CHECK(!rig_done(&t.rig, 0));
    event_set(&t.event[BACK]);
    rig_run(&t.rig);
    CHECK_EQ(RIG_RET(&t.rig, 0, struct runner), 0);
    rig_close(&t.rig);
}

TEST(a_waiter_that_was_passed_over_can_be_granted_again_once_it_has_been_polled)
{
    struct track t;

    track_open(&t);
    baton_release(&t.baton);
    rig_run(&t.rig);
    t.baton.free = false; /* somebody else has come and taken it */
    event_set(&t.event[BACK]);
    rig_run(&t.rig);
    CHECK(!rig_done(&t.rig, 0));
    CHECK(!t.baton.first->passed_over);
    baton_release(&t.baton);
    rig_run(&t.rig);
    CHECK_EQ(RIG_RET(&t.rig, 0, struct runner), 0);
    CHECK_EQ(t.baton.told, 1);
    rig_close(&t.rig);
}

TEST(a_leaf_is_told_once_for_each_wake_however_often_its_task_is_polled)
{
    struct track t;

    track_open(&t);
    baton_release(&t.baton);
    for (unsigned i = 0; i < 5; i++) {
        event_poke(&t.event[BACK]);
        rig_run(&t.rig);
    }
    CHECK_EQ(t.baton.told, 1);
    event_set(&t.event[BACK]);
    rig_run(&t.rig);
    CHECK_EQ(RIG_RET(&t.rig, 0, struct runner), 0);
    rig_close(&t.rig);
}
