/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "post.h"

/* Waits at `arrive` ms for one notification. */
struct waiter {
    VG_FRAME(int);
    struct post *post;
    int who;
    uint64_t arrive;
    struct vg_sleep nap;
    struct vg_notified notified;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->ret, vg_sleep_until(&f->nap, f->post->world.start + VG_MSEC(f->arrive)));
    VG_AWAIT(f->ret, vg_notified(&f->notified, &f->post->notifier));
    if (f->ret == 0)
        diary_note(&f->post->diary, f->who);
    VG_RETURN(f->ret);
}

static struct waiter *waiter(struct waiter *f, struct post *post, int who, uint64_t arrive)
{
    VG_SETUP(f, waiter);
    f->post = post;
    f->who = who;
    f->arrive = arrive;
    return f;
}

/* ---- one ----------------------------------------------------------------------------------- */

TEST(a_notification_that_nobody_waits_for_is_stored_once)
{
    FOR_SEEDS (seed, 50) {
        struct post p;
        post_open(&p, seed, true);
        vg_notify_one(&p.notifier);
        vg_notify_one(&p.notifier);
        POST_ADD(&p, waiter, 0, 0);
        CHECK_EQ(post_run(&p), 0);
        POST_ADD(&p, waiter, 1, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_notify_one(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK(!is_stored(&p));
        post_close(&p);
    }
}

TEST(each_notification_ends_one_wait_the_oldest_first)
{
    FOR_SEEDS (seed, 50) {
        struct post p;
        post_open(&p, seed, true);
        for (int i = 0; i < 4; i++)
            POST_ADD(&p, waiter, i, (uint64_t)i + 1);
        for (unsigned i = 0; i < 4; i++) {
            post_run_until(&p, 10 * (i + 1));
            CHECK_EQ(p.diary.count, i);
            vg_notify_one(&p.notifier);
        }
        CHECK_EQ(post_run(&p), 0);
        for (unsigned i = 0; i < 4; i++)
            CHECK_DIARY(&p.diary, i, (int)i, 10 * (i + 1));
        CHECK(!is_stored(&p));
        post_close(&p);
    }
}

/* Before either of them has run. */
TEST(two_notifications_in_a_row_end_two_waits)
{
    FOR_SEEDS (seed, 50) {
        struct post p;
        post_open(&p, seed, true);
        for (int i = 0; i < 2; i++)
            POST_ADD(&p, waiter, i, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_notify_one(&p.notifier);
        vg_notify_one(&p.notifier);
        CHECK(!is_stored(&p));
        CHECK_EQ(post_run(&p), 0);
        post_close(&p);
    }
}

/* ---- all ----------------------------------------------------------------------------------- */

TEST(all_who_wait_are_notified_and_nothing_is_stored)
{
    FOR_SEEDS (seed, 50) {
        struct post p;
        post_open(&p, seed, true);
        vg_notify_all(&p.notifier);
        CHECK(!is_stored(&p));
        for (int i = 0; i < 5; i++)
            POST_ADD(&p, waiter, i, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_notify_all(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(p.diary.count, 5);
        POST_ADD(&p, waiter, 5, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_notify_one(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        post_close(&p);
    }
}

TEST(to_notify_all_leaves_what_is_stored)
{
    struct post p;

    post_open(&p, 1, true);
    vg_notify_one(&p.notifier);
    vg_notify_all(&p.notifier);
    CHECK(is_stored(&p));
    post_close(&p);
}

/* ---- cancelled ----------------------------------------------------------------------------- */

TEST(a_wait_that_is_cancelled_when_notified_passes_it_on)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, waiter, 0, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        POST_ADD(&p, waiter, 1, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_task_cancel(&p.handle[0]);
        vg_notify_one(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(VG_TASK_RET(&p.handle[0], struct waiter), -ECANCELED);
        CHECK_EQ(p.diary.count, 1);
        CHECK(!is_stored(&p));
        post_close(&p);
    }
}

TEST(a_wait_that_is_cancelled_when_notified_stores_it_if_nobody_else_waits)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, waiter, 0, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_task_cancel(&p.handle[0]);
        vg_notify_one(&p.notifier);
        if (seed % 2)
            vg_notify_all(&p.notifier); /* which has nobody else to tell */
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(VG_TASK_RET(&p.handle[0], struct waiter), seed % 2 ? 0 : -ECANCELED);
        CHECK(is_stored(&p));
        post_close(&p);
    }
}

TEST(a_wait_that_is_cancelled_when_all_are_notified_has_been_notified)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, waiter, 0, 0);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_task_cancel(&p.handle[0]);
        vg_notify_all(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(VG_TASK_RET(&p.handle[0], struct waiter), 0);
        CHECK(!is_stored(&p));
        post_close(&p);
    }
}

/* ---- passed over --------------------------------------------------------------------------- */

/* Parks its wait after a millisecond, and comes back to it at `back`. */
struct parker {
    VG_FRAME(int);
    struct post *post;
    int who, rc;
    uint64_t back;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_notified notified;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_notified(&f->notified, &f->post->notifier)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->post->world.start + VG_MSEC(f->back)));
    VG_AWAIT(f->rc, &f->notified);
    if (f->rc == 0)
        diary_note(&f->post->diary, f->who);
    VG_RETURN(f->rc);
}

static struct parker *parker(struct parker *f, struct post *post, int who, uint64_t back)
{
    VG_SETUP(f, parker);
    f->post = post;
    f->who = who;
    f->back = back;
    return f;
}

TEST(a_notification_that_is_passed_over_goes_to_the_next_who_waits)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, parker, 0, 50);
        POST_ADD(&p, waiter, 1, 5);
        post_run_until(&p, 10);
        vg_notify_one(&p.notifier);
        post_run_until(&p, 20);
        CHECK_DIARY(&p.diary, 0, 1, 10);
        CHECK_EQ(post_run(&p), -EDEADLK);
        vg_notify_one(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK_DIARY(&p.diary, 1, 0, 50);
        post_close(&p);
    }
}

TEST(a_notification_that_is_passed_over_is_stored_for_whoever_comes_first)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, parker, 0, 50);
        post_run_until(&p, 10);
        vg_notify_one(&p.notifier);
        post_run_until(&p, 20);
        CHECK(is_stored(&p));
        if (seed % 2) {
            POST_ADD(&p, waiter, 1, 0);
            CHECK_EQ(post_run(&p), -EDEADLK);
            CHECK_EQ(p.diary.entry[0].who, 1);
            vg_notify_one(&p.notifier);
        }
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(world_ms(&p.world), 50);
        post_close(&p);
    }
}

/* With one stored already, the second stays where it is: neither may get lost. */
TEST(a_notification_that_has_nowhere_to_go_stays_with_its_waiter)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, parker, 0, 50);
        post_run_until(&p, 10);
        vg_notify_one(&p.notifier);
        vg_notify_one(&p.notifier);
        post_run_until(&p, 20);
        CHECK(is_stored(&p));
        CHECK_EQ(p.notifier.permits.waiters.granted, 1);
        POST_ADD(&p, waiter, 1, 0);
        CHECK_EQ(post_run(&p), 0);
        CHECK_EQ(p.diary.count, 2);
        CHECK(!is_stored(&p));
        post_close(&p);
    }
}

TEST(what_all_were_told_is_not_taken_back)
{
    FOR_SEEDS (seed, 100) {
        struct post p;
        post_open(&p, seed, true);
        POST_ADD(&p, parker, 0, 50);
        POST_ADD(&p, waiter, 1, 5);
        post_run_until(&p, 10);
        if (seed % 2)
            vg_notify_one(&p.notifier); /* for the parker, which is then told twice */
        vg_notify_all(&p.notifier);
        CHECK_EQ(post_run(&p), 0);
        CHECK_DIARY(&p.diary, 0, 1, 10);
        CHECK_DIARY(&p.diary, 1, 0, 50);
        CHECK_EQ(is_stored(&p), seed % 2);
        post_close(&p);
    }
}

/* ---- misuse -------------------------------------------------------------------------------- */

TEST(destroying_a_notifier_that_somebody_waits_for_panics)
{
    static struct vg_notifier named = VG_NOTIFIER_INIT_NAMED("named");
    struct post p;

    CHECK_STR(named.permits.resource.name, "named");
    vg_notifier_fini(&named);
    post_open(&p, 1, true);
    CHECK_STR(p.notifier.permits.resource.place->func, "post_open");
    POST_ADD(&p, waiter, 0, 0);
    CHECK_EQ(post_run(&p), -EDEADLK);
    CHECK_PANICS("1 futures wait for notifier post", vg_notifier_fini(&p.notifier));
    vg_notify_one(&p.notifier);
    CHECK_PANICS("1 futures wait for notifier post", vg_notifier_fini(&p.notifier));
    CHECK_EQ(post_run(&p), 0);
    post_close(&p);
}
