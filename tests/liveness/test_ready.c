/* SPDX-License-Identifier: MIT */
#include "quiet.h"

/* A select is given an arm whose result it has delivered before. */

struct repeat {
    VG_FRAME(int);
    bool guarded, done;
    int arm, rounds;
    VG_ARMS(2) sel;
    struct vg_sleep once, tick;
};

static int repeat_line;

VG_ASYNC(repeat)
{
    VG_BEGIN(f);
    vg_sleep(&f->once, VG_MSEC(10));
    for (f->rounds = 0; f->rounds < 3; f->rounds++) {
        repeat_line = __LINE__ + 1;
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_WHEN(!f->guarded || !f->done, VG_KEEP(&f->once)),
                                   VG_CANCEL(vg_sleep(&f->tick, VG_MSEC(50)))));
        f->done = f->done || f->arm == 0;
    }
    VG_RETURN(0);
}

static struct repeat *repeat(struct repeat *f, bool guarded)
{
    VG_SETUP(f, repeat);
    f->guarded = guarded;
    f->done = false;
    return f;
}

TEST(an_arm_that_was_taken_before_is_reported)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct repeat root;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &repeat(&root, false)->fut), 0);
        CHECK_EQ(lab.count, 2);
        CHECK_EQ(lab.seen[0].report.verdict, VG_VERDICT_POLL_AFTER_READY);
        CHECK_EQ(lab.seen[0].at, 10);
        CHECK_EQ(lab.seen[1].at, 60);
        CHECK_EQ(strcmp(lab.seen[0].report.parent.site->func, "repeat_body"), 0);
        CHECK(lab.seen[0].report.parent.site->line >= repeat_line);
        CHECK_STR(lab.seen[0].text, "VG_WHEN");
        CHECK_EQ(lab.ends, 0);
        lab_close(&lab);
    }
}

TEST(an_arm_that_is_guarded_is_not)
{
    QUIET({
        struct repeat root;
        CHECK_EQ(lab_run(&lab, &repeat(&root, true)->fut), 0);
    });
}
