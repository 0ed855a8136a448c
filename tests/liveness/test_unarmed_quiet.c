/* SPDX-License-Identifier: MIT */
#include "flag.h"

/* Futures that only look as if nothing could wake them. */

static void check_silent(enum fault fault)
{
    QUIET({
        struct flag flag = {.set = false};
        struct waiting root;
        run_pair(&lab, &root, &flag, fault, 0);
        run_all(&lab);
    });
}

TEST(a_future_that_leaves_its_waiter_is_not_reported)
{
    check_silent(WAITS_PROPERLY);
}

TEST(a_future_whose_child_is_pending_is_not_reported)
{
    check_silent(WAITS_BY_CHILD);
}

TEST(a_future_that_hands_out_a_waker_is_not_reported)
{
    check_silent(WAITS_BY_WAKER);
}

/* Selects that begin with arms that are waiting already: they arm nothing themselves. */
struct resuming {
    VG_FRAME(int);
    int arm;
    VG_ARMS(2) sel;
    struct vg_sleep nap, tick;
};

VG_ASYNC(resuming)
{
    VG_BEGIN(f);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_KEEP(vg_sleep(&f->nap, VG_MSEC(100))),
                               VG_CANCEL(vg_sleep(&f->tick, VG_MSEC(10)))));
    CHECK_EQ(f->arm, 1);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_KEEP(&f->nap)));
    CHECK_EQ(f->arm, 0);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_KEEP(vg_sleep(&f->nap, VG_MSEC(100))),
                               VG_CANCEL(vg_sleep(&f->tick, VG_MSEC(10)))));
    CHECK_EQ(f->arm, 1);
    VG_AWAIT(f->arm, VG_SELECT_BIASED(f->sel, VG_KEEP(&f->nap)));
    VG_RETURN(0);
}

static struct resuming *resuming(struct resuming *f)
{
    VG_SETUP(f, resuming);
    return f;
}

TEST(a_select_that_takes_over_what_waits_already_is_not_reported)
{
    QUIET({
        struct resuming root;
        CHECK_EQ(lab_run(&lab, &resuming(&root)->fut), 0);
    });
}

/* It ends in the very poll that starts it, before anything would have to wake it. */
struct short_lived {
    VG_FRAME(int);
    struct flag flag;
    int arm;
    VG_ARMS(2) sel;
    struct wait wait;
    struct vg_sleep nap;
};

VG_ASYNC(short_lived)
{
    VG_BEGIN(f);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(flag_wait(&f->wait, &f->flag, TELLS_NOBODY)),
                               VG_CANCEL(vg_sleep(&f->nap, 0))));
    CHECK_EQ(f->arm, 1);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    VG_RETURN(0);
}

static struct short_lived *short_lived(struct short_lived *f)
{
    VG_SETUP(f, short_lived);
    f->flag = (struct flag){.set = false};
    return f;
}

TEST(an_arm_that_loses_at_once_is_not_reported)
{
    QUIET({
        struct short_lived root;
        CHECK_EQ(lab_run(&lab, &short_lived(&root)->fut), 0);
    });
}

/* Waits for ever, on purpose: as a task, and as the arm of a select. */
struct eternal {
    VG_FRAME(int);
    int arm;
    VG_ARMS(2) sel;
    struct vg_forever never;
    struct vg_sleep nap;
};

VG_ASYNC(eternal)
{
    VG_BEGIN(f);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(vg_forever(&f->never)),
                               VG_CANCEL(vg_sleep(&f->nap, VG_SEC(1)))));
    CHECK_EQ(f->arm, 1);
    CHECK_EQ(f->never.ret, -ECANCELED);
    VG_AWAIT(f->ret, vg_forever(&f->never));
    VG_RETURN(f->ret);
}

static struct eternal *eternal(struct eternal *f)
{
    VG_SETUP(f, eternal);
    return f;
}

TEST(who_waits_for_ever_on_purpose_is_not_reported)
{
    struct eternal root; /* for it lives until the executor is closed */

    QUIET({
        CHECK_EQ(lab_run(&lab, &eternal(&root)->fut), -EDEADLK);
        CHECK_EQ(lab_ms(&lab) >= 1000, 1);
    });
}
