/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Hand-written futures that do not say what they are made of: they are entered at their own node. */

/* ---- two events behind an opaque future ------------------------------------------------------ */

enum { A, B, PAIR };

/* Polls those of its two waits that `looks_at` names; ready when both have ended. */
struct behind {
    struct vg_future fut;
    int ret;
    unsigned polls, looks_at;
    bool ends_early;
    unsigned leaves; /* when it ends early: enum vg_state for the second wait; 0: none */
    struct event_wait wait[PAIR];
};

static vg_poll behind_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct behind *b = (struct behind *)(void *)fut;
    bool ready = true;

    b->polls++;
    for (unsigned i = 0; i < PAIR; i++)
        if (b->looks_at & 1u << i)
            ready = vg_poll_future(&b->wait[i].fut, cx).ready && ready;
    if (b->ends_early && vg_done(&b->wait[A].fut)) {
        if (b->leaves != 0)
            vg_leave(&b->wait[B].fut, (enum vg_state)b->leaves, cx);
        return VG_READY;
    }
    return (vg_poll){ready && vg_done(&b->wait[A].fut) && vg_done(&b->wait[B].fut)};
}

static struct behind *behind(struct behind *b, struct event *event, unsigned *polls)
{
    static const struct vg_ops ops = {
        .poll = behind_poll,
        .name = "behind",
        .size = sizeof(struct behind),
        .kind = VG_KIND_OPAQUE,
    };

    vg_future_init(&b->fut, &ops);
    b->ret = 0;
    b->polls = 0;
    b->looks_at = 1u << A | 1u << B;
    b->ends_early = false;
    b->leaves = 0;
    event_wait_counted(&b->wait[A], &event[A], &polls[A]);
    event_wait_counted(&b->wait[B], &event[B], &polls[B]);
    return b;
}

struct hand {
    VG_FRAME(int);
    struct event *event;
    unsigned *polls;
    unsigned leaves;
    bool ends_early;
    struct behind behind;
    struct event_wait last;
};

VG_ASYNC(hand)
{
    VG_BEGIN(f);
    int rc;
    behind(&f->behind, f->event, f->polls)->leaves = f->leaves;
    f->behind.ends_early = f->ends_early;
    VG_AWAIT(rc, &f->behind);
    SCRIBBLE(&f->behind.fut);
    VG_AWAIT(rc, event_wait(&f->last, &f->event[PAIR]));
    if (f->leaves == VG_PARKED)
        VG_AWAIT(rc, &f->behind.wait[B]);
    VG_RETURN(rc);
}

static struct hand *hand(struct hand *f, struct event *event, unsigned *polls, bool ends_early,
                         unsigned leaves)
{
    VG_SETUP(f, hand);
    f->event = event;
    f->polls = polls;
    f->leaves = leaves;
    f->ends_early = ends_early;
    return f;
}

struct opaque_rig {
    struct rig rig;
    struct event event[PAIR + 1];
    unsigned polls[PAIR];
    struct behind *behind;
};

static void open_opaque(struct opaque_rig *o, bool ends_early, unsigned leaves)
{
    struct hand *f;

    memset(o->event, 0, sizeof o->event);
    memset(o->polls, 0, sizeof o->polls);
    rig_open(&o->rig);
    rig_spawn(&o->rig, hand, o->event, o->polls, ends_early, leaves);
    f = (struct hand *)(void *)vg_task_root(o->rig.task[0].task);
    o->behind = &f->behind;
}

TEST(an_opaque_future_is_entered_once_for_all_that_was_woken_below_it)
{
    struct opaque_rig o;

    open_opaque(&o, false, 0);
    event_poke(&o.event[A]);
    event_poke(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.behind->polls, 2);
    CHECK_EQ(o.polls[A], 2);
    CHECK_EQ(o.polls[B], 2);
    event_set(&o.event[A]);
    event_set(&o.event[B]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(o.polls[A], 3);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(an_opaque_future_polls_its_running_children_from_the_top)
{
    struct opaque_rig o;

    open_opaque(&o, false, 0);
    event_set(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.behind->polls, 2);
    CHECK_EQ(o.polls[A], 2); /* not woken, and polled all the same */
    event_set(&o.event[A]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    CHECK_EQ((unsigned)o.rig.task[0].task->fences, 0);
    rig_close(&o.rig);
}

TEST(a_leaf_that_its_opaque_parent_does_not_poll_stays_owed_until_it_does)
{
    struct opaque_rig o;

    open_opaque(&o, false, 0);
    o.behind->looks_at = 1u << A;
    event_set(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.behind->polls, 2);
    CHECK_EQ(o.polls[B], 1);
    CHECK_EQ(vg_exec_owing(o.rig.exec), 1);
    o.behind->looks_at |= 1u << B;
    event_poke(&o.event[A]);
    rig_run(&o.rig);
    CHECK_EQ(o.behind->polls, 3);
    CHECK_EQ(o.polls[B], 2);
    CHECK_EQ(vg_exec_owing(o.rig.exec), 0);
    event_set(&o.event[A]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(an_opaque_future_is_not_entered_again_for_what_it_did_not_poll)
{
    struct opaque_rig o;

    open_opaque(&o, false, 0);
    o.behind->looks_at = 1u << A;
    event_poke(&o.event[A]);
    event_set(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.behind->polls, 2);
    CHECK_EQ(o.polls[B], 1);
    o.behind->looks_at |= 1u << B;
    event_set(&o.event[A]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

static void poke_first_once(void *arg)
{
    struct opaque_rig *o = arg;

    if (o->polls[B]++ == 1)
        event_poke(&o->event[A]); /* which has been polled before */
}

TEST(a_wake_that_comes_while_an_opaque_future_is_polled_enters_it_again)
{
    struct opaque_rig o;

    open_opaque(&o, false, 0);
    o.behind->wait[B].hook = poke_first_once;
    o.behind->wait[B].arg = &o;
    event_poke(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(rig_polls(&o.rig, 0), 2);
    CHECK_EQ(o.behind->polls, 3);
    event_set(&o.event[A]);
    event_set(&o.event[B]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(a_child_left_to_be_kept_is_driven_by_its_own_wakes)
{
    struct opaque_rig o;

    open_opaque(&o, true, VG_KEPT);
    event_set(&o.event[A]);
    rig_run(&o.rig);
    event_set(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.polls[B], 3);
    CHECK(vg_done(&o.behind->wait[B].fut));
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(a_child_left_parked_waits_until_it_is_awaited)
{
    struct opaque_rig o;

    open_opaque(&o, true, VG_PARKED);
    event_set(&o.event[A]);
    rig_run(&o.rig);
    event_set(&o.event[B]);
    rig_run(&o.rig);
    CHECK_EQ(o.polls[B], 2);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(o.polls[B], 3);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(a_child_left_by_an_opaque_future_that_did_not_poll_it_is_polled_if_it_was_woken)
{
    struct opaque_rig o;

    open_opaque(&o, true, VG_KEPT);
    o.behind->looks_at = 1u << A;
    event_set(&o.event[B]);
    event_set(&o.event[A]);
    rig_run(&o.rig);
    CHECK_EQ(o.polls[B], 2);
    CHECK(vg_done(&o.behind->wait[B].fut));
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    CHECK_EQ(RIG_RET(&o.rig, 0, struct hand), 0);
    rig_close(&o.rig);
}

TEST(an_opaque_future_that_ends_before_its_children_panics)
{
    struct opaque_rig o;

    open_opaque(&o, true, 0);
    event_set(&o.event[A]);
    CHECK_PANICS("behind has ended with 1 running children", rig_run(&o.rig));
    o.behind->leaves = VG_KEPT;
    rig_run(&o.rig);
    event_set(&o.event[B]);
    event_set(&o.event[PAIR]);
    rig_run(&o.rig);
    rig_close(&o.rig);
}

/* ---- one below the other --------------------------------------------------------------------- */

struct nested {
    VG_FRAME(int);
    struct event *event;
    unsigned *polls; /* of the outer, the middle, the inner, the leaf */
    struct event_wait wait;
    struct around outer, middle, inner;
};

VG_ASYNC(nested)
{
    VG_BEGIN(f);
    int rc;
    event_wait_counted(&f->wait, f->event, &f->polls[3]);
    opaque(&f->inner, &f->wait.fut, &f->polls[2]);
    around(&f->middle, &f->inner.fut, &f->polls[1]);
    opaque(&f->outer, &f->middle.fut, &f->polls[0]);
    VG_AWAIT(rc, &f->outer);
    VG_RETURN(rc);
}

static struct nested *nested(struct nested *f, struct event *event, unsigned *polls)
{
    VG_SETUP(f, nested);
    f->event = event;
    f->polls = polls;
    return f;
}

TEST(the_outermost_opaque_future_is_entered)
{
    struct rig rig;
    struct event event = {.set = false};
    unsigned polls[4] = {0};

    rig_open(&rig);
    rig_spawn(&rig, nested, &event, polls);
    CHECK_EQ((unsigned)rig.task[0].task->fences, 2);
    event_poke(&event);
    rig_run(&rig);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(polls[i], 2);
    event_set(&event);
    rig_run(&rig);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(polls[i], 3);
    CHECK(rig_done(&rig, 0));
    CHECK_EQ((unsigned)rig.task[0].task->fences, 0);
    rig_close(&rig);
}
