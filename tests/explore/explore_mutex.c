/* SPDX-License-Identifier: MIT */
/*
 * The mutex with its revocable grants, polled by the library's own code. Nobody is locked out for ever, nobody
 * gets in beside the owner, and whoever completed a lock may destroy the mutex although the unlock
 * that handed it over has not returned.
 */
#include <string.h>

#include <vigil/mutex.h>

#include "world.h"

/* A task that wants the lock once. It is opaque to the library, so it may poll what it likes and pass over
 * a lock that was granted. */
struct user {
    struct vg_future fut;
    struct vg_lock lock;
    struct world_event event, last;
    int polls;
    bool passes;   /* leaves the lock alone from its second poll until the event has happened */
    bool spurious; /* waits for the event too, so that it is polled without need */
    bool cancels;  /* gives up in its second poll */
    bool destroys; /* the mutex, after its turn */
    bool lingers;  /* until the last event, after its turn */
    struct user *tells; /* whose event happens after its turn */
    bool had_turn;
};

static struct world_task tasks[2];
static struct user users[2];
static struct vg_mutex mutex;
static int guarded; /* by the mutex */
static int inside;  /* by the model only, as is: */
static bool is_destroyed;

static void enter(void)
{
    VG_WR(&guarded);
    guarded++;
    MC_ASSERT(inside++ == 0);
}

static void leave(void)
{
    inside--;
    vg_unlock(&mutex);
}

static void destroy(struct user *user)
{
    is_destroyed = true;
    vg_mutex_fini(&mutex);
    mc_free(&mutex, sizeof mutex);
    mc_free(&user->lock, sizeof user->lock);
}

/* The lock is ours. */
static void turn(struct user *user)
{
    enter();
    leave();
    if (user->destroys)
        destroy(user);
}

static void give_up(struct user *user, struct vg_cx *cx)
{
    vg_cancel(&user->lock.fut, cx);
    MC_ASSERT(vg_poll_future(&user->lock.fut, cx).ready);
    user->had_turn = true;
    if (user->lock.ret == 0 || vg_trylock(&mutex))
        turn(user);
}

static void try(struct user *user, struct vg_cx *cx)
{
    if (user->cancels && user->polls > 1) {
        give_up(user, cx);
    } else if (vg_poll_future(&user->lock.fut, cx).ready) {
        user->had_turn = true;
        turn(user);
    }
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    user->polls++;
    if (user->passes || user->spurious)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (!user->had_turn && !(user->passes && user->polls > 1 && !happened))
        try(user, cx);
    if (!user->had_turn || !happened)
        return VG_PENDING;
    if (user->lingers && !vg_poll_future(&user->last.fut, cx).ready)
        return VG_PENDING;
    if (user->tells)
        world_happen(&user->tells->event);
    return VG_READY;
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

/* The mutex belongs to a thread outside, to begin with. */
static void init(struct user first)
{
    world_init();
    vg_mutex_init_at(&mutex, "mutex", NULL);
    MC_ASSERT(vg_trylock(&mutex));
    inside = 1;
    is_destroyed = false;
    users[0] = first;
    vg_future_init(&users[0].fut, &user_ops);
    vg_lock(&users[0].lock, &mutex);
    world_event(&users[0].event);
    world_event(&users[0].last);
    world_spawn(&tasks[0], &users[0].fut);
}

static void init_second(struct user second)
{
    users[1] = second;
    vg_future_init(&users[1].fut, &user_ops);
    vg_lock(&users[1].lock, &mutex);
    world_event(&users[1].event);
    world_spawn(&tasks[1], &users[1].fut);
}

static void try_and_leave(void)
{
    if (vg_trylock(&mutex)) {
        enter();
        leave();
    }
}

static void all_had_turns(void)
{
    MC_ASSERT(tasks[0].over);
    MC_ASSERT(inside == 0);
    if (!is_destroyed)
        MC_ASSERT(vg_load(&mutex.permits.word, relaxed) == 1 << 1);
}

/* ---- 1: an unlock elsewhere, a poll without need, the end of mutex and frame ---------------------- */

static void init_destroyed(void)
{
    init((struct user){.spurious = true, .destroys = true});
}

static void destroyed(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        leave();
    else
        world_happen(&users[0].event);
}
MC_MODEL(mutex_destroyed_by_next_owner, .threads = 3, .init = init_destroyed, .thread = destroyed,
         .final = all_had_turns);

/* ---- 2: an unlock against the cancel of the last waiter ------------------------------------------- */

/* Once cancelled it tries the fast way; if it gets in, it is the owner and may destroy. */
static void init_cancelled(void)
{
    init((struct user){.spurious = true, .cancels = true, .destroys = true});
}
MC_MODEL(mutex_last_waiter_cancels, .threads = 3, .init = init_cancelled, .thread = destroyed,
         .final = all_had_turns);

/* What was pushed on the task meanwhile must not be found there by its later polls. */
static void init_lingers(void)
{
    init((struct user){.spurious = true, .cancels = true, .destroys = true, .lingers = true});
}

static void lingers(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else if (id == 1) {
        leave();
    } else {
        world_happen(&users[0].event);
        world_happen(&users[0].last);
    }
}
MC_MODEL(mutex_cancelled_task_lingers, .threads = 3, .init = init_lingers, .thread = lingers,
         .final = all_had_turns);

/* ---- 3: one task passes its grant over, and one on another worker takes it ------------------------ */

static void init_passed_on(void)
{
    init((struct user){.passes = true});
    init_second((struct user){.tells = &users[0]});
}

static void passed_on(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        leave();
}

static void both_had_turns(void)
{
    all_had_turns();
    MC_ASSERT(tasks[1].over);
}
MC_MODEL(mutex_passed_on, .threads = 3, .init = init_passed_on, .thread = passed_on,
         .final = both_had_turns);

/* ---- 4: a grant is taken back and nobody else waits, so a newcomer may have it -------------------- */

static void init_passed(void)
{
    init((struct user){.passes = true});
}

static void passed_to_newcomer(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else {
        leave();
        try_and_leave();
        world_happen(&users[0].event);
    }
}
MC_MODEL(mutex_passed_to_newcomer, .threads = 2, .init = init_passed, .thread = passed_to_newcomer,
         .final = all_had_turns);

static void newcomer_beside(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else if (id == 1) {
        leave();
        world_happen(&users[0].event);
    } else {
        try_and_leave();
    }
}
MC_MODEL(mutex_newcomer_beside, .threads = 3, .init = init_passed, .thread = newcomer_beside,
         .final = all_had_turns);

/* ---- 5: two workers poll the task in turn; one passes over, the other takes ----------------------- */

static void migrating(int id)
{
    if (id < 2) {
        world_work(id, &tasks[0]);
    } else {
        leave();
        world_happen(&users[0].event);
    }
}
MC_MODEL(mutex_migrating, .threads = 3, .init = init_passed, .thread = migrating,
         .final = all_had_turns);

/* ---- 6: the first poll queues while the lock becomes free ----------------------------------------- */

static void init_first_poll(void)
{
    init((struct user){.polls = 0});
}

static void first_poll(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        leave();
    else
        try_and_leave();
}
MC_MODEL(mutex_first_poll, .threads = 3, .init = init_first_poll, .thread = first_poll,
         .final = all_had_turns);

/* ---- two that wait, in the order of their first polls ---------------------------------------------- */

static void init_two_wait(void)
{
    init((struct user){.polls = 0});
    init_second((struct user){.polls = 0});
}
MC_MODEL(mutex_two_wait, .threads = 3, .init = init_two_wait, .thread = passed_on,
         .final = both_had_turns);
