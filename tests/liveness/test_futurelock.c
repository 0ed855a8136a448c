/* SPDX-License-Identifier: MIT */
#include "lab.h"

/*
 * A task queues for a mutex by a future that loses its select after 500 ms, and queues for it again in
 * the winner's branch; another task holds the mutex for the first 5 seconds. What the program says about
 * the loser decides.
 */

struct impatient {
    VG_FRAME(int);
    struct lab *lab;
    enum vg_policy policy;
    struct vg_mutex *second; /* mutex to lock in the branch */
    bool drop;               /* the loser is cancelled before */
    uint64_t limit;          /* of the second lock, ms; 0: none */
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct holder first;
    struct vg_lock lock;
    struct vg_timeout timeout;
};

static struct vg_arm first_arm(struct impatient *f)
{
    switch (f->policy) {
    case VG_POLICY_KEEP:
        return VG_KEEP(&f->first);
    case VG_POLICY_PARK:
        return VG_PARK(&f->first);
    default:
        return VG_CANCEL(&f->first);
    }
}

static int second_lock_line;

VG_ASYNC(impatient)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, lab_at(f->lab, 10)));
    holder(&f->first, f->lab, &f->lab->mutex, 0, 0);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, first_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    if (f->drop)
        VG_AWAIT_CANCEL(f->rc, &f->first);
    if (f->limit > 0) {
        vg_lock(&f->lock, f->second);
        VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_MSEC(f->limit), &f->lock));
    } else {
        second_lock_line = __LINE__ + 1;
        VG_AWAIT(f->rc, vg_lock(&f->lock, f->second));
    }
    if (f->rc == 0)
        vg_unlock(f->second);
    if (f->policy != VG_POLICY_CANCEL && !f->drop)
        VG_AWAIT_CANCEL(f->first.rc, &f->first);
    VG_RETURN(f->rc);
}

static struct impatient *impatient(struct impatient *f, struct lab *lab, enum vg_policy policy)
{
    VG_SETUP(f, impatient);
    f->lab = lab;
    f->policy = policy;
    f->second = &lab->mutex;
    f->drop = false;
    f->limit = 0;
    return f;
}

struct run {
    struct lab lab;
    struct impatient root;
    int rc;
};

static void start(struct run *run, uint64_t seed, enum vg_policy policy, bool healing)
{
    lab_open(&run->lab, seed, healing);
    CHECK_EQ(VG_SPAWN(run->lab.exec, NULL, holder, &run->lab, &run->lab.mutex, 0, 5000), 0);
    impatient(&run->root, &run->lab, policy);
}

static void go(struct run *run)
{
    run->rc = lab_run(&run->lab, &run->root.fut);
}

/* One report of a lock-up, with everything that a reader needs in it. */
static void check_names(const struct lab_report *seen)
{
    const struct vg_report *report = &seen->report;

    CHECK_EQ(strcmp(report->task_name, "impatient"), 0);
    CHECK_EQ(strcmp(report->starved.type, "vg_lock"), 0);
    CHECK_EQ(strcmp(report->starved.frame, "holder"), 0);
    CHECK_SITE(seen, report->starved.site, holder, holder_lock_line);
    CHECK(report->parked);
    CHECK_EQ(strcmp(report->parent.frame, "impatient"), 0);
    CHECK_EQ(strcmp(report->blocked.frame, "impatient"), 0);
    CHECK_SITE(seen, report->blocked.site, impatient, second_lock_line);
    CHECK_EQ(strcmp(report->resource_kind, "mutex"), 0);
    CHECK_EQ(strcmp(report->resource_name, "L"), 0);
    CHECK(report->resource_place != NULL);
    CHECK_EQ(strcmp(report->resource_place->func, "lab_open"), 0);
    CHECK_STR(seen->text, "vg_lock(&f->lock, f->mutex)");
    CHECK_STR(seen->text, "mutex \"L\"");
    CHECK_STR(seen->text, "PARKED");
    CHECK_STR(seen->text, "ways out");
    CHECK_STR(seen->text, "exits     none");
}

TEST(a_parked_request_that_stands_before_its_own_task_is_reported_when_the_second_queues)
{
    FOR_SEEDS (seed, 200) {
        struct run run;
        const struct lab_report *seen;

        start(&run, seed, VG_POLICY_PARK, false);
        go(&run);
        CHECK_EQ(run.rc, -EDEADLK);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 510);
        CHECK(seen->ms <= 520);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        check_names(seen);
        CHECK_EQ(seen->report.woken_at, 0);
        CHECK_EQ(seen->report.waiters, 2);
        CHECK(seen->report.owned);
        CHECK_SITE(seen, seen->report.owner.site, holder, holder_lock_line);
        CHECK(seen->report.owner.task != 0 && seen->report.owner.task != seen->report.task);
        CHECK_EQ(run.lab.ends, 0);
        lab_close(&run.lab);
    }
}

TEST(with_healing_it_is_reported_once_as_healed)
{
    FOR_SEEDS (seed, 200) {
        struct run run;
        const struct lab_report *seen;

        start(&run, seed, VG_POLICY_PARK, true);
        go(&run);
        CHECK_EQ(run.rc, 0);
        CHECK_EQ(run.root.ret, 0);
        CHECK_EQ(lab_ms(&run.lab), 5000);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 5000);
        CHECK(seen->report.healed && seen->report.granted);
        CHECK_EQ(seen->report.lasted, 0);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        check_names(seen);
        CHECK_STR(seen->text, "healed after 0 ns");
        CHECK_SITE(seen, seen->report.woken_from, holder, holder_unlock_line);
        CHECK(seen->report.woken_by != 0 && seen->report.woken_by != seen->report.task);
        lab_close(&run.lab);
    }
}

TEST(a_kept_request_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, VG_POLICY_KEEP, seed % 2);
        go(&run);
        CHECK_EQ(run.rc, 0);
        CHECK_EQ(lab_ms(&run.lab), 5000);
        lab_silent(&run.lab);
        lab_close(&run.lab);
    }
}

TEST(a_cancelled_request_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, VG_POLICY_CANCEL, seed % 2);
        go(&run);
        CHECK_EQ(run.rc, 0);
        CHECK_EQ(lab_ms(&run.lab), 5000);
        lab_silent(&run.lab);
        lab_close(&run.lab);
    }
}

TEST(a_parked_request_that_is_dropped_first_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, VG_POLICY_PARK, seed % 2);
        run.root.drop = true;
        go(&run);
        CHECK_EQ(run.rc, 0);
        lab_silent(&run.lab);
        lab_close(&run.lab);
    }
}

TEST(a_parked_request_for_another_mutex_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, VG_POLICY_PARK, seed % 2);
        run.root.second = &run.lab.other;
        go(&run);
        CHECK_EQ(run.rc, 0);
        CHECK_EQ(lab_ms(&run.lab), 510);
        lab_silent(&run.lab);
        lab_close(&run.lab);
    }
}

TEST(a_second_request_with_a_deadline_before_the_grant_is_only_late)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, VG_POLICY_PARK, false);
        run.root.limit = 1000;
        go(&run);
        CHECK_EQ(run.rc, 0);
        CHECK_EQ(run.root.ret, -ETIMEDOUT);
        lab_silent(&run.lab);
        lab_close(&run.lab);
    }
}

TEST(a_grant_that_is_left_for_longer_than_the_limit_is_suspected_although_a_deadline_will_end_it)
{
    FOR_SEEDS (seed, 100) {
        struct run run;
        const struct lab_report *seen;

        start(&run, seed, VG_POLICY_PARK, false);
        run.root.limit = 6000;
        go(&run);
        CHECK_EQ(run.root.ret, -ETIMEDOUT);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->report.confidence, VG_SUSPECTED);
        CHECK_EQ(seen->ms, 5100);
        CHECK_EQ(seen->report.lasted, VG_MSEC(100));
        CHECK_EQ(seen->report.exits, 1);
        CHECK_STR(seen->text, "late, not locked");
        CHECK_STR(seen->text, "(timer)");
        CHECK(seen->report.granted);
        lab_close(&run.lab);
    }
}

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
