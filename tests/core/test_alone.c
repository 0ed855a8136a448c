/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "counted_clock.h"

/* A task that is alone on its worker and always ready, and one that comes from outside. */

enum { TURNS = 800 };

/* Yields for ever, but for one injection: of a task that says in which of its turns it ran. */
struct loner {
    VG_FRAME(int);
    unsigned turn, at, met;
    struct vg_yield yield;
};

struct visitor {
    VG_FRAME(int);
    struct loner *loner;
};

VG_ASYNC(visitor)
{
    VG_BEGIN(f);
    f->loner->met = f->loner->turn;
    VG_RETURN(0);
}

static struct visitor *visitor(struct visitor *f, struct loner *loner)
{
    VG_SETUP(f, visitor);
    f->loner = loner;
    return f;
}

/* As by a thread outside. */
static void inject(struct loner *f)
{
    struct vg_worker *const here = vg_worker_here;
    struct vg_exec *const exec = vg_exec_current();

    vg_worker_here = NULL;
    CHECK_EQ(VG_SPAWN(exec, NULL, visitor, f), 0);
    vg_worker_here = here;
}

VG_ASYNC(loner)
{
    VG_BEGIN(f);
    int rc;
    for (f->turn = 0; f->turn < TURNS && f->met == 0; f->turn++) {
        if (f->turn == f->at)
            inject(f);
        VG_AWAIT(rc, vg_yield(&f->yield));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(0);
}

/* In which turn after the injection the visitor ran, at most, wherever in the course of readings and looks it came. */
static unsigned longest_wait(bool exact, uint64_t step)
{
    unsigned longest = 0;

    for (unsigned at = 300; at < 300 + 2 * 64; at++) {
        struct loner f;

        VG_SETUP(&f, loner);
        f.at = at;
        f.met = 0;
        count_on(&f.fut, exact, step);
        CHECK(f.met >= at);
        longest = f.met - at > longest ? f.met - at : longest;
    }
    return longest;
}

TEST(a_task_that_is_alone_and_always_ready_does_not_keep_out_what_comes_from_outside)
{
    CHECK(longest_wait(false, 1) <= 64 + 32);
    CHECK(longest_wait(false, 200) <= 64 + 32);
    CHECK(longest_wait(false, VG_USEC(10)) <= 64 + 32);
    CHECK(longest_wait(true, 1) <= 64 + 32);
}

/* Is alone for a while, then spawns a task that nobody has a handle of, and yields until that one has run. */
struct founder {
    VG_FRAME(int);
    struct loner seen;
    struct vg_yield yield;
};

VG_ASYNC(founder)
{
    VG_BEGIN(f);
    int rc;
    for (f->seen.turn = 0; f->seen.turn < TURNS && f->seen.met == 0; f->seen.turn++) {
        if (f->seen.turn == f->seen.at)
            CHECK_EQ(VG_SPAWN(vg_exec_current(), NULL, visitor, &f->seen), 0);
        VG_AWAIT(rc, vg_yield(&f->yield));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(0);
}

TEST(what_a_task_that_was_alone_spawns_runs_when_it_yields)
{
    for (unsigned at = 1; at < 100; at++) {
        struct founder f;

        VG_SETUP(&f, founder);
        f.seen.at = at;
        f.seen.met = 0;
        count_on(&f.fut, false, 1);
        CHECK_EQ(f.seen.met, at);
    }
}
