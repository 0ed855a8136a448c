/* SPDX-License-Identifier: MIT */
/*
 * The condition variable with its mutex: tasks that take items under the mutex and wait for one while there is none, and one
 * that brings them. No signal is missed between the look and the wait, or lost in a cancel.
 */
#include <errno.h>
#include <string.h>

#include <vigil/cond.h>

#include "world.h"

enum step { LOCKING, WAITING, OVER };

struct user {
    struct vg_future fut;
    enum step step;
    bool brings;    /* an item, instead of taking one */
    bool broadcast; /* to all */
    bool gives_up;  /* when the event has happened */
    bool took, gave_up;
    struct world_event event;
    struct vg_lock lock;
    struct vg_cond_wait wait;
};

static struct world_task tasks[3];
static struct user users[3];
static struct vg_mutex mutex;
static struct vg_cond cond;
static int items; /* under the mutex */
static int inside;

/* The mutex is ours, and stays so until the caller unlocks it: false, when it has to wait. */
static bool look(struct user *user, bool happened)
{
    VG_WR(&items);
    MC_ASSERT(inside++ == 0);
    if (user->brings) {
        items++;
    } else if (items > 0) {
        items--;
        user->took = true;
    } else if (user->gives_up && happened) {
        user->gave_up = true;
    } else {
        inside--;
        return false;
    }
    inside--;
    return true;
}

static void finish(struct user *user)
{
    user->step = OVER;
    if (user->brings && user->broadcast)
        vg_cond_broadcast(&cond);
    else if (user->brings)
        vg_cond_signal(&cond);
    vg_unlock(&mutex);
}

static bool go_on(struct user *user, bool happened, struct vg_cx *cx)
{
    if (user->step == LOCKING && !vg_poll_future(&user->lock.fut, cx).ready)
        return false;
    for (;;) {
        if (user->step == WAITING) {
            if (user->gives_up && happened)
                vg_cancel(&user->wait.fut, cx);
            if (!vg_poll_future(&user->wait.fut, cx).ready)
                return false;
        }
        if (look(user, happened)) {
            finish(user);
            return true;
        }
        vg_cond_wait(&user->wait, &cond, &mutex);
        user->step = WAITING;
    }
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    if (user->gives_up)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    return (vg_poll){(user->step == OVER || go_on(user, happened, cx)) && happened};
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init(void)
{
    world_init();
    vg_mutex_init_at(&mutex, "mutex", NULL);
    vg_cond_init_at(&cond, "cond", NULL);
    items = inside = 0;
}

static void init_user(int i, struct user user)
{
    users[i] = user;
    vg_future_init(&users[i].fut, &user_ops);
    vg_lock(&users[i].lock, &mutex);
    world_event(&users[i].event);
    world_spawn(&tasks[i], &users[i].fut);
}

static void work(int id)
{
    world_work(id, &tasks[id]);
}

static void all_over(int count)
{
    for (int i = 0; i < count; i++)
        MC_ASSERT(tasks[i].over);
    MC_ASSERT(vg_trylock(&mutex));
    vg_cond_fini(&cond);
}

/* ---- one item --------------------------------------------------------------------------------- */

static void init_one(void)
{
    init();
    init_user(0, (struct user){.took = false});
    init_user(1, (struct user){.brings = true});
}

static void one_taken(void)
{
    all_over(2);
    MC_ASSERT(users[0].took && items == 0);
}
MC_MODEL(cond_one_item, .threads = 2, .init = init_one, .thread = work, .final = one_taken);

/* ---- one item, and one who may give up: then the other one gets it ------------------------------ */

static void init_gives_up(void)
{
    init();
    init_user(0, (struct user){.gives_up = true});
    init_user(1, (struct user){.brings = true});
}

static void gives_up(int id)
{
    if (id < 2)
        work(id);
    else
        world_happen(&users[0].event);
}

static void taken_or_left(void)
{
    all_over(2);
    MC_ASSERT(users[0].took != users[0].gave_up && items == users[0].gave_up);
}
MC_MODEL(cond_taker_gives_up, .threads = 3, .init = init_gives_up, .thread = gives_up,
         .final = taken_or_left);

/* The event happens and the item comes in one go, while both wait: the signal may choose the one that leaves. */
static void init_passes_on(void)
{
    init();
    init_user(0, (struct user){.gives_up = true});
    init_user(1, (struct user){.took = false});
}

static void passes_on(int id)
{
    if (id < 2) {
        work(id);
        return;
    }
    world_happen(&users[0].event);
    while (!vg_trylock(&mutex))
        vg_pause();
    VG_WR(&items);
    items = 2;
    vg_cond_signal(&cond);
    vg_unlock(&mutex);
}

static void both_satisfied(void)
{
    all_over(2);
    MC_ASSERT(users[1].took && users[0].took != users[0].gave_up);
}
MC_MODEL(cond_signal_passes_on, .threads = 3, .init = init_passes_on, .thread = passes_on,
         .final = both_satisfied);

/* ---- all are told --------------------------------------------------------------------------------- */

static void init_broadcast(void)
{
    init();
    items = 1;
    init_user(0, (struct user){.took = false});
    init_user(1, (struct user){.took = false});
    init_user(2, (struct user){.brings = true, .broadcast = true});
}

static void all_taken(void)
{
    all_over(3);
    MC_ASSERT(items == 0);
}
MC_MODEL(cond_broadcast, .threads = 3, .init = init_broadcast, .thread = work, .final = all_taken);
