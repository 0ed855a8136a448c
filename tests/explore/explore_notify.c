/* SPDX-License-Identifier: MIT */
/*
 * The notifier: a notification ends a wait, is stored, or goes on; what was written before it is seen after it.
 */
#include <errno.h>
#include <string.h>

#include <vigil/notify.h>

#include "world.h"

/* A task that waits until enough has happened, or until it is told to give up. */
struct user {
    struct vg_future fut;
    struct vg_notified notified;
    bool waiting;
    int enough;    /* of `signals` */
    bool gives_up; /* when the event has happened */
    bool passes;   /* leaves its wait alone from its second poll until the event has happened */
    bool tells;    /* somebody else, when it has been notified, and its event */
    bool frees;    /* its wait, when that has ended */
    struct user *other;
    struct world_event event;
    int polls, result;
};

enum { LATER = 77 };

static struct world_task tasks[2];
static struct user users[2];
static struct vg_notifier notifier;
static VG_ATOMIC(int) signals[2];
static int guarded; /* written before the notification, read after it */

static int count(void)
{
    return vg_load(&signals[0], relaxed) + vg_load(&signals[1], relaxed);
}

/* Waits again and again: true when it need not any more. */
static bool wait(struct user *user, bool happened, struct vg_cx *cx)
{
    for (;;) {
        if (!user->waiting && user->enough > 0 && count() >= user->enough) {
            user->result = 0;
            return true;
        }
        if (!user->waiting)
            vg_notified(&user->notified, &notifier);
        user->waiting = true;
        if (user->gives_up && happened)
            vg_cancel(&user->notified.fut, cx);
        if (!vg_poll_future(&user->notified.fut, cx).ready)
            return false;
        user->waiting = false;
        if (user->enough > 0)
            continue;
        user->result = user->notified.ret;
        if (user->frees)
            mc_free(&user->notified, sizeof user->notified);
        if (user->passes)
            vg_notify_one(&notifier); /* it needed nothing, and the other one waits */
        return true;
    }
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    user->polls++;
    if (user->gives_up || user->passes)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (user->result == LATER && !(user->passes && user->polls > 1 && !happened))
        if (!wait(user, happened, cx))
            return VG_PENDING;
    if (!happened || user->result == LATER)
        return VG_PENDING;
    if (user->tells && user->result == 0) {
        vg_notify_one(&notifier);
        if (user->other)
            world_happen(&user->other->event);
    }
    return VG_READY;
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init(struct user first)
{
    world_init();
    vg_notifier_init_at(&notifier, "notifier", NULL);
    vg_store(&signals[0], 0, relaxed);
    vg_store(&signals[1], 0, relaxed);
    users[0] = first;
    users[0].result = LATER;
    vg_future_init(&users[0].fut, &user_ops);
    world_event(&users[0].event);
    world_spawn(&tasks[0], &users[0].fut);
}

static void init_second(struct user second)
{
    users[1] = second;
    users[1].result = LATER;
    vg_future_init(&users[1].fut, &user_ops);
    world_event(&users[1].event);
    world_spawn(&tasks[1], &users[1].fut);
}

static void first_is_over(void)
{
    MC_ASSERT(tasks[0].over);
}

static void both_are_over(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
}

/* ---- one who waits, one who notifies ----------------------------------------------------------- */

static vg_poll reader_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;

    if (!vg_poll_future(&user->notified.fut, cx).ready)
        return VG_PENDING;
    VG_RD(&guarded);
    MC_ASSERT(guarded == 1);
    mc_free(&user->notified, sizeof user->notified);
    return VG_READY;
}

static const struct vg_ops reader_ops = {
    .poll = reader_poll, .name = "reader", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init_reader(void)
{
    world_init();
    vg_notifier_init_at(&notifier, "notifier", NULL);
    guarded = 0;
    vg_future_init(&users[0].fut, &reader_ops);
    vg_notified(&users[0].notified, &notifier);
    world_spawn(&tasks[0], &users[0].fut);
}

static void reader(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else {
        VG_WR(&guarded);
        guarded = 1;
        vg_notify_one(&notifier);
    }
}
MC_MODEL(notify_one_reader, .threads = 2, .init = init_reader, .thread = reader,
         .final = first_is_over);

/* ---- two who notify, and the second adds nothing to the first --------------------------------- */

static void init_two_signals(void)
{
    init((struct user){.enough = 2});
}

static void two_signals(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else {
        vg_store(&signals[id - 1], 1, relaxed);
        vg_notify_one(&notifier);
    }
}
MC_MODEL(notify_two_signals, .threads = 3, .init = init_two_signals, .thread = two_signals,
         .final = first_is_over);

/* ---- two who wait; each tells the other ------------------------------------------------------ */

static void init_chain(void)
{
    init((struct user){.tells = true});
    init_second((struct user){.tells = true});
}

static void chain(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        vg_notify_one(&notifier);
}
MC_MODEL(notify_chain, .threads = 3, .init = init_chain, .thread = chain, .final = both_are_over);

/* ---- a cancel against the notification ---------------------------------------------------------- */

static void init_cancelled(void)
{
    init((struct user){.gives_up = true, .tells = true});
    init_second((struct user){.enough = 0});
}

static void cancelled(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        world_happen(&users[0].event);
        vg_notify_one(&notifier);
    }
}
MC_MODEL(notify_cancelled, .threads = 3, .init = init_cancelled, .thread = cancelled,
         .final = both_are_over);

/* ---- passed over: the other one gets it, and lets the first one come back --------------------- */

static void init_passed_on(void)
{
    init((struct user){.passes = true});
    init_second((struct user){.tells = true, .other = &users[0]});
}
MC_MODEL(notify_passed_on, .threads = 3, .init = init_passed_on, .thread = chain,
         .final = both_are_over);

/* ---- all are told, while they come and give up ------------------------------------------------- */

static void init_all(void)
{
    init((struct user){.gives_up = true, .frees = true});
    init_second((struct user){.gives_up = true, .frees = true});
}

static void all(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        vg_notify_all(&notifier);
        world_happen(&users[0].event);
        world_happen(&users[1].event);
    }
}

static void all_are_over_and_nothing_is_stored(void)
{
    both_are_over();
    MC_ASSERT(vg_load(&notifier.permits.word, relaxed) == 0);
}
MC_MODEL(notify_all_who_come_and_go, .threads = 3, .init = init_all, .thread = all,
         .final = all_are_over_and_nothing_is_stored);
