/* SPDX-License-Identifier: MIT */
#include "quiet.h"

/* Tasks that are busy for nothing, on the simulator. A step takes some time here, or the clock would stand still. */

enum { DRIFT = 10000, ROUGH = 200000, SPINS = 10 };

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

static void open_lab(struct lab *lab, uint64_t seed)
{
    lab_open(lab, seed, true);
    lab->sim.limits.drift_ns = DRIFT;
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

/* ---- look-alikes ------------------------------------------------------------------------------- */

/* Runs what was spawned, with steps that take time; nothing may be said. */
#define BUSY(spawn)                                                                                \
    FOR_SEEDS (seed, SPINS) {                                                                      \
        struct lab lab;                                                                            \
        open_lab(&lab, seed);                                                                      \
        spawn;                                                                                     \
        run_all(&lab);                                                                             \
        vg_watch_scan(lab.live, sim_now(&lab.sim));                                                \
        lab_silent(&lab);                                                                          \
        lab_close(&lab);                                                                           \
    }

/* Hands something on to the next and never ends: honest, if the first one has a reason. */
struct stage {
    struct vg_future fut;
    int ret;
    struct stage *next;
    unsigned *handed;
    struct vg_waiter waiter;
};

static void push_stage(struct stage *stage)
{
    if (stage->waiter.flags & VG_W_ARMED && stage->waiter.woken_at == 0)
        vg_notify(vg_wake(&stage->waiter));
}

static vg_poll stage_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct stage *stage = (struct stage *)(void *)fut;

    if (vg_cancelled(fut)) {
        vg_disarm(&stage->waiter, cx);
        return VG_READY;
    }
    if (stage->waiter.task != NULL && stage->next != NULL)
        push_stage(stage->next);
    if (stage->waiter.task != NULL)
        ++*stage->handed;
    vg_arm(&stage->waiter, fut, cx);
    return VG_PENDING;
}

static void stage_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_kick(&((struct stage *)(void *)fut)->waiter, cx);
}

struct line {
    VG_FRAME(int);
    struct stage stage;
};

VG_ASYNC(line)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, &f->stage);
    VG_RETURN(0);
}

static struct line *line(struct line *f, struct stage **here, struct stage *next, unsigned *handed)
{
    static const struct vg_ops ops = {.poll = stage_poll,
                                      .cancel = stage_cancel,
                                      .name = "stage",
                                      .size = sizeof f->stage,
                                      .kind = VG_KIND_LEAF};

    VG_SETUP(f, line);
    vg_future_init(&f->stage.fut, &ops);
    f->stage.ret = 0;
    f->stage.next = next;
    f->stage.handed = handed;
    f->stage.waiter.flags = 0;
    f->stage.waiter.task = NULL;
    *here = &f->stage;
    return f;
}

struct source {
    VG_FRAME(int);
    struct stage *first;
    int left;
    struct vg_yield yield;
};

VG_ASYNC(source)
{
    VG_BEGIN(f);
    for (; f->left > 0; f->left--) {
        VG_AWAIT(f->ret, vg_yield(&f->yield));
        push_stage(f->first);
    }
    VG_RETURN(0);
}

static struct source *source(struct source *f, struct stage *first, int count)
{
    VG_SETUP(f, source);
    f->first = first;
    f->left = count;
    return f;
}

TEST(stages_that_hand_things_on_and_never_end_are_not_reported)
{
    enum { STAGES = 8 };

    FOR_SEEDS (seed, SPINS) {
        unsigned handed[STAGES] = {0};
        struct stage *stage = NULL;
        struct source root;
        struct lab lab;

        open_lab(&lab, seed);
        for (int i = STAGES - 1; i >= 0; i--)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, line, &stage, stage, &handed[i]), 0);
        CHECK_EQ(lab_run(&lab, &source(&root, stage, 12000)->fut), 0);
        CHECK(handed[0] > 1200);
        CHECK(handed[STAGES - 1] > 1200);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* Wakes itself once, to close the gap between looking and queuing. */
struct closer {
    VG_FRAME(int);
    int rounds;
    struct admit admit;
    unsigned inside;
    struct vg_sleep nap;
};

static vg_poll once_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct admit *admit = (struct admit *)(void *)fut;

    if (admit->waiter.task != NULL)
        return VG_READY;
    vg_arm(&admit->waiter, fut, cx);
    vg_notify(vg_wake(&admit->waiter));
    return VG_PENDING;
}

static struct admit *wake_once(struct admit *admit)
{
    static const struct vg_ops ops = {
        .poll = once_poll, .name = "wake_once", .size = sizeof *admit, .kind = VG_KIND_LEAF};

    vg_future_init(&admit->fut, &ops);
    admit->ret = 0;
    admit->waiter.flags = 0;
    admit->waiter.task = NULL;
    return admit;
}

VG_ASYNC(closer)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--)
        VG_AWAIT(f->ret, wake_once(&f->admit));
    VG_RETURN(0);
}

static struct closer *closer(struct closer *f, int rounds)
{
    VG_SETUP(f, closer);
    f->rounds = rounds;
    return f;
}

TEST(a_future_that_wakes_itself_once_is_not_reported)
{
    BUSY(CHECK_EQ(VG_SPAWN(lab.exec, NULL, closer, 5000), 0));
}

struct yielder {
    VG_FRAME(int);
    int rounds;
    struct vg_yield yield;
};

VG_ASYNC(yielder)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--)
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    VG_RETURN(0);
}

static struct yielder *yielder(struct yielder *f, int rounds)
{
    VG_SETUP(f, yielder);
    f->rounds = rounds;
    return f;
}

TEST(tasks_that_yield_all_the_time_are_not_reported)
{
    BUSY(for (int i = 0; i < 3; i++) CHECK_EQ(VG_SPAWN(lab.exec, NULL, yielder, 5000), 0));
}

/* Wakes itself, and says each time that it has got on. */
struct digger {
    VG_FRAME(int);
    struct admit admit;
    unsigned left;
};

static vg_poll dig_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct admit *admit = (struct admit *)(void *)fut;

    if (--*admit->inside == 0)
        return VG_READY;
    vg_progress(cx);
    vg_arm(&admit->waiter, fut, cx);
    vg_notify(vg_wake(&admit->waiter));
    return VG_PENDING;
}

VG_ASYNC(digger)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, &f->admit);
    VG_RETURN(0);
}

static struct digger *digger(struct digger *f, unsigned count)
{
    static const struct vg_ops ops = {
        .poll = dig_poll, .name = "dig", .size = sizeof f->admit, .kind = VG_KIND_LEAF};

    VG_SETUP(f, digger);
    vg_future_init(&f->admit.fut, &ops);
    f->left = count;
    f->admit.inside = &f->left;
    f->admit.waiter.flags = 0;
    return f;
}

TEST(who_says_that_it_gets_on_is_not_reported)
{
    BUSY(CHECK_EQ(VG_SPAWN(lab.exec, NULL, digger, 20000), 0));
}

/* A spin too short to matter. */
TEST(a_few_hundred_fruitless_polls_are_not_reported)
{
    FOR_SEEDS (seed, SPINS) {
        unsigned inside = 0;
        struct lab lab;

        open_lab(&lab, seed);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, user, &inside, 1, 0), 0);
        run_all(&lab);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
