/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* The first of several. */

enum { A, B, C, GO, EVENTS };

/* ---- which arm wins -------------------------------------------------------------------------- */

struct choice {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    bool biased;
    VG_ARMS(3) arms;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(choice)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = A; i <= C; i++)
        event_wait(&f->wait[i], &f->event[i]);
    if (f->biased)
        VG_AWAIT(rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(&f->wait[A]), VG_CANCEL(&f->wait[B]),
                                      VG_CANCEL(&f->wait[C])));
    else
        VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(&f->wait[A]), VG_CANCEL(&f->wait[B]),
                               VG_CANCEL(&f->wait[C])));
    VG_RETURN(rc);
}

static struct choice *choice(struct choice *f, struct event *event, bool biased)
{
    VG_SETUP(f, choice);
    f->event = event;
    f->biased = biased;
    return f;
}

/* Who wins if the events come in this order in one batch. */
static int winner(bool biased, unsigned first, unsigned second)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    int ret;

    rig_open(&rig);
    rig_spawn(&rig, choice, event, biased);
    event_set(&event[first]);
    event_set(&event[second]);
    rig_run(&rig);
    ret = RIG_RET(&rig, 0, struct choice);
    CHECK_EQ(rig_polls(&rig, 0), 2); /* a select of leaves ends in the step that decides it */
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    rig_close(&rig);
    return ret;
}

TEST(the_arm_that_was_woken_first_wins)
{
    CHECK_EQ(winner(false, A, C), A);
    CHECK_EQ(winner(false, C, A), C);
    CHECK_EQ(winner(false, B, A), B);
}

TEST(of_a_biased_select_the_first_arm_of_those_that_were_woken_wins)
{
    CHECK_EQ(winner(true, A, C), A);
    CHECK_EQ(winner(true, C, A), A);
    CHECK_EQ(winner(true, C, B), B);
}

/* ---- what starts ----------------------------------------------------------------------------- */

struct starter {
    VG_FRAME(int);
    struct event *event; /* all set */
    unsigned wins[3], untouched;
    bool biased;
    unsigned i;
    VG_ARMS(3) arms;
    struct event_wait wait[3];
};

VG_ASYNC(starter)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < 300; f->i++) {
        for (unsigned i = A; i <= C; i++)
            event_wait(&f->wait[i], &f->event[i]);
        if (f->biased)
            VG_AWAIT(rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(&f->wait[A]), VG_KEEP(&f->wait[B]),
                                          VG_PARK(&f->wait[C])));
        else
            VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(&f->wait[A]), VG_KEEP(&f->wait[B]),
                                   VG_PARK(&f->wait[C])));
        f->wins[rc]++;
        for (unsigned i = A; i <= C; i++)
            f->untouched += !vg_started(&f->wait[i].fut);
    }
    VG_RETURN(0);
}

static struct starter *starter(struct starter *f, struct event *event, bool biased)
{
    VG_SETUP(f, starter);
    f->event = event;
    f->biased = biased;
    memset(f->wins, 0, sizeof f->wins);
    f->untouched = 0;
    return f;
}

TEST(of_arms_that_are_ready_at_once_none_is_preferred_and_the_others_never_start)
{
    struct rig rig;
    struct event event[3] = {{.set = true}, {.set = true}, {.set = true}};
    const struct starter *f;

    rig_open(&rig);
    rig_spawn(&rig, starter, event, false);
    f = vg_task_frame(&rig.task[0]);
    for (unsigned i = A; i <= C; i++)
        CHECK(f->wins[i] > 60); /* of 300; the seed is fixed */
    CHECK_EQ(f->untouched, 600);
    rig_close(&rig);
}

TEST(a_biased_select_starts_its_arms_in_the_order_written)
{
    struct rig rig;
    struct event event[3] = {{.set = true}, {.set = true}, {.set = true}};
    const struct starter *f;

    rig_open(&rig);
    rig_spawn(&rig, starter, event, true);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->wins[A], 300);
    CHECK_EQ(f->untouched, 600);
    rig_close(&rig);
}

/* ---- losers ---------------------------------------------------------------------------------- */

/* One arm of each policy, and the one that wins; then each is awaited. */
struct losers {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    unsigned polls[3];
    int rc[3];
    VG_ARMS(4) arms;
    struct event_wait wait[EVENTS];
    struct vg_sleep nap;
};

VG_ASYNC(losers)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = A; i <= C; i++)
        event_wait_counted(&f->wait[i], &f->event[i], &f->polls[i]);
    VG_AWAIT(rc,
             VG_SELECT(f->arms, VG_CANCEL(&f->wait[A]), VG_KEEP(&f->wait[B]), VG_PARK(&f->wait[C]),
                       VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    CHECK_EQ(rc, 3);
    SCRIBBLE(&f->arms);
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(10)));
    for (f->ret = A; f->ret <= C; f->ret++)
        VG_AWAIT(f->rc[f->ret], &f->wait[f->ret]);
    VG_RETURN(0);
}

static struct losers *losers(struct losers *f, struct event *event)
{
    VG_SETUP(f, losers);
    f->event = event;
    memset(f->polls, 0, sizeof f->polls);
    return f;
}

TEST(each_loser_fares_as_its_arm_says)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    struct losers *f;

    rig_open(&rig);
    rig_spawn(&rig, losers, event);
    f = (struct losers *)(void *)vg_task_root(rig.task[0].task);
    event_set(&event[GO]);
    rig_run(&rig);
    CHECK_EQ(f->wait[A].fut.state, VG_DONE);
    CHECK_EQ(f->wait[B].fut.state, VG_KEPT);
    CHECK_EQ(f->wait[C].fut.state, VG_PARKED);
    for (unsigned i = A; i <= C; i++)
        event_set(&event[i]);
    rig_run(&rig);
    CHECK_EQ(f->wait[B].fut.state, VG_DONE);
    CHECK_EQ(f->wait[C].fut.state, VG_PARKED);
    CHECK_EQ(f->polls[C], 1);
    rig_pass(&rig, VG_MSEC(10));
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(f->rc[A], -ECANCELED);
    CHECK_EQ(f->rc[B], 0);
    CHECK_EQ(f->rc[C], 0);
    rig_close(&rig);
}

TEST(a_kept_loser_that_was_woken_with_the_winner_is_polled)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    struct losers *f;

    rig_open(&rig);
    rig_spawn(&rig, losers, event);
    f = (struct losers *)(void *)vg_task_root(rig.task[0].task);
    event_set(&event[GO]);
    event_set(&event[B]);
    rig_run(&rig);
    CHECK_EQ(f->wait[B].fut.state, VG_DONE);
    event_set(&event[C]);
    rig_pass(&rig, VG_MSEC(10));
    CHECK(rig_done(&rig, 0));
    rig_close(&rig);
}

/* ---- kept children and what follows ---------------------------------------------------------- */

/* Keeps A in one select; then A is an arm of the next, which is what hears of its end. */
struct second {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    unsigned how;        /* enum vg_policy of A in the first select */
    VG_ARMS(2) one, two;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(second)
{
    VG_BEGIN(f);
    int rc;
    const struct vg_arm a = {&event_wait(&f->wait[A], &f->event[A])->fut, (uint8_t)f->how, true,
                             false};
    VG_AWAIT(rc, VG_SELECT(f->one, a, VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    CHECK_EQ(rc, 1);
    SCRIBBLE(&f->one);
    VG_AWAIT(rc, VG_SELECT(f->two, VG_CANCEL(event_wait(&f->wait[B], &f->event[B])),
                           VG_CANCEL(&f->wait[A])));
    VG_RETURN(rc);
}

static struct second *second(struct second *f, struct event *event, unsigned how)
{
    VG_SETUP(f, second);
    f->event = event;
    f->how = how;
    return f;
}

static void check_second(unsigned how, unsigned wins, int expected)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, second, event, how);
    event_set(&event[GO]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[wins]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct second), expected);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    rig_close(&rig);
}

TEST(a_kept_loser_can_win_the_next_select)
{
    check_second(VG_POLICY_KEEP, A, 1);
}

TEST(a_parked_loser_can_win_the_next_select)
{
    check_second(VG_POLICY_PARK, A, 1);
}

TEST(a_kept_loser_can_be_cancelled_by_the_next_select)
{
    check_second(VG_POLICY_KEEP, B, 0);
}

TEST(a_parked_loser_can_be_cancelled_by_the_next_select)
{
    check_second(VG_POLICY_PARK, B, 0);
}

/* Keeps a wait that ends while nobody awaits it, and uses its memory again. */
struct reuser {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(3) arms;
    struct event_wait wait[EVENTS];
    unsigned rounds;
};

VG_ASYNC(reuser)
{
    VG_BEGIN(f);
    int rc;
    for (f->rounds = 0; f->rounds < 3; f->rounds++) {
        f->event[A].set = f->event[B].set = f->event[GO].set = false;
        VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[A], &f->event[A])),
                               VG_KEEP(event_wait(&f->wait[B], &f->event[B])),
                               VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
        CHECK_EQ(rc, 2);
        SCRIBBLE(&f->arms);
        f->event[C].set = false;
        VG_AWAIT(rc, event_wait(&f->wait[C], &f->event[C]));
        CHECK(vg_done(&f->wait[A].fut) && vg_done(&f->wait[B].fut));
        SCRIBBLE(&f->wait);
    }
    VG_RETURN(0);
}

static struct reuser *reuser(struct reuser *f, struct event *event)
{
    VG_SETUP(f, reuser);
    f->event = event;
    return f;
}

TEST(a_kept_loser_that_ends_unawaited_leaves_its_frame_alone)
{
    static const unsigned orders[][2] = {{A, B}, {B, A}, {A, B}};
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, reuser, event);
    for (unsigned round = 0; round < 3; round++) {
        event_set(&event[GO]);
        rig_run(&rig);
        event_set(&event[orders[round][0]]);
        rig_run(&rig);
        event_set(&event[orders[round][1]]);
        rig_run(&rig);
        event_set(&event[C]);
        rig_run(&rig);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct reuser), 0);
    rig_close(&rig);
}
