/* SPDX-License-Identifier: MIT */
#include <vigil/broadcast.h>
#include <vigil/notify.h>
#include <vigil/oneshot.h>
#include <vigil/semaphore.h>
#include <vigil/watch.h>

#include "task.h"
#include "world.h"

/*
 * The awaits that try first: VG_ONESHOT_RECV, VG_BROADCAST_RECV, VG_WATCH_CHANGED, VG_ACQUIRE, VG_NOTIFIED. Each finds what is
 * there, waits for what is not, and fails in a cancelled frame, where it takes nothing.
 */

enum { SLOTS = 4 };

static struct things {
    struct vg_oneshot oneshot;
    struct vg_broadcast channel;
    struct vg_subscription subscription;
    struct vg_watch watch;
    struct vg_semaphore semaphore;
    struct vg_notifier notifier;
    uint64_t seen;
    int slots[SLOTS], current;
} things;

static void open_things(void)
{
    things.current = 0;
    vg_oneshot_init(&things.oneshot, "oneshot");
    vg_broadcast_init(&things.channel, "channel", things.slots, SLOTS);
    vg_broadcast_subscribe(&things.subscription, &things.channel);
    vg_watch_init(&things.watch, "watch", &things.current);
    things.seen = vg_watch_get(&things.watch, NULL);
    vg_semaphore_init(&things.semaphore, "semaphore", 1);
    CHECK_EQ(vg_try_acquire(&things.semaphore, 1), 0);
    vg_notifier_init(&things.notifier, "notifier");
}

/* What the others wait for. */
static void provide(int value)
{
    CHECK_EQ(vg_oneshot_send(&things.oneshot, &things), 0);
    CHECK_EQ(vg_broadcast_send(&things.channel, &value), 0);
    CHECK_EQ(vg_watch_set(&things.watch, &value), 0);
    vg_release(&things.semaphore, 1);
    vg_notify_one(&things.notifier);
}

/* Awaits one after another. */
struct taker {
    VG_FRAME(int);
    int rc[5], first, second;
    bool cancelled;
    struct vg_forever forever;
    struct vg_oneshot_recv recv;
    struct vg_broadcast_recv receive;
    struct vg_watch_changed changed;
    struct vg_acquire acquire;
    struct vg_notified notified;
};

VG_ASYNC(taker)
{
    VG_BEGIN(f);
    if (f->cancelled) {
        VG_AWAIT(f->first, vg_forever(&f->forever));
        CHECK_EQ(f->first, -ECANCELED);
    }
    VG_ONESHOT_RECV(f->rc[0], &f->recv, &things.oneshot);
    VG_BROADCAST_RECV(f->rc[1], &f->receive, &things.subscription, &f->first);
    VG_WATCH_CHANGED(f->rc[2], &f->changed, &things.watch, &things.seen, &f->second);
    VG_ACQUIRE(f->rc[3], &f->acquire, &things.semaphore, 1);
    VG_NOTIFIED(f->rc[4], &f->notified, &things.notifier);
    VG_RETURN(0);
}

static struct taker *taker(struct taker *f, bool cancelled)
{
    VG_SETUP(f, taker);
    f->cancelled = cancelled;
    f->recv.value = NULL;
    f->first = f->second = 0;
    for (unsigned i = 0; i < 5; i++)
        f->rc[i] = 1;
    return f;
}

static bool is_done(void *arg)
{
    return vg_task_done(arg);
}

/* Runs one; provides before, or once it waits, or never, and cancels it. */
static struct taker run(int before, int later, bool cancelled)
{
    struct vg_handle handle;
    struct world world;
    struct taker result;

    world_open(&world, 1, 1, true);
    open_things();
    if (before != 0)
        provide(before);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, taker, cancelled), 0);
    if (later != 0 || cancelled) {
        CHECK(sim_run(&world.sim, world.exec, is_done, &handle, VG_MSEC(1)) != 0);
        if (later != 0)
            provide(later);
        else
            vg_task_cancel(&handle);
    }
    CHECK_EQ(sim_run(&world.sim, world.exec, is_done, &handle, VG_SEC(1)), 0);
    memcpy(&result, vg_task_frame(&handle), sizeof result);
    vg_task_release(&handle);
    world_close(&world);
    return result;
}

static void check_taken(const struct taker *taker, int value)
{
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(taker->rc[i], 0);
    CHECK(taker->recv.value == &things);
    CHECK_EQ(taker->first, value);
    CHECK_EQ(taker->second, value);
}

/* Nothing is left to be had. */
static void check_used_up(void)
{
    void *value = &things;
    int number;

    CHECK_EQ(vg_oneshot_try_recv(&things.oneshot, &value), -EPIPE);
    CHECK(value == NULL);
    CHECK_EQ(vg_broadcast_try_recv(&things.subscription, &number), -EAGAIN);
    CHECK_EQ(vg_watch_try_changed(&things.watch, &things.seen, &number), -EAGAIN);
    CHECK_EQ(vg_try_acquire(&things.semaphore, 1), -EAGAIN);
    CHECK_EQ(vg_try_notified(&things.notifier), -EAGAIN);
}

TEST(what_is_there_is_taken_without_a_future)
{
    const struct taker taker = run(7, 0, false);

    check_taken(&taker, 7);
    check_used_up();
}

TEST(what_is_not_there_is_waited_for)
{
    const struct taker taker = run(0, 9, false);

    check_taken(&taker, 9);
    check_used_up();
}

TEST(a_cancelled_frame_takes_nothing)
{
    const struct taker taker = run(5, 0, true);
    void *value;
    int number;

    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(taker.rc[i], -ECANCELED);
    CHECK_EQ(vg_oneshot_try_recv(&things.oneshot, &value), 0);
    CHECK(value == &things);
    CHECK_EQ(vg_broadcast_try_recv(&things.subscription, &number), 0);
    CHECK_EQ(vg_watch_try_changed(&things.watch, &things.seen, &number), 0);
    CHECK_EQ(vg_try_acquire(&things.semaphore, 1), 0);
    CHECK_EQ(vg_try_notified(&things.notifier), 0);
    check_used_up();
}

TEST(what_was_closed_says_so)
{
    void *value = &things;
    int number;

    open_things();
    CHECK_EQ(vg_oneshot_try_recv(&things.oneshot, &value), -EAGAIN);
    CHECK(value == NULL);
    vg_oneshot_close(&things.oneshot);
    vg_watch_close(&things.watch);
    CHECK_EQ(vg_oneshot_try_recv(&things.oneshot, &value), -EPIPE);
    CHECK_EQ(vg_watch_try_changed(&things.watch, &things.seen, &number), -EPIPE);
}

TEST(the_last_change_before_the_end_is_seen)
{
    int number = 0;

    open_things();
    CHECK_EQ(vg_watch_set(&things.watch, &(int){3}), 0);
    vg_watch_close(&things.watch);
    CHECK_EQ(vg_watch_try_changed(&things.watch, &things.seen, &number), 0);
    CHECK_EQ(number, 3);
    CHECK_EQ(vg_watch_try_changed(&things.watch, &things.seen, &number), -EPIPE);
}
