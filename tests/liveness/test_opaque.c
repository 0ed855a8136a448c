/* SPDX-License-Identifier: MIT */
#include "lab.h"

/* Hand-written futures: nothing is declared, and the instruments find out all the same. */

/* Polls its second child only when the first has ended. */
struct stubborn {
    struct vg_future fut;
    int ret;
    bool started;
    struct vg_sleep first;
    struct holder second;
};

static vg_poll stubborn_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct stubborn *f = (struct stubborn *)(void *)fut;

    if (!f->started) {
        f->started = true;
        (void)vg_poll_child(&f->second.fut, cx);
    }
    if (!vg_done(&f->first.fut) && !vg_poll_child(&f->first.fut, cx).ready)
        return VG_PENDING;
    return vg_poll_future(&f->second.fut, cx);
}

static const struct vg_ops stubborn_ops = {
    .poll = stubborn_poll,
    .name = "stubborn",
    .size = sizeof(struct stubborn),
};

static struct stubborn *stubborn(struct stubborn *f, struct lab *lab, uint64_t first)
{
    vg_future_init(&f->fut, &stubborn_ops);
    f->ret = 0;
    f->started = false;
    vg_sleep(&f->first, VG_MSEC(first));
    holder(&f->second, lab, &lab->mutex, 0, 0);
    return f;
}

struct user {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t first;
    int rc;
    struct vg_sleep nap;
    struct stubborn stubborn;
};

static int user_line;

VG_ASYNC(user)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    user_line = __LINE__ + 1;
    VG_AWAIT(f->rc, stubborn(&f->stubborn, f->lab, f->first));
    VG_RETURN(f->rc);
}

static struct user *user(struct user *f, struct lab *lab, uint64_t first)
{
    VG_SETUP(f, user);
    f->lab = lab;
    f->first = first;
    return f;
}

/* The child gets the mutex at 50 ms, and is polled 10 ms + first later. */
static void run(struct lab *lab, uint64_t seed, bool healing, uint64_t first, bool others)
{
    struct user root;

    lab_open(lab, seed, healing);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 50), 0);
    if (others)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 20, 0), 0);
    CHECK_EQ(lab_run(lab, &user(&root, lab, first)->fut), 0);
    CHECK_EQ(root.stubborn.second.ret, 0);
    CHECK_EQ(lab_ms(lab), 10 + first);
}

static void check_parties(const struct lab_report *seen)
{
    CHECK(!seen->report.parked);
    CHECK_EQ(strcmp(seen->report.parent.type, "stubborn"), 0);
    CHECK_EQ(strcmp(seen->report.parent.frame, "user"), 0);
    CHECK_SITE(seen, seen->report.parent.site, user, user_line);
    CHECK_SITE(seen, seen->report.starved.site, holder, holder_lock_line);
    CHECK_STR(seen->text, "left unpolled by stubborn");
}

TEST(a_child_that_a_hand_written_future_does_not_poll_is_a_snoozed_child)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        const struct lab_report *seen;

        run(&lab, seed, false, 400, false);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK_EQ(seen->ms, 150);
        check_parties(seen);
        CHECK(seen->report.granted);
        CHECK_EQ(lab.ends, 1);
        lab_close(&lab);
    }
}

TEST(when_it_was_granted_what_others_wait_for_it_is_a_stalled_grant)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        const struct lab_report *seen;

        run(&lab, seed, false, 400, true);
        seen = lab_only(&lab, VG_VERDICT_STALLED_GRANT);
        CHECK_EQ(seen->ms, 150);
        check_parties(seen);
        CHECK_EQ(seen->report.waiters, 2);
        CHECK_STR(seen->text, "granted to the starved future");
        lab_close(&lab);
    }
}

TEST(a_grant_that_healing_gave_to_another_task_leaves_a_snoozed_child)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        const struct lab_report *seen;
        struct vg_snapshot *snapshot;

        run(&lab, seed, true, 400, true);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK_EQ(seen->ms, 150);
        CHECK(!seen->report.granted);
        CHECK_EQ(vg_snapshot(lab.live, &snapshot), 0);
        CHECK_EQ(snapshot->healings, 1);
        vg_snapshot_free(snapshot);
        lab_close(&lab);
    }
}

TEST(a_hand_written_future_that_polls_its_child_in_time_is_fine)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;

        run(&lab, seed, seed % 2, 130, true);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* ---- the task waits behind what a hand-written future hides ------------------------------------ */

struct both {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    struct vg_sleep nap;
    struct stubborn stubborn;
    struct holder late;
    VG_CHILDREN(2) all;
};

VG_ASYNC(both)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    VG_AWAIT(f->rc, VG_JOIN(f->all, stubborn(&f->stubborn, f->lab, 600),
                            holder(&f->late, f->lab, &f->lab->mutex, 20, 0)));
    VG_RETURN(f->rc);
}

static struct both *both(struct both *f, struct lab *lab)
{
    VG_SETUP(f, both);
    f->lab = lab;
    return f;
}

TEST(a_lock_up_behind_a_hand_written_future_is_suspected_after_the_limit)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct both root;
        const struct lab_report *seen;

        lab_open(&lab, seed, false);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 50), 0);
        CHECK_EQ(lab_run(&lab, &both(&root, &lab)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 610);
        seen = lab_only(&lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->report.confidence, VG_SUSPECTED);
        CHECK_EQ(seen->ms, 150);
        CHECK(seen->report.granted && !seen->report.parked);
        CHECK_EQ(strcmp(seen->report.parent.type, "stubborn"), 0);
        CHECK_STR(seen->text, "what is below it is unknown");
        CHECK_EQ(lab.ends, 1);
        lab_close(&lab);
    }
}

/* ---- the library's own opaque combinator ------------------------------------------------------ */

struct biased {
    VG_FRAME(int);
    struct lab *lab;
    int arm, rounds;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_lock lock;
};

VG_ASYNC(biased)
{
    VG_BEGIN(f);
    for (f->rounds = 0; f->rounds < 20; f->rounds++) {
        VG_AWAIT(f->arm, VG_SELECT_BIASED(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->lab->mutex)),
                                          VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(30)))));
        if (f->lock.ret == 0)
            vg_unlock(&f->lab->mutex);
    }
    VG_RETURN(0);
}

static struct biased *biased(struct biased *f, struct lab *lab)
{
    VG_SETUP(f, biased);
    f->lab = lab;
    return f;
}

TEST(a_biased_select_polls_all_its_arms)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct biased root;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 250), 0);
        CHECK_EQ(lab_run(&lab, &biased(&root, &lab)->fut), 0);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
