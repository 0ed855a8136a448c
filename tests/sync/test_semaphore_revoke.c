/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include "hall.h"

/* What happens to requests whose task runs and does not poll them. */

/* Asks at `arrive`, parks the request a millisecond later, comes back to it at `back`: to await it, or to
 * cancel it. */
struct parker {
    VG_FRAME(int);
    struct hall *hall;
    int who, rc;
    uint32_t want;
    uint64_t arrive, back;
    bool gives_up;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_acquire acquire;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, f->arrive)));
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(vg_acquire(&f->acquire, &f->hall->semaphore, f->want)),
                       VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 1);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, f->back)));
    if (f->gives_up) {
        VG_AWAIT_CANCEL(f->rc, &f->acquire);
        VG_RETURN(f->rc);
    }
    VG_AWAIT(f->rc, &f->acquire);
    if (f->rc < 0)
        VG_RETURN(f->rc);
    diary_note(&f->hall->diary, f->who);
    vg_release(&f->hall->semaphore, f->want);
    VG_RETURN(0);
}

static struct parker *parker(struct parker *f, struct hall *hall, int who, uint32_t want,
                             uint64_t arrive, uint64_t back, bool gives_up)
{
    VG_SETUP(f, parker);
    f->hall = hall;
    f->who = who;
    f->want = want;
    f->arrive = arrive;
    f->back = back;
    f->gives_up = gives_up;
    return f;
}

TEST(a_grant_that_is_passed_over_serves_those_behind_it)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 3, true);
        HALL_ADD(&h, guest, 0, 3, 0, 10, 0);
        HALL_ADD(&h, parker, 1, 3, 1, 50, false);
        HALL_ADD(&h, guest, 2, 1, 3, 1, 0);
        HALL_ADD(&h, guest, 3, 2, 4, 1, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(h.diary.entry[1].ms, 10);
        CHECK_EQ(h.diary.entry[2].ms, 10);
        CHECK_DIARY(&h.diary, 3, 1, 50);
        hall_close(&h);
    }
}

/* It comes back while two of its three permits are free: it stands at its old place and holds up those behind it. */
TEST(a_request_that_was_passed_over_keeps_its_place)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 3, true);
        HALL_ADD(&h, guest, 0, 3, 0, 10, 0);
        HALL_ADD(&h, parker, 1, 3, 1, 15, false);
        HALL_ADD(&h, guest, 2, 1, 3, 20, 0);
        HALL_ADD(&h, guest, 3, 1, 20, 5, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_DIARY(&h.diary, 1, 2, 10);
        CHECK_DIARY(&h.diary, 2, 1, 30);
        CHECK_DIARY(&h.diary, 3, 3, 30);
        hall_close(&h);
    }
}

/* Comes back for a millisecond only. */
struct looker {
    VG_FRAME(int);
    struct hall *hall;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_acquire acquire;
};

VG_ASYNC(looker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, 1)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_acquire(&f->acquire, &f->hall->semaphore, 3)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, 20)));
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->acquire), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 1);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, 60)));
    VG_AWAIT(f->rc, &f->acquire);
    CHECK_EQ(f->rc, 0);
    vg_release(&f->hall->semaphore, 3);
    VG_RETURN(0);
}

static struct looker *looker(struct looker *f, struct hall *hall, int unused)
{
    (void)unused;
    VG_SETUP(f, looker);
    f->hall = hall;
    return f;
}

TEST(a_request_that_is_looked_at_and_parked_again_holds_up_the_others_only_until_its_next_grant)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 3, true);
        HALL_ADD(&h, guest, 0, 3, 0, 10, 0);
        HALL_ADD(&h, looker, 0);
        HALL_ADD(&h, guest, 1, 2, 15, 10, 0); /* the looker has been passed over: at once */
        HALL_ADD(&h, guest, 2, 1, 22, 0,
                 0); /* behind the looker, until that is passed over again */
        CHECK_EQ(hall_run(&h), 0);
        CHECK_DIARY(&h.diary, 1, 1, 15);
        CHECK_DIARY(&h.diary, 2, 2, 25);
        CHECK_EQ(world_ms(&h.world), 60);
        hall_close(&h);
    }
}

TEST(a_request_that_is_let_go_while_it_is_passed_over_ends_when_it_is_polled)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 1, true);
        HALL_ADD(&h, guest, 0, 1, 0, 10, 0);
        HALL_ADD(&h, parker, 1, 1, 1, 40, false);
        HALL_ADD(&h, parker, 2, 1, 5, 41, true);
        world_run_until(&h.world, 20);
        vg_semaphore_close(&h.semaphore);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[1], struct parker), -EPIPE);
        CHECK_EQ(VG_TASK_RET(&h.handle[2], struct parker), -EPIPE); /* cancelled too late */
        hall_close(&h);
    }
}

/* Granted, closed, passed over: the grant is lost to it, and the close is not. */
TEST(a_grant_that_is_passed_over_after_the_close_ends_when_it_is_polled)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 1, true);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 1), 0);
        HALL_ADD(&h, parker, 1, 1, 1, 40, false);
        world_run_until(&h.world, 20);
        vg_release(&h.semaphore, 1);
        vg_semaphore_close(&h.semaphore);
        CHECK_EQ(h.semaphore.permits.waiters.granted, 1);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct parker), -EPIPE);
        hall_close(&h);
    }
}

TEST(without_healing_a_grant_stays_until_it_is_taken)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 2, seed % 2);
        vg_semaphore_set_healing(&h.semaphore, false);
        HALL_ADD(&h, guest, 0, 2, 0, 10, 0);
        HALL_ADD(&h, parker, 1, 2, 1, 30, false);
        HALL_ADD(&h, guest, 2, 1, 3, 1, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_DIARY(&h.diary, 1, 1, 30);
        CHECK_DIARY(&h.diary, 2, 2, 30);
        hall_close(&h);
    }
}

TEST(permits_that_are_free_while_all_waiters_are_passed_over_are_for_newcomers)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 2, true);
        HALL_ADD(&h, guest, 0, 2, 0, 10, 0);
        HALL_ADD(&h, parker, 1, 2, 1, 40, false);
        HALL_ADD(&h, parker, 2, 1, 3, 41, false);
        HALL_ADD(&h, guest, 3, 2, 20, 1, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_DIARY(&h.diary, 1, 3, 20);
        CHECK_DIARY(&h.diary, 2, 1, 40);
        CHECK_DIARY(&h.diary, 3, 2, 41);
        hall_close(&h);
    }
}
