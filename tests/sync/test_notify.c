/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "task.h"
#include "world.h"

enum { WAITERS_MAX = 8 };

struct post {
    struct world world;
    struct vg_notifier notifier;
    struct diary diary;
    unsigned count;
    struct vg_handle handle[WAITERS_MAX];
};

static void post_open(struct post *post, uint64_t seed, bool healing)
{
    world_open(&post->world, seed, 1 + (unsigned)(seed % 4), healing);
    vg_notifier_init(&post->notifier, "post");
    post->diary = (struct diary){.world = &post->world};
    post->count = 0;
}

static bool post_done(void *arg)
{
    const struct post *post = arg;

    for (unsigned i = 0; i < post->count; i++)
        if (!vg_task_done(&post->handle[i]))
            return false;
    return true;
}

static int post_run(struct post *post)
{
    return sim_run(&post->world.sim, post->world.exec, post_done, post, VG_SEC(10));
}

static void post_run_until(struct post *post, uint64_t ms)
{
    world_run_until(&post->world, ms);
}

static void post_close(struct post *post)
{
    for (unsigned i = 0; i < post->count; i++)
        vg_task_release(&post->handle[i]);
    world_close(&post->world);
    vg_notifier_fini(&post->notifier);
}

static bool is_stored(const struct post *post)
{
    return vg_load(&post->notifier.permits.word, relaxed) >> 1 == 1;
}

#define POST_ADD(post, kind, ...)                                                                  \
    CHECK_EQ(                                                                                      \
        VG_SPAWN((post)->world.exec, &(post)->handle[(post)->count++], kind, (post), __VA_ARGS__), \
        0)

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

/* ---- at random ----------------------------------------------------------------------------- */

enum { ROUNDS = 20 };

/* Waits, gives up now and then, keeps or parks the wait, until it has been notified often enough. */
struct listener {
    VG_FRAME(int);
    struct post *post;
    int rc, arm;
    unsigned *heard, left;
    VG_ARMS(2) sel;
    struct vg_notified notified;
    struct vg_sleep nap;
};

static struct vg_arm listen_arm(struct listener *f)
{
    vg_notified(&f->notified, &f->post->notifier);
    switch (sim_below(&f->post->world.sim, 3)) {
    case 0:
        return VG_CANCEL(&f->notified);
    case 1:
        return VG_KEEP(&f->notified);
    default:
        return VG_PARK(&f->notified);
    }
}

static struct vg_sleep *doze(struct listener *f)
{
    return vg_sleep(&f->nap, VG_MSEC(sim_below(&f->post->world.sim, 6)));
}

VG_ASYNC(listener)
{
    VG_BEGIN(f);
    while (f->left > 0) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, listen_arm(f), VG_CANCEL(doze(f))));
        VG_AWAIT(f->rc, doze(f));
        if (vg_started(&f->notified.fut) && sim_chance(&f->post->world.sim, 500))
            VG_AWAIT(f->rc, &f->notified);
        else
            VG_AWAIT_CANCEL(f->rc, &f->notified);
        if (f->rc == 0) {
            f->left--;
            ++*f->heard;
        }
    }
    VG_RETURN(0);
}

static struct listener *listener(struct listener *f, struct post *post, unsigned *heard)
{
    VG_SETUP(f, listener);
    f->post = post;
    f->heard = heard;
    f->left = ROUNDS;
    return f;
}

struct sender {
    struct post *post;
    unsigned sent, heard;
};

/* Between two steps. */
static bool send_now_and_then(void *arg)
{
    struct sender *sender = arg;
    struct post *post = sender->post;
    const struct vg_waitlist *list = &post->notifier.permits.waiters;
    const struct vg_wait_entry *next = list->first;

    while (next && (next->state != 1 || next->marks & 2)) /* queued, and not passed over */
        next = next->next;
    CHECK(!next || !is_stored(post));
    CHECK(sender->heard + list->granted + is_stored(post) <= sender->sent);
    if (sim_chance(&post->world.sim, 100)) {
        vg_notify_one(&post->notifier);
        sender->sent++;
    }
    return post_done(post);
}

/* A lost one would leave its listener waiting for ever: in the end time stands still, and with it the sender. */
TEST(every_wait_is_answered_as_long_as_notifications_come)
{
    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 300) {
        struct post p;
        struct sender sender = {.post = &p};
        post_open(&p, seed, seed % 3 != 0);
        for (int i = 0; i < WAITERS_MAX; i++)
            POST_ADD(&p, listener, &sender.heard);
        while (sim_run(&p.world.sim, p.world.exec, send_now_and_then, &sender, VG_SEC(100)) < 0) {
            CHECK(!is_stored(&p)); /* everybody waits, and nothing was left for them */
            vg_notify_one(&p.notifier);
            sender.sent++;
        }
        CHECK_EQ(sender.heard, WAITERS_MAX * ROUNDS);
        post_close(&p);
    }
}
