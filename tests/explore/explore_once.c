/* SPDX-License-Identifier: MIT */
/* The once-cell: initialised by one, seen by all, whoever fails or gives up. */
#include <errno.h>
#include <string.h>

#include <vigil/once.h>

#include "world.h"

/* Ready at once. */
struct initialiser {
    struct vg_future fut;
    int ret, result;
};

struct user {
    struct vg_future fut;
    bool gives_up; /* when the event has happened */
    struct world_event event;
    struct initialiser initialiser;
    struct vg_once once;
    int ended;
};

static struct world_task tasks[2];
static struct user users[2];
static struct vg_once_cell cell;
static int guarded, starts;

static vg_poll initialiser_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct initialiser *initialiser = (struct initialiser *)(void *)fut;

    (void)cx;
    starts++;
    MC_ASSERT(guarded == 0);
    initialiser->ret = vg_cancelled(fut) ? -ECANCELED : initialiser->result;
    if (initialiser->ret >= 0) {
        VG_WR(&guarded);
        guarded = 1;
    }
    return VG_READY;
}

static const struct vg_ops initialiser_ops = {.poll = initialiser_poll,
                                              .name = "initialiser",
                                              .size = sizeof(struct initialiser),
                                              .kind = VG_KIND_LEAF};

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    if (user->gives_up)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (!user->ended && user->gives_up && happened)
        vg_cancel(&user->once.fut, cx);
    if (!user->ended && vg_poll_future(&user->once.fut, cx).ready) {
        user->ended = 1;
        if (user->once.ret == 0) {
            VG_RD(&guarded);
            MC_ASSERT(guarded == 1);
        }
    }
    return (vg_poll){user->ended && happened};
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init_user(int i, bool gives_up, int result)
{
    struct user *user = &users[i];

    memset(user, 0, sizeof *user);
    user->gives_up = gives_up;
    user->initialiser.result = result;
    vg_future_init(&user->fut, &user_ops);
    vg_future_init(&user->initialiser.fut, &initialiser_ops);
    vg_once(&user->once, &cell, &user->initialiser);
    world_event(&user->event);
    world_spawn(&tasks[i], &user->fut);
}

static void init(void)
{
    world_init();
    vg_once_init_at(&cell, "cell", NULL);
    guarded = starts = 0;
}

static void work(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        world_happen(&users[0].event);
}

/* ---- two who need it ---------------------------------------------------------------------------- */

static void init_two(void)
{
    init();
    init_user(0, false, 0);
    init_user(1, false, 0);
}

static void both_have_it(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
    MC_ASSERT(users[0].once.ret == 0 && users[1].once.ret == 0 && starts == 1);
    MC_ASSERT(vg_once_done(&cell));
    vg_once_fini(&cell);
}
MC_MODEL(once_two, .threads = 2, .init = init_two, .thread = work, .final = both_have_it);

/* ---- one fails ---------------------------------------------------------------------------------- */

static void init_fails(void)
{
    init();
    init_user(0, false, -EIO);
    init_user(1, false, 0);
}

static void second_has_it(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over && users[1].once.ret == 0);
    MC_ASSERT(users[0].once.ret == 0 || (users[0].once.ret == -EIO && starts == 2));
    MC_ASSERT(vg_once_done(&cell));
    vg_once_fini(&cell);
}
MC_MODEL(once_first_fails, .threads = 2, .init = init_fails, .thread = work,
         .final = second_has_it);

/* ---- one gives up, both fail: whoever comes last has the turn ---------------------------------- */

static void init_gives_up(void)
{
    init();
    init_user(0, true, -EIO);
    init_user(1, false, 0);
}

static void second_has_it_anyway(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over && users[1].once.ret == 0);
    MC_ASSERT(vg_once_done(&cell));
    vg_once_fini(&cell);
}
MC_MODEL(once_one_gives_up, .threads = 3, .init = init_gives_up, .thread = work,
         .final = second_has_it_anyway);
