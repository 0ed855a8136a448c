/* SPDX-License-Identifier: MIT */
#include <vigil/waker.h>

#include "quiet.h"

/* Futures that are pending while nothing can wake them, and those that only look like it. */

/* How a hand-written future that waits for a flag fails to be told. */
enum fault {
    TELLS_NOBODY,   /* looks at the flag, arms nothing */
    FORGETS_AGAIN,  /* arms a waiter and takes it back in the same poll */
    ASKS_ONLY_ONCE, /* its child was ready, so nothing is armed for the rest */
    WAITS_PROPERLY,
    WAITS_BY_CHILD, /* a child of its own has armed the waiter */
    WAITS_BY_WAKER,
};

struct flag {
    bool set;
    struct vg_waiter *waiter; /* of whoever waits; NULL: nobody does */
    struct vg_waker waker;
};

static void set_flag(struct flag *flag)
{
    flag->set = true;
    if (flag->waiter != NULL) {
        struct vg_waiter *waiter = flag->waiter;

        flag->waiter = NULL;
        vg_notify(vg_wake(waiter));
    }
    vg_waker_wake(flag->waker);
}

struct wait {
    struct vg_future fut;
    int ret;
    struct flag *flag;
    enum fault fault;
    struct vg_waiter waiter;
    struct vg_waker waker;
    struct vg_sleep nap;
};

static vg_poll finish_wait(struct wait *wait, int ret, struct vg_cx *cx)
{
    if (wait->flag->waiter == &wait->waiter)
        wait->flag->waiter = NULL;
    vg_disarm(&wait->waiter, cx);
    vg_waker_disarm(&wait->waker, cx);
    wait->ret = ret;
    return VG_READY;
}

static vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct wait *wait = (struct wait *)(void *)fut;
    const bool child = wait->fault == ASKS_ONLY_ONCE || wait->fault == WAITS_BY_CHILD;

    if (child && !vg_done(&wait->nap.fut))
        (void)vg_poll_child(&wait->nap.fut, cx);
    if (child && !vg_done(&wait->nap.fut))
        return VG_PENDING;
    if (wait->flag->set || wait->fault == WAITS_BY_CHILD)
        return finish_wait(wait, 0, cx);
    if (vg_cancelled(fut))
        return finish_wait(wait, -ECANCELED, cx);
    if (wait->fault == FORGETS_AGAIN) {
        vg_arm(&wait->waiter, fut, cx);
        vg_disarm(&wait->waiter, cx);
    }
    if (wait->fault == WAITS_PROPERLY && wait->flag->waiter == NULL) {
        vg_arm(&wait->waiter, fut, cx);
        wait->flag->waiter = &wait->waiter;
    }
    if (wait->fault == WAITS_BY_WAKER) {
        CHECK_EQ(vg_waker_arm(&wait->waker, fut, cx), 0);
        wait->flag->waker = wait->waker;
    }
    return VG_PENDING;
}

/* So that the executor can be closed. */
static void wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct wait *wait = (struct wait *)(void *)fut;

    if (wait->waiter.flags == 0)
        vg_arm(&wait->waiter, fut, cx);
    vg_kick(&wait->waiter, cx);
}

static struct wait *flag_wait(struct wait *wait, struct flag *flag, enum fault fault)
{
    static const struct vg_ops leaf = {
        .poll = wait_poll,
        .cancel = wait_cancel,
        .name = "flag_wait",
        .size = sizeof(struct wait),
        .kind = VG_KIND_LEAF,
    };
    static const struct vg_ops opaque = {
        .poll = wait_poll,
        .cancel = wait_cancel,
        .name = "flag_wait",
        .size = sizeof(struct wait),
        .kind = VG_KIND_OPAQUE,
    };
    const bool childless = fault == TELLS_NOBODY && flag->set; /* so that both kinds are tried */

    vg_future_init(&wait->fut, childless || fault == WAITS_PROPERLY ? &leaf : &opaque);
    wait->flag = flag;
    wait->fault = fault;
    wait->waiter.flags = 0;
    wait->waker = (struct vg_waker){NULL};
    vg_sleep(&wait->nap, fault == ASKS_ONLY_ONCE ? VG_MSEC(30) : VG_MSEC(300));
    flag->set = false;
    return wait;
}

/* Awaits it. */
struct waiting {
    VG_FRAME(int);
    struct wait wait;
};

static int waiting_line;

VG_ASYNC(waiting)
{
    VG_BEGIN(f);
    waiting_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->wait);
    VG_RETURN(f->ret);
}

static struct waiting *waiting(struct waiting *f, struct flag *flag, enum fault fault)
{
    VG_SETUP(f, waiting);
    flag_wait(&f->wait, flag, fault);
    return f;
}

/* Sets the flag at 100 ms. */
struct setter {
    VG_FRAME(int);
    struct flag *flag;
    struct vg_sleep nap;
};

VG_ASYNC(setter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    set_flag(f->flag);
    VG_RETURN(0);
}

static struct setter *setter(struct setter *f, struct flag *flag)
{
    VG_SETUP(f, setter);
    f->flag = flag;
    return f;
}

static void run_pair(struct lab *lab, struct waiting *root, struct flag *flag, enum fault fault,
                     int rc)
{
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, setter, flag), 0);
    CHECK_EQ(lab_run(lab, &waiting(root, flag, fault)->fut), rc);
}

static void check_hang(enum fault fault, bool as_leaf, uint64_t at)
{
    FOR_SEEDS (seed, 100) {
        struct flag flag = {.set = as_leaf};
        struct waiting root;
        struct lab lab;
        const struct lab_report *seen;

        lab_open(&lab, seed, true);
        run_pair(&lab, &root, &flag, fault, -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_UNARMED_PENDING);
        CHECK_EQ(seen->at, at);
        CHECK(seen->ms <= at + 10);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK(seen->report.hangs);
        CHECK_EQ(strcmp(seen->report.starved.type, "flag_wait"), 0);
        CHECK_EQ(strcmp(seen->report.starved.frame, "waiting"), 0);
        CHECK_SITE(seen, seen->report.starved.site, waiting, waiting_line);
        CHECK_STR(seen->text, "will never run again");
        CHECK_STR(seen->text, "<- waits here");
        CHECK_STR(seen->text, "vg_forever()");
        lab_close(&lab);
        CHECK_EQ(lab.ends, 1); /* it was cancelled */
    }
}

TEST(a_future_that_looks_at_a_flag_and_arms_nothing)
{
    check_hang(TELLS_NOBODY, false, 0);
}

TEST(a_leaf_that_looks_at_a_flag_and_arms_nothing)
{
    check_hang(TELLS_NOBODY, true, 0);
}

TEST(a_future_that_throws_its_registration_away)
{
    check_hang(FORGETS_AGAIN, false, 0);
}

TEST(a_future_whose_child_was_ready_and_that_is_pending_all_the_same)
{
    check_hang(ASKS_ONLY_ONCE, false, 30);
}

/* A sibling keeps the task going. */
struct masked {
    VG_FRAME(int);
    struct flag flag;
    VG_CHILDREN(2) join;
    struct wait wait;
    struct holder other; /* sleeps until 700 ms */
};

VG_ASYNC(masked)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, VG_JOIN(f->join, flag_wait(&f->wait, &f->flag, TELLS_NOBODY), &f->other));
    VG_RETURN(f->ret);
}

static struct masked *masked(struct masked *f, struct lab *lab, bool leaf)
{
    VG_SETUP(f, masked);
    f->flag = (struct flag){.set = leaf};
    holder(&f->other, lab, &lab->mutex, 700, 0);
    return f;
}

TEST(it_is_found_beside_a_sibling_that_keeps_the_task_going)
{
    FOR_SEEDS (seed, 100) {
        struct masked root;
        struct lab lab;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &masked(&root, &lab, seed % 2)->fut), -EDEADLK);
        CHECK_EQ(lab.count, 2);
        CHECK_EQ(lab.seen[0].report.verdict, VG_VERDICT_UNARMED_PENDING);
        CHECK_EQ(lab.seen[0].at, 0);
        CHECK(!lab.seen[0].report.hangs);
        CHECK_EQ(strcmp(lab.seen[0].report.starved.type, "flag_wait"), 0);
        CHECK_STR(lab.seen[0].text, "may hide that");
        CHECK_EQ(lab.seen[1].report.verdict, VG_VERDICT_UNARMED_PENDING);
        CHECK_EQ(lab.seen[1].at, 700);
        CHECK(lab.seen[1].report.hangs);
        lab_close(&lab);
        CHECK_EQ(lab.ends, 1);
    }
}

/* ---- look-alikes ------------------------------------------------------------------------------- */

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
    QUIET({
        struct eternal root;
        CHECK_EQ(lab_run(&lab, &eternal(&root)->fut), -EDEADLK);
        CHECK_EQ(lab_ms(&lab) >= 1000, 1);
    });
}
