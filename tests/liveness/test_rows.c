/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include "lab.h"

/*
 * What happens again and again to one task: it is told once, and that it is over. Here a loop receives from two channels with a biased
 * select, a round a millisecond. There is always something in the first as long as the loop itself puts it there.
 */

enum { FEEDS = 200, LOOK = 16 };

struct loop {
    VG_FRAME(int);
    struct vg_mpsc first, second;
    int slot[2][4];
    unsigned rounds, i; /* as many; the first FEEDS of them find something in the first */
    uint64_t rest;      /* ms that it sleeps when it is done */
    int rc, item;
    VG_ARMS(2) sel;
    struct vg_receive recv1, recv2;
    struct vg_sleep nap;
};

VG_ASYNC(loop)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < f->rounds; f->i++) {
        if (f->i < FEEDS)
            CHECK_EQ(vg_mpsc_try_send(&f->first, &f->item), 0);
        vg_mpsc_recv(&f->recv1, &f->first, &f->item);
        vg_mpsc_recv(&f->recv2, &f->second, &f->item);
        VG_AWAIT(f->rc, VG_SELECT_BIASED(f->sel, VG_CANCEL(&f->recv1), VG_CANCEL(&f->recv2)));
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    }
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->rest)));
    VG_RETURN(0);
}

static void run(struct lab *lab, struct loop *f, unsigned rounds, uint64_t rest)
{
    VG_SETUP(f, loop);
    vg_mpsc_init(&f->first, "first", f->slot[0], 4);
    vg_mpsc_init(&f->second, "second", f->slot[1], 4);
    f->rounds = rounds;
    f->rest = rest;
    f->item = 1;
    CHECK_EQ(vg_mpsc_try_send(&f->second, &f->item), 0);
    CHECK_EQ(lab_run(lab, &f->fut), 0);
}

/* The first look that finds the arm ready comes after LOOK rounds; what is told lasts from then on. */
static void check_ended(const struct lab *lab, uint64_t last_round, uint64_t told_by)
{
    const struct lab_report *seen = lab_only(lab, VG_VERDICT_ARM_STARVED), *end = &lab->end[0];
    const uint64_t lasted = VG_MSEC(last_round - (LOOK - 1));

    CHECK_EQ(lab->ends, 1);
    CHECK_EQ(end->report.verdict, VG_VERDICT_ARM_STARVED);
    CHECK_EQ(end->report.task, seen->report.task);
    CHECK_STR(end->text, "vigil: arm-starved ended: task ");
    CHECK_STR(end->text, "is let through again, after ");
    /* the scan, which comes every 10 ms, has last seen it go on before */
    CHECK(end->report.lasted <= lasted && end->report.lasted + VG_MSEC(10) >= lasted);
    CHECK(end->ms >= last_round && end->ms <= told_by);
}

TEST(an_arm_that_is_come_to_is_not_starved_any_more)
{
    FOR_SEEDS (seed, 50) {
        static struct loop f;
        struct lab lab;

        lab_open(&lab, seed, false);
        run(&lab, &f, FEEDS + 1, 100);
        check_ended(&lab, FEEDS - 1, FEEDS + 10);
        lab_close(&lab);
    }
}

TEST(a_loop_that_is_left_is_over_ten_seconds_later)
{
    static struct loop f;
    struct lab lab;

    lab_open(&lab, 1, false);
    run(&lab, &f, FEEDS, 60000);
    check_ended(&lab, FEEDS - 1, FEEDS + 10000 + 10);
    CHECK(lab.end[0].ms >= FEEDS - 1 + 10000);
    lab_close(&lab);
}

TEST(a_task_that_has_ended_starves_nothing)
{
    static struct loop f;
    struct lab lab;

    lab_open(&lab, 1, false);
    run(&lab, &f, FEEDS, 0);
    (void)sim_run(&lab.sim, lab.exec, lab_is_empty, &lab, VG_MSEC(50));
    check_ended(&lab, FEEDS - 1, FEEDS + 20);
    lab_close(&lab);
}
