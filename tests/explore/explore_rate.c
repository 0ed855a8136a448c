/* SPDX-License-Identifier: MIT */
/*
 * The rate limiter: one at the head sleeps until its tokens are there, the others wait for the turn. No more tokens are taken
 * than there are, and nobody is left waiting, whoever gives up.
 */
#include <errno.h>
#include <string.h>

#include <vigil/rate.h>

#include "world.h"

enum { INTERVAL = 10, LATER = 77 };

struct user {
    struct vg_future fut;
    bool gives_up; /* when the event has happened */
    struct world_event event;
    struct vg_rate_acquire acquire;
    int result;
};

static struct world_task tasks[2];
static struct user users[2];
static struct vg_rate rate;
static int taken, users_left; /* by the model only */

/* ---- time: goes on when somebody sleeps ---------------------------------------------------------- */

static uint64_t now; /* by the model only, like `napping` */
static struct vg_sleep *napping;
static struct vg_spin guard;
static struct mc_bell clock_bell;

uint64_t vg_now(void)
{
    return now;
}

static vg_poll nap_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sleep *nap = (struct vg_sleep *)(void *)fut;
    bool over;

    vg_spin_lock(&guard);
    over = nap->deadline <= now || vg_cancelled(fut);
    MC_ASSERT(over || napping == NULL || napping == nap);
    if (!over && !(nap->waiter.flags & VG_W_ARMED))
        vg_arm(&nap->waiter, fut, cx);
    napping = over ? NULL : nap;
    vg_spin_unlock(&guard);
    if (!over) {
        mc_bell_ring(&clock_bell);
        return VG_PENDING;
    }
    vg_disarm(&nap->waiter, cx);
    nap->ret = nap->deadline <= now ? 0 : -ECANCELED;
    return VG_READY;
}

static void nap_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_spin_lock(&guard);
    napping = NULL;
    vg_spin_unlock(&guard);
    vg_kick(&((struct vg_sleep *)(void *)fut)->waiter, cx);
}

static const struct vg_ops nap_ops = {.poll = nap_poll,
                                      .cancel = nap_cancel,
                                      .name = "nap",
                                      .size = sizeof(struct vg_sleep),
                                      .kind = VG_KIND_LEAF};

struct vg_sleep *vg_sleep_until(struct vg_sleep *nap, uint64_t deadline)
{
    memset(nap, 0, sizeof *nap);
    vg_future_init(&nap->fut, &nap_ops);
    nap->deadline = deadline;
    return nap;
}

static void let_time_pass(void)
{
    struct vg_notice notice = {NULL};

    vg_spin_lock(&guard);
    if (napping != NULL) {
        now = napping->deadline;
        notice = vg_wake(&napping->waiter);
        napping = NULL;
    }
    vg_spin_unlock(&guard);
    vg_notify(notice);
}

static void keep_time(void)
{
    while (users_left > 0) {
        mc_bell_wait(&clock_bell);
        let_time_pass();
    }
}

/* ---- users --------------------------------------------------------------------------------------- */

static void count_token(void)
{
    taken++;
    MC_ASSERT(taken <= 1 + (int)(now / INTERVAL));
}

static void try(struct user *user, bool happened, struct vg_cx *cx)
{
    if (user->gives_up && happened)
        vg_cancel(&user->acquire.fut, cx);
    if (!vg_poll_future(&user->acquire.fut, cx).ready)
        return;
    user->result = user->acquire.ret;
    if (user->result == 0)
        count_token();
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    if (user->gives_up)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (user->result == LATER)
        try(user, happened, cx);
    if (user->result == LATER || !happened)
        return VG_PENDING;
    users_left--;
    mc_bell_ring(&clock_bell);
    return VG_READY;
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init_user(int i, bool gives_up)
{
    struct user *user = &users[i];

    memset(user, 0, sizeof *user);
    user->gives_up = gives_up;
    user->result = LATER;
    vg_future_init(&user->fut, &user_ops);
    vg_rate_acquire(&user->acquire, &rate, 1);
    world_event(&user->event);
    world_spawn(&tasks[i], &user->fut);
    users_left++;
}

static void init(void)
{
    world_init();
    now = 1;
    napping = NULL;
    taken = users_left = 0;
    memset(&guard, 0, sizeof guard);
    vg_rate_init_at(&rate, "rate", INTERVAL, 1, NULL);
}

/* ---- two of them, one token -------------------------------------------------------------------- */

static void init_two(void)
{
    init();
    init_user(0, false);
    init_user(1, false);
}

static void work_two(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        keep_time();
}

/* None was lost: the bucket has been empty all the time. */
static void check_tokens(void)
{
    MC_ASSERT(rate.full_at == 1 + (uint64_t)taken * INTERVAL);
    vg_rate_fini(&rate);
}

static void both_have_one(void)
{
    MC_ASSERT(users[0].result == 0 && users[1].result == 0 && taken == 2);
    check_tokens();
}
MC_MODEL(rate_two, .threads = 3, .init = init_two, .thread = work_two, .final = both_have_one);

/* ---- one gives up, wherever it is ---------------------------------------------------------------- */

static void init_gives_up(void)
{
    init();
    MC_ASSERT(vg_rate_try(&rate, 1) == 0);
    count_token();
    init_user(0, true);
    init_user(1, false);
}

static void work_gives_up(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else if (id == 2)
        keep_time();
    else
        world_happen(&users[0].event);
}

static void the_other_has_one(void)
{
    MC_ASSERT(users[0].result == 0 || users[0].result == -ECANCELED);
    MC_ASSERT(users[1].result == 0 && taken == 2 + (users[0].result == 0));
    check_tokens();
}
MC_MODEL(rate_gives_up, .threads = 4, .init = init_gives_up, .thread = work_gives_up,
         .final = the_other_has_one);

/* ---- a thread takes one without waiting --------------------------------------------------------- */

static int tried;

static void init_try(void)
{
    init();
    init_user(0, false);
}

static void work_try(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        keep_time();
    else if ((tried = vg_rate_try(&rate, 1)) == 0)
        count_token();
}

static void the_task_has_one(void)
{
    MC_ASSERT(tried == 0 || tried == -EAGAIN);
    MC_ASSERT(users[0].result == 0 && taken == 1 + (tried == 0));
    check_tokens();
}
MC_MODEL(rate_try, .threads = 3, .init = init_try, .thread = work_try, .final = the_task_has_one);
