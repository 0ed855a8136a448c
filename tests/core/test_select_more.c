/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Selects with arms left out, arms that are selects, and arms without number. */

/* ---- arms that are left out ------------------------------------------------------------------ */

enum { A, B, C, GO, EVENTS };

struct listener {
    struct vg_probe probe;
    unsigned reports;
    const struct vg_site *site;
};

static void hear_poll_after_ready(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                                  const struct vg_site *site)
{
    struct listener *listener = (struct listener *)(void *)probe;

    CHECK_EQ(worker, 0);
    CHECK(task != NULL);
    listener->reports++;
    listener->site = site;
}

static void hear_visit(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

struct leftover {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    unsigned round;
    int won[4];
    VG_ARMS(2) arms;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(leftover)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait[A], &f->event[A]));
    CHECK_EQ(rc, 0);
    for (f->round = 0; f->round < 2; f->round++)
        VG_AWAIT(f->won[f->round], VG_SELECT(f->arms, VG_CANCEL(&f->wait[A]),
                                             VG_CANCEL(event_wait(&f->wait[B], &f->event[B]))));
    VG_AWAIT(f->won[2], VG_SELECT(f->arms, VG_WHEN(false, VG_CANCEL(&f->wait[A])),
                                  VG_CANCEL(event_wait(&f->wait[B], &f->event[B]))));
    VG_AWAIT(f->won[3], VG_SELECT(f->arms, VG_FUSE(VG_CANCEL(&f->wait[A])),
                                  VG_CANCEL(event_wait(&f->wait[B], &f->event[B]))));
    VG_AWAIT(rc,
             VG_SELECT(f->arms, VG_FUSE(VG_CANCEL(&f->wait[A])), VG_FUSE(VG_KEEP(&f->wait[B]))));
    CHECK_EQ(rc, -ENOENT);
    VG_RETURN(0);
}

static struct leftover *leftover(struct leftover *f, struct event *event)
{
    VG_SETUP(f, leftover);
    f->event = event;
    return f;
}

TEST(an_arm_whose_result_was_taken_is_left_out_and_reported)
{
    struct rig rig;
    struct listener listener = {
        .probe = {.visited = hear_visit, .poll_after_ready = hear_poll_after_ready}};
    struct event event[EVENTS] = {{.set = true}, {.set = true}};
    const struct leftover *f;

    rig_open_config(&rig, 1, &listener.probe, true);
    rig_spawn(&rig, leftover, event);
    f = vg_task_frame(&rig.task[0]);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(f->won[i], B);
    CHECK_EQ(listener.reports, 2); /* not for those that were guarded or fused */
    CHECK_STR(listener.site->expr, "VG_SELECT(f->arms, VG_CANCEL(&f->wait[A])");
    CHECK_STR(listener.site->func, "leftover");
    rig_close(&rig);
}

struct empty {
    VG_FRAME(int);
    struct event *event;
    VG_ARMS(2) arms;
    struct event_wait wait[2];
    int none;
};

VG_ASYNC(empty)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc,
             VG_SELECT(f->arms, VG_WHEN(false, VG_CANCEL(event_wait(&f->wait[0], &f->event[0]))),
                       VG_WHEN(f->event == NULL, VG_KEEP(event_wait(&f->wait[1], &f->event[1])))));
    CHECK_EQ(rc, -ENOENT);
    CHECK(!vg_started(&f->wait[0].fut) && !vg_started(&f->wait[1].fut));
    VG_AWAIT(rc, vg_select(&f->arms.sel, f->arms.arm, NULL, 0));
    CHECK_EQ(rc, -ENOENT);
    VG_RETURN(rc);
}

static struct empty *empty(struct empty *f, struct event *event)
{
    VG_SETUP(f, empty);
    f->event = event;
    return f;
}

TEST(a_select_without_an_enabled_arm_says_so)
{
    struct rig rig;
    struct event event[2] = {{.set = true}, {.set = true}};

    rig_open(&rig);
    rig_spawn(&rig, empty, event);
    CHECK_EQ(RIG_RET(&rig, 0, struct empty), -ENOENT);
    rig_close(&rig);
}

/* ---- an arm that ended while it was kept ----------------------------------------------------- */

struct early {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(2) arms;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(early)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[A], &f->event[A])),
                           VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    VG_AWAIT(rc, event_wait(&f->wait[B], &f->event[B]));
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(event_wait(&f->wait[C], &f->event[C])),
                           VG_CANCEL(&f->wait[A])));
    CHECK_EQ(f->wait[A].ret, 0);
    VG_RETURN(rc);
}

static struct early *early(struct early *f, struct event *event)
{
    VG_SETUP(f, early);
    f->event = event;
    return f;
}

TEST(an_arm_that_ended_while_it_was_kept_wins_at_once)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, early, event);
    event_set(&event[GO]);
    event_set(&event[A]);
    rig_run(&rig);
    event_set(&event[B]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct early), 1);
    rig_close(&rig);
}

/* Keeps A, then has a select that is decided before it comes to A. */
struct hasty {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(2) arms;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(hasty)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[A], &f->event[A])),
                           VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    VG_AWAIT(rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(event_wait(&f->wait[B], &f->event[B])),
                                  VG_CANCEL(&f->wait[A])));
    CHECK_EQ(rc, 0);
    CHECK(vg_done(&f->wait[A].fut));
    VG_RETURN(f->wait[A].ret);
}

static struct hasty *hasty(struct hasty *f, struct event *event)
{
    VG_SETUP(f, hasty);
    f->event = event;
    return f;
}

TEST(a_kept_arm_that_a_second_select_did_not_come_to_loses_all_the_same)
{
    struct rig rig;
    struct event event[EVENTS] = {[B] = {.set = true}};

    rig_open(&rig);
    rig_spawn(&rig, hasty, event);
    event_set(&event[GO]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct hasty), -ECANCELED);
    rig_close(&rig);
}

/* ---- slow losers ----------------------------------------------------------------------------- */

/* Cleans up for a while when it is cancelled. */
struct slow {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(slow)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    if (rc == 0)
        VG_RETURN(7);
    VG_AWAIT_SHIELDED(rc, vg_sleep(&f->nap, VG_MSEC(5)));
    VG_RETURN(-ECANCELED);
}

static struct slow *slow(struct slow *f, struct event *event)
{
    VG_SETUP(f, slow);
    f->event = event;
    return f;
}

struct race {
    VG_FRAME(int);
    struct event *event; /* two */
    VG_ARMS(2) arms;
    struct slow slow[2];
};

VG_ASYNC(race)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc,
             VG_RACE(f->arms, slow(&f->slow[0], &f->event[0]), slow(&f->slow[1], &f->event[1])));
    VG_RETURN(rc);
}

static struct race *race(struct race *f, struct event *event)
{
    VG_SETUP(f, race);
    f->event = event;
    return f;
}

TEST(a_race_ends_when_the_loser_has_cleaned_up)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};
    const struct race *f;

    rig_open(&rig);
    rig_spawn(&rig, race, event);
    event_set(&event[1]);
    rig_pass(&rig, VG_MSEC(4));
    CHECK(!rig_done(&rig, 0));
    rig_pass(&rig, VG_MSEC(2));
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->ret, 1);
    CHECK_EQ(f->slow[1].ret, 7);
    CHECK_EQ(f->slow[0].ret, -ECANCELED);
    rig_close(&rig);
}

TEST(a_loser_that_ends_in_spite_of_its_cancel_keeps_its_result)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};
    const struct race *f;

    rig_open(&rig);
    rig_spawn(&rig, race, event);
    event_set(&event[1]);
    event_set(&event[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->ret, 1);
    CHECK_EQ(f->slow[0].ret, 7);
    rig_close(&rig);
}

/* ---- a kept select --------------------------------------------------------------------------- */

struct nested {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(2) outer, inner;
    struct event_wait wait[EVENTS];
};

VG_ASYNC(nested)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc,
             VG_SELECT(f->outer,
                       VG_KEEP(VG_SELECT(f->inner, VG_CANCEL(event_wait(&f->wait[A], &f->event[A])),
                                         VG_KEEP(event_wait(&f->wait[B], &f->event[B])))),
                       VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
    CHECK_EQ(rc, 1);
    SCRIBBLE(&f->outer);
    VG_AWAIT(rc, event_wait(&f->wait[C], &f->event[C]));
    VG_AWAIT(rc, &f->inner.sel);
    CHECK_EQ(rc, 0);
    SCRIBBLE(&f->inner);
    VG_AWAIT(rc, &f->wait[B]); /* which the inner one has handed to this frame */
    VG_RETURN(rc);
}

static struct nested *nested(struct nested *f, struct event *event)
{
    VG_SETUP(f, nested);
    f->event = event;
    return f;
}

TEST(a_select_that_is_kept_goes_on_by_itself_and_hands_its_own_losers_to_the_frame)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, nested, event);
    event_set(&event[GO]);
    rig_run(&rig);
    event_set(&event[A]); /* ends the inner select while nobody awaits it */
    rig_run(&rig);
    event_set(&event[C]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[B]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct nested), 0);
    rig_close(&rig);
}

/* ---- many arms ------------------------------------------------------------------------------- */

enum { MANY = 300 };

struct crowd {
    VG_FRAME(int);
    struct event *event; /* MANY */
    struct vg_select sel;
    struct vg_arm arm[MANY];
    struct event_wait wait[MANY];
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = 0; i < MANY; i++)
        f->arm[i] = VG_CANCEL(event_wait(&f->wait[i], &f->event[i]));
    VG_AWAIT(rc, vg_select(&f->sel, f->arm, f->arm, MANY));
    VG_RETURN(rc);
}

static struct crowd *crowd(struct crowd *f, struct event *event)
{
    VG_SETUP(f, crowd);
    f->event = event;
    return f;
}

TEST(a_select_may_have_any_number_of_arms)
{
    struct rig rig;
    static struct event event[MANY];

    rig_open(&rig);
    rig_spawn(&rig, crowd, event);
    event_set(&event[MANY - 7]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct crowd), MANY - 7);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    rig_close(&rig);
}
