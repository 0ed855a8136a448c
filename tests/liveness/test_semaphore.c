/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include "lab.h"

/*
 * A task asks for permits by a future that loses its select after 500 ms, and asks again in the winner's branch; a
 * thread outside has all of them. What the program says about the loser decides.
 */

struct asker {
    VG_FRAME(int);
    struct lab *lab;
    struct vg_semaphore *semaphore;
    enum vg_policy policy;
    uint32_t first_want, second_want;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_acquire first, second;
};

static struct vg_arm first_arm(struct asker *f)
{
    vg_acquire(&f->first, f->semaphore, f->first_want);
    switch (f->policy) {
    case VG_POLICY_KEEP:
        return VG_KEEP(&f->first);
    case VG_POLICY_PARK:
        return VG_PARK(&f->first);
    default:
        return VG_CANCEL(&f->first);
    }
}

static int second_line;

VG_ASYNC(asker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, first_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    second_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_acquire(&f->second, f->semaphore, f->second_want));
    if (f->rc == 0)
        vg_release(f->semaphore, f->second_want);
    if (f->policy == VG_POLICY_CANCEL)
        VG_RETURN(f->rc);
    VG_AWAIT(f->rc, &f->first);
    if (f->rc == 0)
        vg_release(f->semaphore, f->first_want);
    VG_RETURN(f->rc);
}

static struct asker *asker(struct asker *f, struct lab *lab, struct vg_semaphore *semaphore,
                           enum vg_policy policy)
{
    VG_SETUP(f, asker);
    f->lab = lab;
    f->semaphore = semaphore;
    f->policy = policy;
    f->first_want = 2;
    f->second_want = 1;
    return f;
}

/* Takes all permits at once, and gives them back after 5 s. */
struct hoard {
    VG_FRAME(int);
    struct vg_semaphore *semaphore;
    struct vg_acquire acquire;
    struct vg_sleep nap;
};

VG_ASYNC(hoard)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_acquire(&f->acquire, f->semaphore, 2));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_SEC(5)));
    vg_release(f->semaphore, 2);
    VG_RETURN(0);
}

static struct hoard *hoard(struct hoard *f, struct vg_semaphore *semaphore)
{
    VG_SETUP(f, hoard);
    f->semaphore = semaphore;
    return f;
}

struct run {
    struct lab lab;
    struct vg_semaphore semaphore;
    struct vg_handle hoard;
    struct asker root;
};

static bool hoard_has(void *arg)
{
    return vg_semaphore_free(&((struct run *)arg)->semaphore) == 0;
}

static void start(struct run *run, uint64_t seed, enum vg_policy policy, bool healing)
{
    lab_open(&run->lab, seed, healing);
    vg_semaphore_init(&run->semaphore, "S", 2);
    CHECK_EQ(VG_SPAWN(run->lab.exec, &run->hoard, hoard, &run->semaphore), 0);
    CHECK_EQ(sim_run(&run->lab.sim, run->lab.exec, hoard_has, run, VG_SEC(1)), 0);
    asker(&run->root, &run->lab, &run->semaphore, policy);
}

static void finish(struct run *run)
{
    vg_task_release(&run->hoard);
    lab_close(&run->lab);
    vg_semaphore_fini(&run->semaphore);
}

static void check_names(const struct lab_report *seen)
{
    const struct vg_report *report = &seen->report;

    CHECK_EQ(strcmp(report->task_name, "asker"), 0);
    CHECK_EQ(strcmp(report->starved.type, "vg_acquire"), 0);
    CHECK_EQ(strcmp(report->blocked.type, "vg_acquire"), 0);
    CHECK(report->parked);
    CHECK_SITE(seen, report->blocked.site, asker, second_line);
    CHECK_EQ(strcmp(report->resource_kind, "semaphore"), 0);
    CHECK_EQ(strcmp(report->resource_name, "S"), 0);
    CHECK_EQ(strcmp(report->resource_place->func, "start"), 0);
    CHECK_STR(seen->text, "semaphore \"S\"");
    CHECK_STR(seen->text, "vg_acquire(&f->second, f->semaphore, f->second_want)");
}

TEST(a_parked_request_for_permits_that_stands_before_its_own_task_is_reported)
{
    FOR_SEEDS (seed, 100) {
        struct run run;
        const struct lab_report *seen;

        start(&run, seed, VG_POLICY_PARK, false);
        CHECK_EQ(lab_run(&run.lab, &run.root.fut), -EDEADLK);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 500);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK_EQ(seen->report.waiters, 2);
        CHECK(seen->report.owned); /* all permits were taken at once */
        CHECK(seen->report.owner.task != 0 && seen->report.owner.task != seen->report.task);
        check_names(seen);
        finish(&run); /* which cancels it */
    }
}

TEST(permits_that_are_passed_over_are_reported_once_as_healed)
{
    FOR_SEEDS (seed, 100) {
        struct run run;
        const struct lab_report *seen;

        start(&run, seed, VG_POLICY_PARK, true);
        CHECK_EQ(lab_run(&run.lab, &run.root.fut), 0);
        CHECK_EQ(lab_ms(&run.lab), 5000);
        seen = lab_only(&run.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 5000);
        CHECK(seen->report.healed && seen->report.granted);
        check_names(seen);
        finish(&run);
    }
}

TEST(a_kept_or_cancelled_request_for_permits_is_no_futurelock)
{
    FOR_SEEDS (seed, 100) {
        struct run run;

        start(&run, seed, seed % 2 ? VG_POLICY_KEEP : VG_POLICY_CANCEL, seed % 3 == 0);
        run.root.first_want = 1; /* granted along with the second: kept, it holds its permit */
        CHECK_EQ(lab_run(&run.lab, &run.root.fut), 0);
        lab_silent(&run.lab);
        finish(&run);
    }
}

/* ---- the only permit is with a parked frame ----------------------------------------------- */

struct sitter {
    VG_FRAME(int);
    struct vg_semaphore *semaphore;
    struct vg_acquire acquire;
    struct vg_sleep nap;
};

VG_ASYNC(sitter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_acquire(&f->acquire, f->semaphore, 1));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(100)));
    vg_release(f->semaphore, 1);
    VG_RETURN(0);
}

static struct sitter *sitter(struct sitter *f, struct vg_semaphore *semaphore)
{
    VG_SETUP(f, sitter);
    f->semaphore = semaphore;
    return f;
}

struct parent {
    VG_FRAME(int);
    struct vg_semaphore *semaphore;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_acquire acquire;
    struct sitter sitter;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(sitter(&f->sitter, f->semaphore)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(50)))));
    VG_AWAIT(f->rc, vg_acquire(&f->acquire, f->semaphore, 1));
    if (f->rc == 0)
        vg_release(f->semaphore, 1);
    VG_AWAIT_CANCEL(f->ret, &f->sitter);
    VG_RETURN(f->rc);
}

static struct parent *parent(struct parent *f, struct vg_semaphore *semaphore)
{
    VG_SETUP(f, parent);
    f->semaphore = semaphore;
    return f;
}

static int run_parent(struct lab *lab, struct parent *root, uint64_t seed, uint32_t permits)
{
    static struct vg_semaphore semaphore;

    lab_open(lab, seed, true);
    vg_semaphore_init(&semaphore, "only", permits);
    return lab_run(lab, &parent(root, &semaphore)->fut);
}

TEST(a_parked_frame_that_has_the_only_permit_is_reported_as_its_owner)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct parent root;
        const struct lab_report *seen;

        CHECK_EQ(run_parent(&lab, &root, seed, 1), -EDEADLK);
        seen = lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK(seen->report.owns);
        CHECK_EQ(strcmp(seen->report.resource_name, "only"), 0);
        CHECK_EQ(strcmp(seen->report.starved.type, "sitter"), 0);
        lab_close(&lab);
    }
}

TEST(a_parked_frame_that_has_one_of_two_permits_holds_up_nobody)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct parent root;

        CHECK_EQ(run_parent(&lab, &root, seed, 2), 0);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
