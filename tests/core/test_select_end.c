/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"

/* Selects that have a winner, and losers that depend on each other to come to their end. */

enum { WIN, NEVER, NEEDED, EVENTS };

/* Waits for an event that is never set. Cancelled, it cleans up: awaits `needs`, sleeps, sets `gives`. */
struct loser {
    VG_FRAME(int);
    struct event *never, *needs, *gives;
    uint64_t nap;
    struct event_wait wait, need;
    struct vg_sleep sleep;
};

VG_ASYNC(loser)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->never));
    CHECK_EQ(rc, -ECANCELED);
    if (f->needs != NULL)
        VG_AWAIT_SHIELDED(rc, event_wait(&f->need, f->needs));
    if (f->nap > 0)
        VG_AWAIT_SHIELDED(rc, vg_sleep(&f->sleep, f->nap));
    if (f->gives != NULL)
        event_set(f->gives);
    VG_RETURN(-ECANCELED);
}

static struct loser *loser(struct loser *f, struct event *never, struct event *needs, uint64_t nap,
                           struct event *gives)
{
    VG_SETUP(f, loser);
    f->never = never;
    f->needs = needs;
    f->nap = nap;
    f->gives = gives;
    return f;
}

/* ---- two losers that must end ---------------------------------------------------------------- */

struct pair {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(3) arms;
    struct event_wait win;
    struct loser needy, giver;
};

VG_ASYNC(pair)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT_BIASED(
                     f->arms, VG_CANCEL(event_wait(&f->win, &f->event[WIN])),
                     VG_CANCEL(loser(&f->needy, &f->event[NEVER], &f->event[NEEDED], 0, NULL)),
                     VG_CANCEL(
                         loser(&f->giver, &f->event[NEVER], NULL, VG_MSEC(5), &f->event[NEEDED]))));
    VG_RETURN(rc);
}

static struct pair *pair(struct pair *f, struct event *event)
{
    VG_SETUP(f, pair);
    f->event = event;
    return f;
}

TEST(a_loser_of_a_biased_select_may_wait_for_a_later_one)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, pair, event);
    event_set(&event[WIN]);
    rig_pass(&rig, VG_MSEC(4));
    CHECK(!rig_done(&rig, 0));
    rig_pass(&rig, VG_MSEC(2));
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(RIG_RET(&rig, 0, struct pair), 0);
    rig_close(&rig);
}

/* ---- a loser that must end, and one that is kept --------------------------------------------- */

struct keeper {
    VG_FRAME(int);
    struct event *gives;
    struct vg_sleep sleep;
};

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->sleep, VG_MSEC(5)));
    event_set(f->gives);
    VG_RETURN(rc);
}

static struct keeper *keeper(struct keeper *f, struct event *gives)
{
    VG_SETUP(f, keeper);
    f->gives = gives;
    return f;
}

struct mixed {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(3) arms;
    struct event_wait win;
    struct loser needy;
    struct keeper keeper;
    int winner;
};

VG_ASYNC(mixed)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(f->winner, VG_SELECT_BIASED(f->arms, VG_CANCEL(event_wait(&f->win, &f->event[WIN])),
                                         VG_CANCEL(loser(&f->needy, &f->event[NEVER],
                                                         &f->event[NEEDED], 0, NULL)),
                                         VG_KEEP(keeper(&f->keeper, &f->event[NEEDED]))));
    VG_AWAIT(rc, &f->keeper);
    VG_RETURN(rc);
}

static struct mixed *mixed(struct mixed *f, struct event *event)
{
    VG_SETUP(f, mixed);
    f->event = event;
    return f;
}

TEST(a_kept_arm_of_a_biased_select_goes_on_while_the_losers_end)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    const struct mixed *f;

    rig_open(&rig);
    rig_spawn(&rig, mixed, event);
    event_set(&event[WIN]);
    rig_pass(&rig, VG_MSEC(6));
    CHECK(rig_done(&rig, 0));
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->winner, 0);
    CHECK_EQ(f->needy.ret, -ECANCELED);
    CHECK_EQ(f->ret, 0);
    rig_close(&rig);
}

/* ---- cancelled when there is a winner -------------------------------------------------------- */

struct bounded {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    struct vg_timeout timeout;
    VG_ARMS(3) arms;
    struct event_wait win;
    struct loser slow;
    struct vg_sleep kept;
    int winner;
};

VG_ASYNC(bounded)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_timeout(
                     &f->timeout, VG_MSEC(3),
                     VG_SELECT(f->arms, VG_CANCEL(event_wait(&f->win, &f->event[WIN])),
                               VG_CANCEL(loser(&f->slow, &f->event[NEVER], NULL, VG_MSEC(6), NULL)),
                               VG_KEEP(vg_sleep(&f->kept, VG_SEC(5))))));
    (void)rc;
    f->winner = f->arms.sel.ret;
    CHECK(vg_done(&f->kept.fut));
    VG_RETURN(f->kept.ret);
}

static struct bounded *bounded(struct bounded *f, struct event *event)
{
    VG_SETUP(f, bounded);
    f->event = event;
    return f;
}

TEST(a_select_that_is_cancelled_after_it_was_won_ends_its_kept_arms_too)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, bounded, event);
    event_set(&event[WIN]);
    rig_pass(&rig, VG_MSEC(7));
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(RIG_RET(&rig, 0, struct bounded), -ECANCELED);
    CHECK_EQ(((const struct bounded *)vg_task_frame(&rig.task[0]))->winner, 0);
    rig_close(&rig);
}
