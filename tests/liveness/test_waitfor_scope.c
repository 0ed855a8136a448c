/* SPDX-License-Identifier: MIT */
#include <vigil/scope.h>

#include "lab.h"

/* A task that waits for its children, which wait for what it has. */

enum { SEEDS = 30 };

struct member {
    VG_FRAME(int);
    struct vg_mutex *mutex; /* NULL: sleeps */
    uint64_t ms;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(member)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->ms)));
    if (f->mutex != NULL) {
        VG_TRY(f->ret, vg_lock(&f->lock, f->mutex));
        vg_unlock(f->mutex);
    }
    VG_RETURN(0);
}

static struct member *member(struct member *f, struct vg_mutex *mutex, uint64_t ms)
{
    VG_SETUP(f, member);
    f->mutex = mutex;
    f->ms = ms;
    return f;
}

struct leader {
    VG_FRAME(int);
    struct vg_mutex *held, *wanted; /* by itself, by one of the children */
    struct vg_lock lock;
    struct vg_scope scope;
};

VG_ASYNC(leader)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_lock(&f->lock, f->held));
    vg_scope_open(&f->scope, "team", VG_SCOPE_CANCEL);
    CHECK_EQ(VG_SCOPE_SPAWN(&f->scope, member, NULL, 200), 0);
    CHECK_EQ(VG_SCOPE_SPAWN(&f->scope, member, f->wanted, 10), 0);
    CHECK_EQ(VG_SCOPE_SPAWN(&f->scope, member, NULL, 300), 0);
    VG_AWAIT(f->ret, &f->scope);
    vg_unlock(f->held);
    VG_RETURN(0);
}

static int lead(struct lab *lab, bool same)
{
    static struct leader f;

    VG_SETUP(&f, leader);
    f.held = &lab->mutex;
    f.wanted = same ? &lab->mutex : &lab->other;
    return lab_run(lab, &f.fut);
}

TEST(a_ring_through_a_scope_is_found_when_only_the_child_in_it_is_left)
{
    FOR_SEEDS (seed, SEEDS) {
        const struct lab_report *seen;
        struct lab lab;

        lab_open(&lab, seed, true);
        CHECK_EQ(lead(&lab, true), -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_WAIT_CYCLE);
        CHECK(seen->ms >= 300 && seen->ms <= 350);
        CHECK_EQ(seen->report.ring_length, 2);
        CHECK_STR(seen->text, "in scope in leader at ");
        CHECK_STR(seen->text, "in vg_lock in member at ");
        CHECK_STR(seen->text, "for mutex \"L\"");
        lab_close(&lab);
    }
}

TEST(children_that_come_to_their_ends_are_waited_for_in_silence)
{
    FOR_SEEDS (seed, SEEDS) {
        struct lab lab;

        lab_open(&lab, seed, true);
        CHECK_EQ(lead(&lab, false), 0);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
