/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include "hall.h"

/* ---- order --------------------------------------------------------------------------------- */

TEST(as_many_get_in_as_there_are_permits)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 3, true);
        for (int i = 0; i < 7; i++)
            HALL_ADD(&h, guest, i, 1, (uint64_t)i + 1, 100, 0);
        CHECK_EQ(hall_run(&h), 0);
        for (unsigned i = 0; i < 7; i++)
            CHECK_DIARY(&h.diary, i, (int)i, 1 + i % 3 + 100 * (i / 3));
        hall_close(&h);
    }
}

/* Two are free all the time, and small requests would fit. */
TEST(a_large_request_at_the_head_is_not_starved_by_small_ones)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 4, true);
        HALL_ADD(&h, guest, 0, 2, 1, 50, 0);
        HALL_ADD(&h, guest, 1, 3, 2, 10, 0);
        HALL_ADD(&h, guest, 2, 1, 3, 10, 0);
        HALL_ADD(&h, guest, 3, 1, 4, 10, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(h.diary.entry[1].ms, 51); /* 1 and 2: all four permits */
        CHECK_EQ(h.diary.entry[2].ms, 51);
        CHECK_DIARY(&h.diary, 3, 3, 61);
        hall_close(&h);
    }
}

/* One comes back early, and the small request could have it. */
TEST(permits_for_a_large_request_are_not_given_out_in_parts)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 4, true);
        HALL_ADD(&h, guest, 0, 3, 1, 50, 0);
        HALL_ADD(&h, guest, 1, 1, 2, 20, 0);
        HALL_ADD(&h, guest, 2, 4, 3, 10, 0);
        HALL_ADD(&h, guest, 3, 1, 4, 10, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_DIARY(&h.diary, 2, 2, 51);
        CHECK_DIARY(&h.diary, 3, 3, 61);
        hall_close(&h);
    }
}

TEST(one_release_serves_all_that_fit)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 6, true);
        HALL_ADD(&h, guest, 0, 6, 1, 9, 0);
        HALL_ADD(&h, guest, 1, 1, 2, 5, 0);
        HALL_ADD(&h, guest, 2, 3, 3, 5, 0);
        HALL_ADD(&h, guest, 3, 2, 4, 5, 0);
        HALL_ADD(&h, guest, 4, 1, 5, 5, 0);
        CHECK_EQ(hall_run(&h), 0);
        for (unsigned i = 1; i < 4; i++) /* in any order: they are tasks of their own */
            CHECK_EQ(h.diary.entry[i].ms, 10);
        CHECK_DIARY(&h.diary, 4, 4, 15);
        hall_close(&h);
    }
}

TEST(nobody_gets_in_before_a_request_that_waits)
{
    struct hall h;

    hall_open(&h, 1, 4, true);
    HALL_ADD(&h, guest, 0, 2, 1, 0, 0);
    CHECK_EQ(vg_try_acquire(&h.semaphore, 3), 0);
    CHECK_EQ(hall_run(&h), -EDEADLK);
    CHECK_EQ(vg_semaphore_free(&h.semaphore), 1);
    CHECK_EQ(vg_try_acquire(&h.semaphore, 1), -EAGAIN);
    vg_release(&h.semaphore, 3);
    CHECK_EQ(hall_run(&h), 0);
    hall_close(&h);
}

/* ---- giving up ----------------------------------------------------------------------------- */

TEST(a_request_at_the_head_that_gives_up_lets_those_behind_it_in)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 4, true);
        HALL_ADD(&h, guest, 0, 2, 0, 1000, 0);
        HALL_ADD(&h, guest, 1, 3, 1, 0, 50);
        HALL_ADD(&h, guest, 2, 1, 10, 0, 0);
        HALL_ADD(&h, guest, 3, 1, 11, 0, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[1], struct guest), -ECANCELED);
        CHECK_EQ(h.diary.count, 3);
        CHECK_EQ(h.diary.entry[1].ms, 51);
        CHECK_EQ(h.diary.entry[2].ms, 51);
        hall_close(&h);
    }
}

TEST(a_request_that_is_cancelled_when_granted_passes_its_permits_on)
{
    FOR_SEEDS (seed, 200) {
        struct hall h;
        hall_open(&h, seed, 3, true);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 3), 0);
        HALL_ADD(&h, guest, 1, 2, 0, 0, 0);
        CHECK_EQ(hall_run(&h), -EDEADLK);
        HALL_ADD(&h, guest, 2, 2, 0, 0, 0);
        CHECK_EQ(hall_run(&h), -EDEADLK);
        vg_task_cancel(&h.handle[0]); /* pushed before the grant: the task sees it first */
        vg_release(&h.semaphore, 3);
        CHECK_EQ(h.semaphore.permits.waiters.granted, 2);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct guest), -ECANCELED);
        CHECK_EQ(h.diary.count, 1);
        CHECK_DIARY(&h.diary, 0, 2, 0);
        hall_close(&h);
    }
}

/* ---- closing ------------------------------------------------------------------------------- */

TEST(closing_ends_all_that_wait_and_all_that_come_later)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 2, true);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 1), 0);
        for (int i = 0; i < 5; i++)
            HALL_ADD(&h, guest, i, 2, 0, 0, 0);
        CHECK_EQ(hall_run(&h), -EDEADLK);
        vg_semaphore_close(&h.semaphore);
        vg_semaphore_close(&h.semaphore);
        HALL_ADD(&h, guest, 5, 1, 0, 0, 0);
        CHECK_EQ(hall_run(&h), 0);
        for (unsigned i = 0; i < 6; i++)
            CHECK_EQ(VG_TASK_RET(&h.handle[i], struct guest), -EPIPE);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 1), -EPIPE);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 2), -EPIPE);
        vg_release(&h.semaphore, 1);
        hall_close(&h);
    }
}

TEST(permits_that_were_granted_before_the_close_are_taken)
{
    FOR_SEEDS (seed, 100) {
        struct hall h;
        hall_open(&h, seed, 2, true);
        CHECK_EQ(vg_try_acquire(&h.semaphore, 2), 0);
        HALL_ADD(&h, guest, 1, 2, 0, 5, 0);
        CHECK_EQ(hall_run(&h), -EDEADLK);
        vg_release(&h.semaphore, 2);
        vg_semaphore_close(&h.semaphore);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(VG_TASK_RET(&h.handle[0], struct guest), 0);
        CHECK_EQ(h.diary.count, 1);
        hall_close(&h);
    }
}

/* ---- errors -------------------------------------------------------------------------------- */

TEST(more_than_can_ever_be_there_is_refused_at_once)
{
    struct hall h;

    hall_open(&h, 1, 2, true);
    HALL_ADD(&h, guest, 0, 3, 0, 0, 0);
    HALL_ADD(&h, guest, 1, UINT32_MAX, 0, 0, 0);
    CHECK_EQ(hall_run(&h), 0);
    CHECK_EQ(VG_TASK_RET(&h.handle[0], struct guest), -EINVAL);
    CHECK_EQ(VG_TASK_RET(&h.handle[1], struct guest), -EINVAL);
    CHECK_EQ(vg_try_acquire(&h.semaphore, 3), -EINVAL);
    hall_close(&h);
}

TEST(permits_are_taken_without_waiting_only_if_they_are_free)
{
    static struct vg_semaphore s = VG_SEMAPHORE_INIT_NAMED("pool", 3);

    CHECK_STR(s.permits.resource.name, "pool");
    CHECK_EQ(vg_try_acquire(&s, 2), 0);
    CHECK_EQ(vg_try_acquire(&s, 2), -EAGAIN);
    CHECK_EQ(vg_try_acquire(&s, 1), 0);
    CHECK_EQ(vg_semaphore_free(&s), 0);
    vg_release(&s, 1);
    vg_release(&s, 2);
    CHECK_EQ(vg_semaphore_free(&s), 3);
    vg_semaphore_fini(&s);
}

TEST(misuse_panics_by_name)
{
    struct vg_semaphore s;
    struct vg_acquire acquire;
    struct vg_permit permit;

    vg_semaphore_init(&s, "pool", 2);
    CHECK_STR(s.permits.resource.place->func, __func__);
    CHECK_PANICS("so many permits of semaphore pool are not taken: 1", vg_release(&s, 1));
    CHECK_EQ(vg_try_acquire(&s, 1), 0);
    CHECK_PANICS("1 permits of semaphore pool are out", vg_semaphore_fini(&s));
    CHECK_PANICS("so many permits of semaphore pool are not taken: 2", vg_release(&s, 2));
    CHECK_PANICS("no permits asked for of semaphore pool", CHECK_EQ(vg_try_acquire(&s, 0), 0));
    CHECK_PANICS("no permits asked for of semaphore pool", vg_release(&s, 0));
    CHECK_PANICS("no permits asked for", vg_acquire(&acquire, &s, 0));
    CHECK_PANICS("cannot have 0 permits", vg_semaphore_init(&s, "none", 0));
    CHECK_PANICS("cannot have", vg_semaphore_init(&s, "many", VG_SEMAPHORE_MAX + 1));
    CHECK_PANICS("has no permits", permit = vg_permit_take(vg_acquire(&acquire, &s, 1)));
    permit = (struct vg_permit){NULL, 0};
    vg_permit_release(&permit);
    vg_release(&s, 1);
    vg_semaphore_fini(&s);
}

TEST(destroying_a_semaphore_that_is_awaited_panics)
{
    struct hall h;

    hall_open(&h, 1, 2, true);
    CHECK_EQ(vg_try_acquire(&h.semaphore, 1), 0);
    HALL_ADD(&h, guest, 0, 2, 0, 0, 0);
    CHECK_EQ(hall_run(&h), -EDEADLK);
    CHECK_PANICS("1 futures wait for semaphore hall", vg_semaphore_fini(&h.semaphore));
    vg_release(&h.semaphore, 1);
    CHECK_PANICS("so many permits of semaphore hall are not taken",
                 vg_release(&h.semaphore, 1)); /* granted, not taken */
    CHECK_EQ(hall_run(&h), 0);
    hall_close(&h);
}

/* ---- permits as objects -------------------------------------------------------------------- */

struct bearer {
    VG_FRAME(int);
    struct hall *hall;
    struct vg_permit permit;
    struct vg_sleep nap;
};

VG_ASYNC(bearer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(20)));
    vg_permit_release(&f->permit);
    vg_permit_release(&f->permit); /* nothing is left in it */
    VG_RETURN(0);
}

static struct bearer *bearer(struct bearer *f, struct hall *hall, struct vg_permit permit)
{
    VG_SETUP(f, bearer);
    f->hall = hall;
    f->permit = permit;
    return f;
}

struct giver {
    VG_FRAME(int);
    struct hall *hall;
    struct vg_acquire acquire;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    struct vg_permit permit;
    VG_AWAIT(f->ret, vg_acquire(&f->acquire, &f->hall->semaphore, 2));
    permit = vg_permit_take(&f->acquire);
    HALL_ADD(f->hall, bearer, permit);
    CHECK_PANICS("has no permits", permit = vg_permit_take(&f->acquire));
    VG_RETURN(0);
}

static struct giver *giver(struct giver *f, struct hall *hall, int unused)
{
    (void)unused;
    VG_SETUP(f, giver);
    f->hall = hall;
    return f;
}

TEST(a_permit_is_handed_to_another_task_and_released_there)
{
    FOR_SEEDS (seed, 50) {
        struct hall h;
        hall_open(&h, seed, 2, true);
        HALL_ADD(&h, giver, 0);
        CHECK_EQ(hall_run(&h), 0);
        CHECK_EQ(world_ms(&h.world), 20);
        CHECK_EQ(h.count, 2);
        hall_close(&h);
    }
}
