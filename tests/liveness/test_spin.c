/* SPDX-License-Identifier: MIT */
#include "busy.h"

/* Tasks that are busy for nothing, on the simulator. */

/* A limiter without a queue: full, it wakes itself to look again. */
struct admit {
    struct vg_future fut;
    int ret;
    unsigned *inside, max;
    struct vg_waiter waiter;
};

static vg_poll admit_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct admit *admit = (struct admit *)(void *)fut;

    if (vg_cancelled(fut)) {
        vg_disarm(&admit->waiter, cx);
        admit->ret = -ECANCELED;
        return VG_READY;
    }
    if (*admit->inside < admit->max) {
        ++*admit->inside;
        return VG_READY;
    }
    vg_arm(&admit->waiter, fut, cx);
    vg_notify(vg_wake(&admit->waiter));
    return VG_PENDING;
}

static struct admit *admit(struct admit *admit, unsigned *inside, unsigned max)
{
    static const struct vg_ops ops = {
        .poll = admit_poll, .name = "admit", .size = sizeof *admit, .kind = VG_KIND_LEAF};

    vg_future_init(&admit->fut, &ops);
    admit->ret = 0;
    admit->inside = inside;
    admit->max = max;
    admit->waiter.flags = 0;
    return admit;
}

struct user {
    VG_FRAME(int);
    unsigned *inside, max;
    uint64_t stay;
    struct admit admit;
    struct vg_sleep nap;
};

static int user_line;

VG_ASYNC(user)
{
    VG_BEGIN(f);
    user_line = __LINE__ + 1;
    VG_TRY(f->ret, admit(&f->admit, f->inside, f->max));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, f->stay));
    --*f->inside;
    VG_RETURN(0);
}

static struct user *user(struct user *f, unsigned *inside, unsigned max, uint64_t stay)
{
    VG_SETUP(f, user);
    f->inside = inside;
    f->max = max;
    f->stay = stay;
    return f;
}

TEST(six_tasks_that_wake_themselves_until_there_is_room_are_one_finding)
{
    FOR_SEEDS (seed, SPINS) {
        const struct lab_report *seen;
        unsigned inside = 0;
        struct lab lab;

        open_lab(&lab, seed);
        lab.sim.limits.drift_ns = ROUGH;
        for (int i = 0; i < 8; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, user, &inside, 2, VG_MSEC(100)), 0);
        run_all(&lab);
        vg_watch_scan(lab.live, sim_now(&lab.sim));
        seen = lab_only(&lab, VG_VERDICT_SELF_WAKE_SPIN);
        CHECK(seen->ms <= 100);
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK_EQ(seen->report.instances, 6);
        CHECK(seen->report.visits >= 1000);
        CHECK_EQ(strcmp(seen->report.starved.type, "admit"), 0);
        CHECK_SITE(seen, seen->report.starved.site, user, user_line);
        CHECK_STR(seen->text, "6 tasks do the same");
        CHECK_STR(seen->text, "wakes itself");
        CHECK_EQ(lab.ends, 1);
        CHECK_STR(lab.end[0].text, "self-wake-spin ended");
        CHECK_STR(lab.end[0].text, "the last of 6 tasks");
        CHECK(lab.end[0].report.visits > seen->report.visits);
        CHECK(lab.end[0].report.lasted > VG_MSEC(200)); /* the last two got in after three others */
        lab_close(&lab);
    }
}

/* Two tasks wake each other to look at something that does not change until a certain time. */
struct look {
    struct vg_future fut;
    int ret;
    struct look **mine, **other;
    uint64_t until;
    bool alone; /* looks only when somebody has a reason to wake it */
    struct vg_waiter waiter;
};

static void wake_look(struct look *look)
{
    if (look->waiter.flags & VG_W_ARMED && look->waiter.woken_at == 0)
        vg_notify(vg_wake(&look->waiter));
}

static vg_poll look_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct look *look = (struct look *)(void *)fut;

    if (vg_now() >= look->until) {
        vg_disarm(&look->waiter, cx);
        *look->mine = NULL;
    } else {
        vg_arm(&look->waiter, fut, cx);
        *look->mine = look;
    }
    if (*look->other != NULL)
        wake_look(*look->other);
    return *look->mine == NULL ? VG_READY : VG_PENDING;
}

struct echo {
    VG_FRAME(int);
    struct look look;
};

static int echo_line;

VG_ASYNC(echo)
{
    VG_BEGIN(f);
    echo_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->look);
    VG_RETURN(0);
}

static struct echo *echo(struct echo *f, struct look **mine, struct look **other, uint64_t until)
{
    static const struct vg_ops ops = {
        .poll = look_poll, .name = "look", .size = sizeof f->look, .kind = VG_KIND_LEAF};

    VG_SETUP(f, echo);
    vg_future_init(&f->look.fut, &ops);
    f->look.ret = 0;
    f->look.mine = mine;
    f->look.other = other;
    f->look.until = until;
    f->look.waiter.flags = 0;
    return f;
}

TEST(two_tasks_that_wake_each_other_for_nothing)
{
    FOR_SEEDS (seed, SPINS) {
        struct look *look[2] = {NULL, NULL};
        const struct lab_report *seen;
        struct lab lab;

        open_lab(&lab, seed);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, echo, &look[i], &look[!i], lab_at(&lab, 60)), 0);
        run_all(&lab);
        vg_watch_scan(lab.live, sim_now(&lab.sim));
        seen = lab_only(&lab, VG_VERDICT_SPURIOUS_SPIN);
        CHECK(seen->ms <= 100);
        CHECK_EQ(seen->report.instances, 2);
        CHECK_EQ(strcmp(seen->report.starved.type, "look"), 0);
        CHECK_SITE(seen, seen->report.starved.site, echo, echo_line);
        CHECK_STR(seen->text, "by tasks that fare no better");
        CHECK_EQ(lab.ends, 1);
        lab_close(&lab);
    }
}
