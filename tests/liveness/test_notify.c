/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "lab.h"

/*
 * A task listens by a future that it parks, is notified, and listens again by another one. The first future has what the
 * second one waits for.
 */

struct listener {
    VG_FRAME(int);
    struct vg_notifier *notifier;
    bool drops;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_notified first, second;
};

VG_ASYNC(listener)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_notified(&f->first, f->notifier)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    if (f->drops)
        VG_AWAIT_CANCEL(f->rc, &f->first);
    vg_notify_one(f->notifier);
    VG_AWAIT(f->ret, vg_notified(&f->second, f->notifier));
    if (!f->drops)
        VG_AWAIT_CANCEL(f->rc, &f->first);
    VG_RETURN(f->ret);
}

static struct listener *listener(struct listener *f, struct vg_notifier *notifier, bool drops)
{
    VG_SETUP(f, listener);
    f->notifier = notifier;
    f->drops = drops;
    return f;
}

struct run {
    struct lab lab;
    struct vg_notifier notifier;
    struct listener root;
};

static int go(struct run *run, uint64_t seed, bool drops, bool healing)
{
    lab_open(&run->lab, seed, healing);
    vg_notifier_init(&run->notifier, "N");
    return lab_run(&run->lab, &listener(&run->root, &run->notifier, drops)->fut);
}

static void finish(struct run *run)
{
    lab_close(&run->lab);
    vg_notifier_fini(&run->notifier);
}

TEST(a_notification_that_is_with_a_parked_wait_is_reported)
{
    FOR_SEEDS (seed, 100) {
        struct run run;
        const struct lab_report *seen;

        CHECK_EQ(go(&run, seed, false, false), -EDEADLK);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK(seen->report.granted);
        CHECK_EQ(strcmp(seen->report.starved.type, "vg_notified"), 0);
        CHECK_EQ(strcmp(seen->report.blocked.type, "vg_notified"), 0);
        CHECK_STR(seen->text, "notifier \"N\"");
        CHECK_STR(seen->text, "vg_notified(&f->second, f->notifier)");
        finish(&run);
    }
}

TEST(with_healing_the_second_wait_gets_it)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        CHECK_EQ(go(&run, seed, false, true), 0);
        CHECK_EQ(run.root.ret, 0);
        CHECK_EQ(lab_ms(&run.lab), 10);
        finish(&run);
    }
}

TEST(a_wait_that_was_really_dropped_holds_up_nobody)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        CHECK_EQ(go(&run, seed, true, seed % 2), 0);
        CHECK_EQ(run.root.ret, 0);
        lab_silent(&run.lab);
        finish(&run);
    }
}
