/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/mutex.h>
#include <vigil/time.h>
#include <vigil/waker.h>

#include "counting_alloc.h"
#include "exhaust.h"
#include "harness.h"
#include "sim.h"

/*
 * Closing while tasks live and memory runs out: their clean-up is told so where it asks for some, and they end all
 * the same.
 */

enum { TASKS = 80, WORKERS = 2 }; /* more than a block of slots */

struct house {
    struct sim sim;
    struct vg_exec *exec;
    struct vg_mutex mutex;
    uint64_t started, ended, refused;
};

/* A leaf that is woken by a waker, and by the waker only: that of its own cancel. */
struct knock {
    struct vg_future fut;
    int ret; /* -ECANCELED or -ENOMEM */
    struct vg_waker waker;
};

static vg_poll knock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct knock *knock = (struct knock *)(void *)fut;

    knock->ret = -ECANCELED;
    if (!vg_cancelled(fut)) {
        knock->ret = vg_waker_arm(&knock->waker, fut, cx);
        if (!exhaust_hit(knock->ret))
            return VG_PENDING;
    }
    vg_waker_disarm(&knock->waker, cx);
    return VG_READY;
}

static void knock_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_waker_wake(((struct knock *)(void *)fut)->waker);
}

static struct knock *knock(struct knock *knock)
{
    static const struct vg_ops ops = {
        .poll = knock_poll,
        .cancel = knock_cancel,
        .name = "knock",
        .size = sizeof(struct knock),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&knock->fut, &ops);
    knock->waker = (struct vg_waker){NULL, 0};
    return knock;
}

/* Waits for its knock until it is cancelled, or, without a slot, holds the mutex or waits for it; its clean-up
 * wants to spawn. */
struct inmate {
    VG_FRAME(int);
    struct house *house;
    struct vg_lock lock;
    struct vg_sleep nap;
    struct knock knock;
};

static struct inmate *inmate(struct inmate *f, struct house *house);

static void try_to_spawn(struct inmate *f)
{
    int rc = VG_SPAWN(vg_exec_current(), NULL, inmate, f->house);

    CHECK(rc == -ESHUTDOWN || exhaust_hit(rc));
    f->house->refused++;
}

VG_ASYNC(inmate)
{
    VG_BEGIN(f);
    int rc;
    f->house->started++;
    VG_AWAIT(rc, knock(&f->knock));
    CHECK(rc == -ECANCELED || rc == -ENOMEM);
    VG_AWAIT(rc, vg_lock(&f->lock, &f->house->mutex));
    if (rc == 0) {
        VG_AWAIT(rc, vg_sleep(&f->nap, VG_SEC(1000)));
        vg_unlock(&f->house->mutex);
    }
    CHECK(vg_cancelled(&f->fut));
    try_to_spawn(f);
    f->house->ended++;
    VG_RETURN(0);
}

static struct inmate *inmate(struct inmate *f, struct house *house)
{
    VG_SETUP(f, inmate);
    f->house = house;
    return f;
}

static bool all_started(void *arg)
{
    const struct house *house = (const struct house *)arg;

    return house->started == vg_exec_live(house->exec);
}

static void move_in_and_close(void *arg)
{
    struct house house = {.started = 0};
    struct vg_config config;

    (void)arg;
    sim_open(&house.sim, 3, WORKERS);
    config = sim_config(&house.sim);
    vg_mutex_init(&house.mutex, "house");
    if (!exhaust_hit(vg_exec_open(&house.exec, &config))) {
        for (unsigned i = 0; i < TASKS; i++)
            if (exhaust_hit(VG_SPAWN(house.exec, NULL, inmate, &house)))
                break;
        CHECK_EQ(sim_run(&house.sim, house.exec, all_started, &house, VG_SEC(10)), 0);
        CHECK_EQ(vg_exec_close(house.exec, VG_SEC(10)), 0);
        CHECK_EQ(house.ended, house.started);
        CHECK_EQ(house.refused, house.started);
    }
    vg_mutex_fini(&house.mutex);
    sim_close(&house.sim);
}

TEST(an_executor_closes_whichever_request_for_memory_fails)
{
    CHECK(exhaust(&exhaust_memory, move_in_and_close, NULL) > 4);
}

TEST(an_executor_closes_whichever_slot_or_slab_is_not_to_be_had)
{
    const struct exhaust slots = {"slots", -ENOMEM, 0}, slabs = {"slab", -ENOMEM, 0};

    CHECK(exhaust(&slots, move_in_and_close, NULL) >= 2);
    CHECK(exhaust(&slabs, move_in_and_close, NULL) > 0);
}
