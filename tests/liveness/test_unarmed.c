/* SPDX-License-Identifier: MIT */
#include "flag.h"

/* Futures that are pending while nothing can wake them. */

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

/* Cancels a task that hangs. */
struct rescuer {
    VG_FRAME(int);
    struct vg_handle *handle;
    struct vg_sleep nap;
};

VG_ASYNC(rescuer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    vg_task_cancel(f->handle);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    VG_RETURN(0);
}

static struct rescuer *rescuer(struct rescuer *f, struct vg_handle *handle)
{
    VG_SETUP(f, rescuer);
    f->handle = handle;
    return f;
}

TEST(a_hang_that_ends_while_its_task_goes_on_at_the_same_place)
{
    FOR_SEEDS (seed, 50) {
        struct vg_handle handle = {NULL};
        struct flag flag = {.set = false};
        struct rescuer root;
        struct lab lab;

        lab_open(&lab, seed, true);
        CHECK_EQ(VG_SPAWN(lab.exec, &handle, waiting, &flag, ASKED_TO_END), 0);
        CHECK_EQ(lab_run(&lab, &rescuer(&root, &handle)->fut), 0);
        (void)lab_only(&lab, VG_VERDICT_UNARMED_PENDING);
        CHECK_EQ(lab.ends, 1);
        CHECK(lab.end[0].ms <= 120);
        CHECK(!vg_task_done(&handle));
        set_flag(&flag);
        vg_task_release(&handle);
        run_all(&lab);
        lab_close(&lab);
    }
}
