/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/time.h>
#include <vigil/waker.h>

#include "counting_alloc.h"
#include "exhaust.h"
#include "harness.h"
#include "sim.h"

/*
 * Slots of wakers while memory runs out: a leaf that gets none ends with what vg_waker_arm() said, holds nothing, and
 * gets one when there is memory again.
 */

enum { TASKS = 200, WORKERS = 2 }; /* more than three blocks of slots */

struct bells {
    struct vg_exec *exec;
    struct sim sim;
    struct vg_waker waker[TASKS]; /* copies handed out; zero: none */
    bool rung[TASKS];
    unsigned waiting, refused, ended;
};

struct bell_wait {
    struct vg_future fut;
    int ret; /* 0, -ECANCELED or -ENOMEM */
    struct bells *bells;
    unsigned i;
    struct vg_waker waker;
};

static vg_poll finish(struct bell_wait *wait, int ret, struct vg_cx *cx)
{
    wait->ret = ret;
    wait->bells->waiting -= wait->bells->waker[wait->i].slot != NULL;
    wait->bells->waker[wait->i] = (struct vg_waker){NULL, 0};
    vg_waker_disarm(&wait->waker, cx);
    return VG_READY;
}

static vg_poll bell_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct bell_wait *wait = (struct bell_wait *)(void *)fut;
    int rc;

    if (wait->bells->rung[wait->i])
        return finish(wait, 0, cx);
    if (vg_cancelled(fut))
        return finish(wait, -ECANCELED, cx);
    rc = vg_waker_arm(&wait->waker, fut, cx);
    if (exhaust_hit(rc)) {
        CHECK(wait->waker.slot == NULL);
        return finish(wait, rc, cx);
    }
    wait->bells->waiting++;
    wait->bells->waker[wait->i] = wait->waker;
    return VG_PENDING;
}

static void bell_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_waker_wake(((struct bell_wait *)(void *)fut)->waker);
}

static struct bell_wait *bell_wait(struct bell_wait *wait, struct bells *bells, unsigned i)
{
    static const struct vg_ops ops = {
        .poll = bell_poll,
        .cancel = bell_cancel,
        .name = "bell_wait",
        .size = sizeof(struct bell_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    *wait = (struct bell_wait){.fut = wait->fut, .bells = bells, .i = i};
    return wait;
}

struct listener {
    VG_FRAME(int);
    struct bells *bells;
    unsigned i;
    struct bell_wait wait;
    struct vg_sleep nap;
};

/* Tries until it is let wait. */
VG_ASYNC(listener)
{
    VG_BEGIN(f);
    int rc;
    for (;;) {
        VG_AWAIT(rc, bell_wait(&f->wait, f->bells, f->i));
        if (rc != -ENOMEM)
            break;
        f->bells->refused++;
        VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1)));
        CHECK_EQ(rc, 0);
    }
    f->bells->ended++;
    VG_RETURN(rc);
}

static struct listener *listener(struct listener *f, struct bells *bells, unsigned i)
{
    VG_SETUP(f, listener);
    f->bells = bells;
    f->i = i;
    return f;
}

static bool tried(void *arg)
{
    const struct bells *bells = (const struct bells *)arg;

    return bells->waiting + bells->refused >= TASKS;
}

static bool all_wait(void *arg)
{
    return ((const struct bells *)arg)->waiting == TASKS;
}

static bool all_ended(void *arg)
{
    return ((const struct bells *)arg)->ended == TASKS;
}

static bool start(struct bells *bells)
{
    struct vg_config config;
    unsigned started;

    sim_open(&bells->sim, 1, WORKERS);
    config = sim_config(&bells->sim);
    if (exhaust_hit(vg_exec_open(&bells->exec, &config))) {
        sim_close(&bells->sim);
        return false;
    }
    for (started = 0; started < TASKS; started++)
        if (exhaust_hit(VG_SPAWN(bells->exec, NULL, listener, bells, started)))
            break;
    if (started == TASKS)
        return true;
    exhaust_end();
    CHECK_EQ(vg_exec_close(bells->exec, VG_SEC(1)), 0);
    sim_close(&bells->sim);
    return false;
}

static void run(void *arg)
{
    struct bells bells = {.waiting = 0};

    (void)arg;
    if (!start(&bells))
        return;
    CHECK_EQ(sim_run(&bells.sim, bells.exec, tried, &bells, VG_SEC(10)), 0);
    exhaust_end();
    CHECK_EQ(sim_run(&bells.sim, bells.exec, all_wait, &bells, VG_SEC(10)), 0);
    for (unsigned i = 0; i < TASKS; i++) {
        bells.rung[i] = i % 2; /* the others are left to the close */
        if (bells.rung[i])
            vg_waker_wake(bells.waker[i]);
    }
    CHECK_EQ(vg_exec_close(bells.exec, VG_SEC(10)), 0);
    CHECK(all_ended(&bells));
    sim_close(&bells.sim);
}

TEST(a_leaf_without_memory_for_its_waker_ends_and_may_try_again)
{
    CHECK(exhaust(&exhaust_memory, run, NULL) >= 6);
}

TEST(a_leaf_without_a_slot_for_its_waker_ends_and_may_try_again)
{
    const struct exhaust slots = {"slots", -ENOMEM, 0};

    CHECK(exhaust(&slots, run, NULL) >= 4);
}
