/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Cancelling: who is asked to end, and how it ends. */

enum { SHIELDED, AFTER, EVENTS };

/* ---- shielded clean-up ----------------------------------------------------------------------- */

struct cleaner {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    int shielded, after;
    struct event_wait wait;
};

VG_ASYNC(cleaner)
{
    VG_BEGIN(f);
    VG_AWAIT_SHIELDED(f->shielded, event_wait(&f->wait, &f->event[SHIELDED]));
    VG_AWAIT(f->after, event_wait(&f->wait, &f->event[AFTER]));
    VG_RETURN(1);
}

static struct cleaner *cleaner(struct cleaner *f, struct event *event)
{
    VG_SETUP(f, cleaner);
    f->event = event;
    return f;
}

TEST(a_cancel_during_a_shielded_await_does_not_reach_the_child)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    const struct cleaner *f;

    rig_open(&rig);
    rig_spawn(&rig, cleaner, event);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    CHECK(event[SHIELDED].waiter != NULL);
    event_set(&event[SHIELDED]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->shielded, 0);
    CHECK_EQ(f->after, -ECANCELED); /* the next await has noticed */
    CHECK_EQ(f->ret, 1);
    rig_close(&rig);
}

TEST(a_frame_cancelled_before_a_shielded_await_still_waits_in_it)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    struct vg_handle *handle = &rig.task[0];

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, handle, cleaner, event), 0);
    rig.tasks++;
    vg_task_cancel(handle); /* before its first poll */
    rig_run(&rig);
    CHECK(event[SHIELDED].waiter != NULL);
    event_set(&event[SHIELDED]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct cleaner), 1);
    rig_close(&rig);
}

/* ---- one child in every state, cancelled and awaited ----------------------------------------- */

enum { CHILD, GO, CANCEL, STEPS };

struct canceller {
    VG_FRAME(int);
    struct event *event; /* STEPS */
    enum vg_state state; /* of the child when it is cancelled */
    unsigned polls;
    VG_ARMS(2) arms;
    struct event_wait wait[STEPS];
};

VG_ASYNC(canceller)
{
    VG_BEGIN(f);
    int rc;
    event_wait_counted(&f->wait[CHILD], &f->event[CHILD], &f->polls);
    if (f->state == VG_DONE)
        VG_AWAIT(rc, &f->wait[CHILD]);
    if (f->state == VG_KEPT || f->state == VG_PARKED) {
        const struct vg_arm child = {&f->wait[CHILD].fut,
                                     f->state == VG_KEPT ? VG_POLICY_KEEP : VG_POLICY_PARK, true,
                                     false};
        VG_AWAIT(rc, VG_SELECT(f->arms, child, VG_CANCEL(event_wait(&f->wait[GO], &f->event[GO]))));
        CHECK_EQ(rc, 1);
        SCRIBBLE(&f->arms);
    }
    VG_AWAIT(rc, event_wait(&f->wait[CANCEL], &f->event[CANCEL]));
    VG_AWAIT_CANCEL(rc, &f->wait[CHILD]);
    VG_RETURN(rc);
}

static struct canceller *canceller(struct canceller *f, struct event *event, enum vg_state state)
{
    VG_SETUP(f, canceller);
    f->event = event;
    f->state = state;
    f->polls = 0;
    return f;
}

/* The result of the cancelled child, whose event is set beforehand or not. */
static int cancel_child(enum vg_state state, bool set)
{
    struct rig rig;
    struct event event[STEPS] = {{.set = false}};
    int ret;

    rig_open(&rig);
    rig_spawn(&rig, canceller, event, state);
    event_set(&event[GO]);
    rig_run(&rig);
    if (set)
        event_set(&event[CHILD]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[CANCEL]);
    rig_run(&rig);
    ret = RIG_RET(&rig, 0, struct canceller);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    rig_close(&rig);
    return ret;
}

TEST(a_child_that_never_started_ends_cancelled)
{
    CHECK_EQ(cancel_child(VG_INIT, false), -ECANCELED);
}

TEST(a_kept_child_ends_cancelled)
{
    CHECK_EQ(cancel_child(VG_KEPT, false), -ECANCELED);
}

TEST(a_kept_child_that_has_ended_keeps_its_result)
{
    CHECK_EQ(cancel_child(VG_KEPT, true), 0);
}

TEST(a_parked_child_ends_cancelled)
{
    CHECK_EQ(cancel_child(VG_PARKED, false), -ECANCELED);
}

TEST(a_parked_child_whose_wake_was_skipped_ends_with_its_real_result)
{
    CHECK_EQ(cancel_child(VG_PARKED, true), 0);
}

TEST(a_finished_child_keeps_its_result)
{
    CHECK_EQ(cancel_child(VG_DONE, true), 0);
}

/* ---- what a cancelled task hands down -------------------------------------------------------- */

/* Keeps one child, parks one, awaits a third. */
struct family {
    VG_FRAME(int);
    struct event *event; /* STEPS */
    VG_ARMS(3) arms;
    struct event_wait kept, parked, go, awaited;
    int won, rc[3];
};

VG_ASYNC(family)
{
    VG_BEGIN(f);
    VG_AWAIT(f->won, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->kept, &f->event[CHILD])),
                               VG_PARK(event_wait(&f->parked, &f->event[STEPS])),
                               VG_CANCEL(event_wait(&f->go, &f->event[GO]))));
    VG_AWAIT(f->rc[0], event_wait(&f->awaited, &f->event[CANCEL]));
    VG_AWAIT_SHIELDED(f->rc[1], &f->kept);
    VG_AWAIT_SHIELDED(f->rc[2], &f->parked);
    VG_RETURN(f->won);
}

static struct family *family(struct family *f, struct event *event)
{
    VG_SETUP(f, family);
    f->event = event;
    return f;
}

TEST(a_cancelled_frame_cancels_its_kept_and_parked_children_too)
{
    struct rig rig;
    struct event event[STEPS + 1] = {{.set = false}};
    const struct family *f;

    rig_open(&rig);
    rig_spawn(&rig, family, event);
    event_set(&event[GO]);
    rig_run(&rig);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(f->rc[i], -ECANCELED);
    CHECK_EQ(rig_polls(&rig, 0), 3); /* one poll for all of it */
    rig_close(&rig);
}

/* A select in a cancelled frame: what it would keep is cancelled. */
TEST(a_cancelled_select_ends_when_all_its_arms_have)
{
    struct rig rig;
    struct event event[STEPS + 1] = {{.set = false}};
    const struct family *f;

    rig_open(&rig);
    rig_spawn(&rig, family, event);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->ret, -ECANCELED);
    CHECK_EQ(f->kept.ret, -ECANCELED);
    CHECK_EQ(f->parked.ret, -ECANCELED);
    CHECK_EQ(f->go.ret, -ECANCELED);
    rig_close(&rig);
}

TEST(an_arm_woken_before_the_cancel_still_wins)
{
    struct rig rig;
    struct event event[STEPS + 1] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, family, event);
    event_set(&event[GO]);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct family), 2);
    rig_close(&rig);
}

/* Keeps a wait while it cleans up. */
struct late {
    VG_FRAME(int);
    struct event *event; /* two */
    VG_ARMS(2) arms;
    struct event_wait wait[2];
};

VG_ASYNC(late)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT_SHIELDED(rc, VG_SELECT(f->arms, VG_KEEP(event_wait(&f->wait[0], &f->event[0])),
                                    VG_CANCEL(event_wait(&f->wait[1], &f->event[1]))));
    CHECK_EQ(rc, 1);
    VG_AWAIT_SHIELDED(rc, &f->wait[0]);
    VG_RETURN(rc);
}

static struct late *late(struct late *f, struct event *event)
{
    VG_SETUP(f, late);
    f->event = event;
    return f;
}

TEST(a_child_left_to_a_cancelled_frame_is_cancelled)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, late, event);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(event[0].waiter != NULL && event[1].waiter != NULL);
    event_set(&event[1]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct late), -ECANCELED);
    rig_close(&rig);
}

/* ---- the request itself ---------------------------------------------------------------------- */

struct stubborn {
    struct vg_future fut;
    int ret;
    unsigned asked;
    struct event_wait wait;
};

static vg_poll stubborn_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct stubborn *s = (struct stubborn *)(void *)fut;

    s->ret = (int)s->asked;
    return vg_poll_future(&s->wait.fut, cx);
}

static void stubborn_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    ((struct stubborn *)(void *)fut)->asked++;
}

static struct vg_future *stubborn_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? (struct vg_future *)(uintptr_t) &
                        ((const struct stubborn *)(const void *)fut)->wait.fut
                  : NULL;
}

static struct stubborn *stubborn(struct stubborn *s, struct event *event)
{
    static const struct vg_ops ops = {
        .poll = stubborn_poll,
        .cancel = stubborn_cancel,
        .child = stubborn_child,
        .name = "stubborn",
        .size = sizeof(struct stubborn),
        .kind = VG_KIND_NODE,
    };

    vg_future_init(&s->fut, &ops);
    s->asked = 0;
    event_wait(&s->wait, event);
    return s;
}

struct patient {
    VG_FRAME(int);
    struct event *event; /* two */
    VG_ARMS(2) arms;
    struct stubborn stubborn;
    struct event_wait wait;
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(stubborn(&f->stubborn, &f->event[0])),
                           VG_CANCEL(event_wait(&f->wait, &f->event[1]))));
    CHECK_EQ(rc, 1);
    VG_RETURN(f->stubborn.ret);
}

static struct patient *patient(struct patient *f, struct event *event)
{
    VG_SETUP(f, patient);
    f->event = event;
    return f;
}

TEST(a_future_is_asked_to_end_once_and_awaited_until_it_does)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, patient, event);
    event_set(&event[1]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    vg_task_cancel(&rig.task[0]);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct patient), 1);
    rig_close(&rig);
}

TEST(a_task_that_has_ended_is_not_disturbed_by_a_cancel)
{
    struct rig rig;
    struct event event[2] = {{.set = true}, {.set = true}};

    rig_open(&rig);
    rig_spawn(&rig, cleaner, event);
    CHECK_EQ(RIG_RET(&rig, 0, struct cleaner), 1);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    rig_close(&rig);
}
