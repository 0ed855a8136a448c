/* SPDX-License-Identifier: MIT */
#include "room.h"

/* Rings under real threads: found while every worker sleeps, and over when a task is cancelled. */

struct pair {
    struct room room;
    struct vg_mutex mutex[2];
    VG_ATOMIC(uint32_t) holding; /* release, pairs with the acquire in wait_for() */
};

struct grabber {
    VG_FRAME(int);
    struct pair *pair;
    unsigned first;
    bool patient; /* it waits for the other one to have its own first */
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(grabber)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_lock(&f->lock, &f->pair->mutex[f->first]));
    vg_fetch_add(&f->pair->holding, 1, acq_rel);
    while (f->patient && vg_load(&f->pair->holding, acquire) < 2)
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_AWAIT(f->ret, vg_lock(&f->lock, &f->pair->mutex[!f->first]));
    if (f->ret == 0)
        vg_unlock(&f->pair->mutex[!f->first]);
    vg_unlock(&f->pair->mutex[f->first]);
    VG_RETURN(f->ret);
}

static struct grabber *grabber(struct grabber *f, struct pair *pair, unsigned first, bool patient)
{
    VG_SETUP(f, grabber);
    f->pair = pair;
    f->first = first;
    f->patient = patient;
    return f;
}

static void pair_open(struct pair *pair, unsigned workers)
{
    room_open(&pair->room, workers, true);
    vg_mutex_init(&pair->mutex[0], "left");
    vg_mutex_init(&pair->mutex[1], "right");
    vg_store(&pair->holding, 0u, relaxed);
}

static void pair_close(struct pair *pair)
{
    room_close(&pair->room);
    vg_mutex_fini(&pair->mutex[0]);
    vg_mutex_fini(&pair->mutex[1]);
}

static uint32_t cycles(struct pair *pair)
{
    return vg_load(&pair->room.reports[VG_VERDICT_WAIT_CYCLE], acquire);
}

static void check_report(const struct pair *pair)
{
    const struct room_report *seen = &pair->room.seen[0];

    CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
    CHECK_EQ(seen->report.ring_length, 2);
    CHECK_STR(seen->text, "for mutex \"left\"");
    CHECK_STR(seen->text, "for mutex \"right\"");
    CHECK_STR(seen->text, "vg_lock in grabber at ");
}

TEST(a_ring_is_found_while_all_sleep_and_is_over_when_one_is_cancelled)
{
    FOR_WORKERS (workers) {
        static struct pair pair;
        struct vg_handle one, two;

        pair_open(&pair, workers);
        CHECK_EQ(VG_SPAWN(pair.room.exec, &one, grabber, &pair, 0, true), 0);
        CHECK_EQ(VG_SPAWN(pair.room.exec, &two, grabber, &pair, 1, true), 0);
        wait_for(&pair.room.reports[VG_VERDICT_WAIT_CYCLE], 1);
        check_report(&pair);
        vg_task_cancel(&one);
        wait_for(&pair.room.ends, 1);
        vg_task_release(&one);
        vg_task_release(&two);
        pair_close(&pair);
        CHECK_EQ(cycles(&pair), 1);
        CHECK_EQ(total(&pair.room), 1);
    }
}

/* Many tasks that lock in the same order, with the mutexes always taken by somebody. */
struct walker {
    VG_FRAME(int);
    struct pair *pair;
    unsigned i;
    struct vg_lock left, right;
    struct vg_yield yield;
};

VG_ASYNC(walker)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 2000; f->i++) {
        VG_AWAIT(f->ret, vg_lock(&f->left, &f->pair->mutex[0]));
        VG_AWAIT(f->ret, vg_yield(&f->yield));
        VG_AWAIT(f->ret, vg_lock(&f->right, &f->pair->mutex[1]));
        vg_unlock(&f->pair->mutex[0]);
        VG_AWAIT(f->ret, vg_yield(&f->yield));
        vg_unlock(&f->pair->mutex[1]);
    }
    VG_RETURN(0);
}

static struct walker *walker(struct walker *f, struct pair *pair)
{
    VG_SETUP(f, walker);
    f->pair = pair;
    return f;
}

TEST(tasks_that_lock_in_the_same_order_are_never_taken_for_a_ring)
{
    FOR_WORKERS (workers) {
        enum { WALKERS = 16 };
        static struct pair pair;
        struct vg_handle handle[WALKERS];

        pair_open(&pair, workers);
        for (unsigned i = 0; i < WALKERS; i++)
            CHECK_EQ(VG_SPAWN(pair.room.exec, &handle[i], walker, &pair), 0);
        for (unsigned i = 0; i < WALKERS; i++) {
            while (!vg_task_done(&handle[i])) {
                vg_watch_scan(pair.room.live, vg_exec_now(pair.room.exec));
                usleep(200);
            }
            vg_task_release(&handle[i]);
        }
        pair_close(&pair);
        CHECK_EQ(total(&pair.room), 0);
    }
}
