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
    CHECK_EQ(strcmp(report->resource_place->func, "lab_open_for"), 0);
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
