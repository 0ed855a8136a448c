/* SPDX-License-Identifier: MIT */
#include "lab.h"

/* Many children and many victims are one finding, and text of bounded length. */

enum { CHILDREN = 200 };

struct crowd {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    size_t i;
    struct vg_select sel;
    struct vg_arm arms[CHILDREN + 1], given[CHILDREN + 1];
    struct holder child[CHILDREN];
    struct vg_sleep nap;
};

/* Parks all children; each holds a mutex of its own by then, and sleeps until 50 ms. */
VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_select(&f->sel, f->arms, f->given, CHILDREN + 1));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(500)));
    for (f->i = 0; f->i < CHILDREN; f->i++)
        VG_AWAIT(f->rc, &f->child[f->i]);
    VG_RETURN(0);
}

static struct vg_mutex mutexes[CHILDREN];

static struct crowd *crowd(struct crowd *f, struct lab *lab)
{
    VG_SETUP(f, crowd);
    f->lab = lab;
    for (size_t i = 0; i < CHILDREN; i++) {
        vg_mutex_init(&mutexes[i], "own");
        f->given[i] = VG_PARK(holder(&f->child[i], lab, &mutexes[i], 0, 50));
    }
    f->given[CHILDREN] = VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)));
    return f;
}

TEST(two_hundred_children_that_one_frame_does_not_poll_are_one_finding)
{
    FOR_SEEDS (seed, 20) {
        static struct crowd root;
        struct lab lab;
        const struct lab_report *seen;

        memset(&root, 0, sizeof root);
        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &crowd(&root, &lab)->fut), 0);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK_EQ(seen->ms, 150);
        CHECK(seen->report.also >= 63);
        CHECK_STR(seen->text, "more woken futures");
        CHECK_STR(seen->text, "nobody polls this");
        CHECK_STR(seen->text, " more)");
        CHECK(strlen(seen->text) < 8192 - 1);
        CHECK_EQ(lab.ends, 1);
        lab_close(&lab);
    }
}

struct stuck {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_lock first, second;
    struct vg_sleep nap;
};

static int stuck_line;

VG_ASYNC(stuck)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->first, &f->lab->mutex)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    stuck_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_lock(&f->second, &f->lab->mutex));
    VG_AWAIT_CANCEL(f->rc, &f->first);
    VG_RETURN(0);
}

static struct stuck *stuck(struct stuck *f, struct lab *lab)
{
    VG_SETUP(f, stuck);
    f->lab = lab;
    return f;
}

TEST(tasks_that_queue_behind_a_futurelock_are_victims_and_not_findings)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct stuck root;
        const struct lab_report *seen;

        lab_open(&lab, seed, false);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 300), 0);
        for (uint64_t i = 0; i < 100; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 5, 0), 0);
        CHECK_EQ(lab_run(&lab, &stuck(&root, &lab)->fut), -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 11);
        CHECK_EQ(seen->report.waiters, 102);
        CHECK_STR(seen->text, "102 in its queue");
        /* The parked future is the bare lock: no frame awaits it any more. */
        CHECK(seen->report.starved.site == NULL);
        CHECK_EQ(strcmp(seen->report.parent.frame, "stuck"), 0);
        CHECK_SITE(seen, seen->report.blocked.site, stuck, stuck_line);
        lab_close(&lab);
    }
}
