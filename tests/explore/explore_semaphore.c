/* SPDX-License-Identifier: MIT */
/*
 * The semaphore: requests for different numbers of permits, polled by the library's own code. What is taken never
 * exceeds what there is, in the end all is back, nobody is left waiting for what is free, and whoever
 * completed an acquire may destroy the semaphore although the release that granted it has not returned.
 */
#include <errno.h>
#include <string.h>

#include <vigil/semaphore.h>

#include "world.h"

/* A task that wants permits once. */
struct user {
    struct vg_future fut;
    struct vg_acquire acquire;
    uint32_t want;
    int polls;
    bool gives_up; /* in its second poll */
    bool passes;   /* leaves the request alone from its second poll until the event has happened */
    bool destroys; /* the semaphore, after its turn */
    struct user *tells; /* whose event happens after its turn */
    struct world_event event;
    int result;
};

enum { TOTAL = 3, LATER = 77 };

static struct world_task tasks[2];
static struct user users[2];
static struct vg_semaphore semaphore;
static int guarded; /* written by who has all permits, read by who has one */
static int taken;   /* by the model only */
static bool is_destroyed;

static void turn(struct user *user)
{
    if (user->want == TOTAL) {
        VG_WR(&guarded);
        guarded++;
    } else {
        VG_RD(&guarded);
    }
    taken += (int)user->want;
    MC_ASSERT(taken <= TOTAL);
    taken -= (int)user->want;
    vg_release(&semaphore, user->want);
    if (!user->destroys)
        return;
    is_destroyed = true;
    vg_semaphore_fini(&semaphore);
    mc_free(&semaphore, sizeof semaphore);
    mc_free(&user->acquire, sizeof user->acquire);
}

static void try(struct user *user, bool happened, struct vg_cx *cx)
{
    if (user->gives_up && happened)
        vg_cancel(&user->acquire.fut, cx);
    if (!vg_poll_future(&user->acquire.fut, cx).ready)
        return;
    user->result = user->acquire.ret;
    if (user->result == 0)
        turn(user);
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    user->polls++;
    if (user->passes || user->gives_up)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (user->result == LATER && !(user->passes && user->polls > 1 && !happened))
        try(user, happened, cx);
    if (user->result == LATER || !happened)
        return VG_PENDING;
    if (user->tells)
        world_happen(&user->tells->event);
    return VG_READY;
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

/* A thread outside has `out` permits, to begin with. */
static void init(uint32_t out)
{
    world_init();
    vg_semaphore_init_at(&semaphore, "semaphore", TOTAL, NULL);
    MC_ASSERT(out == 0 || vg_try_acquire(&semaphore, out) == 0);
    taken = (int)out;
    is_destroyed = false;
}

static void init_user(int i, struct user user)
{
    users[i] = user;
    users[i].result = LATER;
    vg_future_init(&users[i].fut, &user_ops);
    vg_acquire(&users[i].acquire, &semaphore, user.want);
    world_event(&users[i].event);
    world_spawn(&tasks[i], &users[i].fut);
}

static void give(uint32_t count)
{
    taken -= (int)count;
    vg_release(&semaphore, count);
}

static void all_is_back(void)
{
    MC_ASSERT(tasks[0].over);
    MC_ASSERT(taken == 0);
    if (!is_destroyed)
        MC_ASSERT(vg_semaphore_free(&semaphore) == TOTAL);
}

static void both_are_over(void)
{
    all_is_back();
    MC_ASSERT(tasks[1].over);
}

/* ---- one who wants all, one who wants one ----------------------------------------------------- */

static void init_two_wait(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = TOTAL});
    init_user(1, (struct user){.want = 1});
}

static void two_wait(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        give(TOTAL);
}
MC_MODEL(semaphore_two_wait, .threads = 3, .init = init_two_wait, .thread = two_wait,
         .final = both_are_over);

/* ---- one release for two ---------------------------------------------------------------------- */

static void init_both_fit(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = 2});
    init_user(1, (struct user){.want = 1});
}
MC_MODEL(semaphore_both_fit, .threads = 3, .init = init_both_fit, .thread = two_wait,
         .final = both_are_over);

/* ---- permits come back one by one, while the request is made -------------------------------- */

static void init_first_poll(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = 2});
}

static void first_poll(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else if (id == 1) {
        give(1);
        give(1);
    } else {
        give(1);
    }
}
MC_MODEL(semaphore_first_poll, .threads = 3, .init = init_first_poll, .thread = first_poll,
         .final = all_is_back);

/* ---- the head, too large, gives up; the next must be served ------------------------------- */

static void init_head_gives_up(void)
{
    init(1);
    init_user(0, (struct user){.want = TOTAL, .gives_up = true});
    init_user(1, (struct user){.want = 2});
}

static void head_gives_up(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        world_happen(&users[0].event);
}

static void next_was_served(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
    MC_ASSERT(users[0].result == -ECANCELED && users[1].result == 0);
    MC_ASSERT(vg_semaphore_free(&semaphore) == TOTAL - 1);
}
MC_MODEL(semaphore_head_gives_up, .threads = 3, .init = init_head_gives_up, .thread = head_gives_up,
         .final = next_was_served);

/* ---- a cancel against the grant --------------------------------------------------------------- */

static void init_cancelled(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = 2, .gives_up = true});
}

static void cancelled(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else if (id == 1)
        give(TOTAL);
    else
        world_happen(&users[0].event);
}
MC_MODEL(semaphore_cancelled, .threads = 3, .init = init_cancelled, .thread = cancelled,
         .final = all_is_back);

/* ---- passed over: those behind it go first ------------------------------------------------- */

static void init_passed_on(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = 2, .passes = true});
    init_user(1, (struct user){.want = TOTAL, .tells = &users[0]});
}
MC_MODEL(semaphore_passed_on, .threads = 3, .init = init_passed_on, .thread = two_wait,
         .final = both_are_over);

/* ---- destroyed by the next owner ----------------------------------------------------------- */

static void init_destroyed(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = TOTAL, .destroys = true});
}

static void destroyed(int id)
{
    if (id == 0)
        world_work(0, &tasks[0]);
    else
        give(TOTAL);
}
MC_MODEL(semaphore_destroyed_by_next_owner, .threads = 2, .init = init_destroyed,
         .thread = destroyed, .final = all_is_back);

/* ---- closed while two come, and one has permits --------------------------------------------- */

static void init_closed(void)
{
    init(1);
    init_user(0, (struct user){.want = TOTAL});
    init_user(1, (struct user){.want = 2});
}

static void closed(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        vg_semaphore_close(&semaphore);
        give(1);
    }
}

static void closed_to_both(void)
{
    both_are_over();
    for (int i = 0; i < 2; i++)
        MC_ASSERT(users[i].result == 0 || users[i].result == -EPIPE);
    MC_ASSERT(users[0].result == -EPIPE); /* its permits were not there before the close */
    MC_ASSERT(vg_try_acquire(&semaphore, 1) == -EPIPE);
}
MC_MODEL(semaphore_closed, .threads = 3, .init = init_closed, .thread = closed,
         .final = closed_to_both);

/* ---- what was given back before somebody waited, and is tried for afterwards -------------- */

static void tried(int id)
{
    if (id == 0) {
        world_work(0, &tasks[0]);
    } else if (id == 1) {
        VG_WR(&guarded);
        guarded++;
        give(1);
    } else {
        world_happen(&users[0].event);
        if (vg_try_acquire(&semaphore, 1) == 0) {
            VG_RD(&guarded);
            vg_release(&semaphore, 1);
        }
    }
}

static void init_tried(void)
{
    init(TOTAL);
    init_user(0, (struct user){.want = TOTAL, .gives_up = true});
}

static void one_is_back(void)
{
    MC_ASSERT(tasks[0].over && users[0].result == -ECANCELED);
    MC_ASSERT(taken == TOTAL - 1 && vg_semaphore_free(&semaphore) == 1);
}
MC_MODEL(semaphore_tried_after_a_cancel, .threads = 3, .init = init_tried, .thread = tried,
         .final = one_is_back);
