/* SPDX-License-Identifier: MIT */
#include "lab.h"

/* Other ways in which a task comes to wait for what only its own child can give, and their look-alikes. */

/* ---- the owner itself is parked -------------------------------------------------------------- */

struct greedy {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct holder first;
    struct vg_lock lock;
};

static int greedy_lock_line;

VG_ASYNC(greedy)
{
    VG_BEGIN(f);
    holder(&f->first, f->lab, &f->lab->mutex, 0, 200);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->first), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(50)))));
    greedy_lock_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    if (f->rc == 0)
        vg_unlock(&f->lab->mutex);
    VG_AWAIT_CANCEL(f->rc, &f->first);
    VG_RETURN(0);
}

static struct greedy *greedy(struct greedy *f, struct lab *lab)
{
    VG_SETUP(f, greedy);
    f->lab = lab;
    return f;
}

TEST(a_parked_child_that_owns_the_mutex_is_reported_with_healing_too)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct greedy root;
        const struct lab_report *seen;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(lab_run(&lab, &greedy(&root, &lab)->fut), -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 50);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK(seen->report.owns && seen->report.owned);
        CHECK_EQ(seen->report.owner.task, seen->report.task);
        CHECK_SITE(seen, seen->report.owner.site, holder, holder_lock_line);
        CHECK_SITE(seen, seen->report.blocked.site, greedy, greedy_lock_line);
        CHECK_EQ(strcmp(seen->report.starved.type, "holder"), 0);
        lab_close(&lab);
    }
}

/* ---- the child is granted what its own task gives up ------------------------------------------- */

struct unlocker {
    VG_FRAME(int);
    struct vg_mutex *mutex;
    struct vg_yield yield;
};

VG_ASYNC(unlocker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    vg_unlock(f->mutex);
    VG_RETURN(0);
}

static struct unlocker *unlocker(struct unlocker *f, struct vg_mutex *mutex)
{
    VG_SETUP(f, unlocker);
    f->mutex = mutex;
    return f;
}

struct keeper {
    VG_FRAME(int);
    struct lab *lab;
    bool touch; /* lock the mutex again while the loser is parked */
    int rc;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct holder a;
    struct unlocker b;
    struct vg_sleep nap;
};

static int keeper_lock_line;

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    holder(&f->a, f->lab, &f->lab->mutex, 0, 0);
    unlocker(&f->b, &f->lab->mutex);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(&f->a), VG_PARK(&f->b)));
    CHECK_EQ(f->rc, 1);
    if (f->touch) {
        keeper_lock_line = __LINE__ + 1;
        VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
        if (f->rc == 0)
            vg_unlock(&f->lab->mutex);
    } else {
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_SEC(10)));
    }
    VG_AWAIT(f->rc, &f->a);
    VG_RETURN(0);
}

static struct keeper *keeper(struct keeper *f, struct lab *lab, bool touch)
{
    VG_SETUP(f, keeper);
    f->lab = lab;
    f->touch = touch;
    return f;
}

TEST(a_loser_that_was_granted_what_its_task_awaits_is_reported_at_once)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct keeper root;
        const struct lab_report *seen;

        lab_open(&lab, seed, false);
        CHECK_EQ(lab_run(&lab, &keeper(&root, &lab, true)->fut), -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 0);
        CHECK(seen->ms <= 10);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK(seen->report.granted && !seen->report.owned);
        CHECK_SITE(seen, seen->report.starved.site, holder, holder_lock_line);
        CHECK_SITE(seen, seen->report.blocked.site, keeper, keeper_lock_line);
        CHECK_STR(seen->text, "granted to the starved future");
        CHECK_STR(seen->text, "GRANTED");
        lab_close(&lab);
    }
}

TEST(with_healing_the_grant_goes_on_and_the_program_ends)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct keeper root;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &keeper(&root, &lab, true)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 0);
        CHECK(lab_only(&lab, VG_VERDICT_FUTURELOCK)->report.healed);
        lab_close(&lab);
    }
}

TEST(a_loser_that_was_granted_what_nobody_else_wants_is_only_snoozed)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct keeper root;
        const struct lab_report *seen;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(lab_run(&lab, &keeper(&root, &lab, false)->fut), 0);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK_EQ(seen->ms, 100);
        CHECK_EQ(lab.ends, 1);
        CHECK_EQ(lab.end[0].report.lasted, VG_SEC(10));
        lab_close(&lab);
    }
}

/* ---- the first request belongs to a task of its own --------------------------------------------- */

struct delegate {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_handle handle;
    struct vg_task_wait wait;
    struct vg_sleep nap;
    struct vg_lock lock;
};

VG_ASYNC(delegate)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    CHECK_EQ(VG_SPAWN(f->lab->exec, &f->handle, holder, f->lab, &f->lab->mutex, 0, 0), 0);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_task_wait(&f->wait, &f->handle)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    vg_unlock(&f->lab->mutex);
    VG_AWAIT(f->rc, &f->wait);
    vg_task_release(&f->handle);
    VG_RETURN(0);
}

static struct delegate *delegate(struct delegate *f, struct lab *lab)
{
    VG_SETUP(f, delegate);
    f->lab = lab;
    return f;
}

TEST(a_request_by_another_task_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct delegate root;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 5000), 0);
        CHECK_EQ(lab_run(&lab, &delegate(&root, &lab)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 5000);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* ---- the parked request comes second ------------------------------------------------------------ */

/* Unlocks what the test has locked. */
struct releaser {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t at;
    struct vg_sleep nap;
};

VG_ASYNC(releaser)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep_until(&f->nap, lab_at(f->lab, f->at)));
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct releaser *releaser(struct releaser *f, struct lab *lab, uint64_t at)
{
    VG_SETUP(f, releaser);
    f->lab = lab;
    f->at = at;
    return f;
}

struct orderly {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_lock first, second;
};

VG_ASYNC(orderly)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_KEEP(vg_lock(&f->first, &f->lab->mutex)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->second, &f->lab->mutex)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, &f->first);
    vg_unlock(&f->lab->mutex);
    VG_AWAIT(f->rc, &f->second);
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct orderly *orderly(struct orderly *f, struct lab *lab)
{
    VG_SETUP(f, orderly);
    f->lab = lab;
    return f;
}

TEST(a_parked_request_behind_the_awaited_one_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct orderly root;

        lab_open(&lab, seed, seed % 2);
        CHECK(vg_trylock(&lab.mutex));
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, releaser, &lab, 1000), 0);
        CHECK_EQ(lab_run(&lab, &orderly(&root, &lab)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 1000);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* ---- the report is over when the lock-up is ---------------------------------------------------- */

TEST(a_futurelock_that_is_cancelled_from_outside_is_reported_as_over)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct vg_handle handle;
        struct vg_sleep nap;

        lab_open(&lab, seed, false);
        CHECK_EQ(VG_SPAWN(lab.exec, &handle, keeper, &lab, true), 0);
        CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_SEC(1))->fut), 0);
        lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(lab.ends, 0);
        vg_task_cancel(&handle);
        CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_MSEC(50))->fut), 0);
        CHECK(vg_task_done(&handle));
        CHECK_EQ(lab.count, 1);
        CHECK_EQ(lab.ends, 1);
        CHECK(lab.end[0].report.lasted >= VG_SEC(1));
        vg_task_release(&handle);
        lab_close(&lab);
    }
}
