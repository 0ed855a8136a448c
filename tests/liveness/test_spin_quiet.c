/* SPDX-License-Identifier: MIT */
#include "busy.h"

/* Tasks that are always busy, for a reason. */

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
    struct stage **here, **next; /* where it is told, and where to look; NULL there: it has gone */
    unsigned *handed;
    bool once; /* it does end, when it is woken */
    struct vg_waiter waiter;
};

static void push_stage(struct stage *stage)
{
    if (stage != NULL && stage->waiter.flags & VG_W_ARMED && stage->waiter.woken_at == 0)
        vg_notify(vg_wake(&stage->waiter));
}

static vg_poll stage_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct stage *stage = (struct stage *)(void *)fut;

    if (vg_cancelled(fut)) {
        vg_disarm(&stage->waiter, cx);
        *stage->here = NULL;
        return VG_READY;
    }
    *stage->here = stage;
    if (stage->waiter.task != NULL) {
        push_stage(*stage->next);
        ++*stage->handed;
        if (stage->once) {
            *stage->here = NULL;
            return VG_READY;
        }
    }
    vg_arm(&stage->waiter, fut, cx);
    return VG_PENDING;
}

static void stage_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_kick(&((struct stage *)(void *)fut)->waiter, cx);
}

static struct stage *stage(struct stage *f, struct stage **here, struct stage **next,
                           unsigned *handed, bool once)
{
    static const struct vg_ops ops = {.poll = stage_poll,
                                      .cancel = stage_cancel,
                                      .name = "stage",
                                      .size = sizeof *f,
                                      .kind = VG_KIND_LEAF};

    vg_future_init(&f->fut, &ops);
    f->ret = 0;
    f->here = here;
    f->next = next;
    f->handed = handed;
    f->once = once;
    f->waiter.flags = 0;
    f->waiter.task = NULL;
    return f;
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

static struct line *line(struct line *f, struct stage **here, struct stage **next, unsigned *handed)
{
    VG_SETUP(f, line);
    stage(&f->stage, here, next, handed, false);
    return f;
}

struct source {
    VG_FRAME(int);
    struct stage **first;
    int left;
    struct vg_yield yield;
};

VG_ASYNC(source)
{
    VG_BEGIN(f);
    for (; f->left > 0; f->left--) {
        VG_AWAIT(f->ret, vg_yield(&f->yield));
        push_stage(*f->first);
    }
    VG_RETURN(0);
}

static struct source *source(struct source *f, struct stage **first, int count)
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
        struct stage *here[STAGES + 1] = {NULL};
        struct source root;
        struct lab lab;

        open_lab(&lab, seed);
        for (int i = STAGES - 1; i >= 0; i--)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, line, &here[i], &here[i + 1], &handed[i]), 0);
        CHECK_EQ(lab_run(&lab, &source(&root, &here[0], 12000)->fut), 0);
        CHECK(handed[0] > 1200);
        CHECK(handed[STAGES - 1] > 1200);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* Asks one that never ends, and waits for the answer, which does. */
struct asker {
    VG_FRAME(int);
    struct stage **server, **here, reply, *nowhere;
    unsigned replies;
    int left;
};

VG_ASYNC(asker)
{
    VG_BEGIN(f);
    for (; f->left > 0; f->left--) {
        stage(&f->reply, f->here, &f->nowhere, &f->replies, true);
        push_stage(*f->server);
        VG_AWAIT(f->ret, &f->reply);
    }
    VG_RETURN(0);
}

static struct asker *asker(struct asker *f, struct stage **server, struct stage **here, int count)
{
    VG_SETUP(f, asker);
    f->server = server;
    f->here = here;
    f->nowhere = NULL;
    f->replies = 0;
    f->left = count;
    return f;
}

struct late_asker {
    VG_FRAME(int);
    struct vg_sleep nap;
    struct asker asker;
};

VG_ASYNC(late_asker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    VG_AWAIT(f->ret, &f->asker);
    VG_RETURN(0);
}

static struct late_asker *late_asker(struct late_asker *f, struct stage **server,
                                     struct stage **here, int count)
{
    VG_SETUP(f, late_asker);
    asker(&f->asker, server, here, count);
    return f;
}

TEST(who_answers_for_ever_is_not_reported)
{
    FOR_SEEDS (seed, SPINS) {
        unsigned handed = 0;
        struct stage *server = NULL, *reply = NULL;
        struct late_asker root;
        struct lab lab;

        open_lab(&lab, seed);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, line, &server, &reply, &handed), 0);
        CHECK_EQ(lab_run(&lab, &late_asker(&root, &server, &reply, 3000)->fut), 0);
        CHECK_EQ(handed, 3000);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* Wakes itself once, to close the gap between looking and queuing. */
struct once {
    struct vg_future fut;
    int ret;
    struct vg_waiter waiter;
};

struct closer {
    VG_FRAME(int);
    int rounds;
    struct once once;
};

static vg_poll once_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct once *once = (struct once *)(void *)fut;

    if (once->waiter.task != NULL)
        return VG_READY;
    vg_arm(&once->waiter, fut, cx);
    vg_notify(vg_wake(&once->waiter));
    return VG_PENDING;
}

static struct once *wake_once(struct once *once)
{
    static const struct vg_ops ops = {
        .poll = once_poll, .name = "wake_once", .size = sizeof *once, .kind = VG_KIND_LEAF};

    vg_future_init(&once->fut, &ops);
    once->ret = 0;
    once->waiter.flags = 0;
    once->waiter.task = NULL;
    return once;
}

VG_ASYNC(closer)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--)
        VG_AWAIT(f->ret, wake_once(&f->once));
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

/* Wakes itself, and may say each time that it has got on. */
struct dig {
    struct vg_future fut;
    int ret;
    unsigned left;
    bool says;
    struct vg_waiter waiter;
};

struct digger {
    VG_FRAME(int);
    struct dig dig;
};

static vg_poll dig_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct dig *dig = (struct dig *)(void *)fut;

    if (--dig->left == 0)
        return VG_READY;
    if (dig->says)
        vg_progress(cx);
    vg_arm(&dig->waiter, fut, cx);
    vg_notify(vg_wake(&dig->waiter));
    return VG_PENDING;
}

VG_ASYNC(digger)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, &f->dig);
    VG_RETURN(0);
}

static struct digger *digger(struct digger *f, unsigned count, bool says)
{
    static const struct vg_ops ops = {
        .poll = dig_poll, .name = "dig", .size = sizeof f->dig, .kind = VG_KIND_LEAF};

    VG_SETUP(f, digger);
    vg_future_init(&f->dig.fut, &ops);
    f->dig.left = count;
    f->dig.says = says;
    f->dig.waiter.flags = 0;
    return f;
}

TEST(who_says_that_it_gets_on_is_not_reported)
{
    BUSY(CHECK_EQ(VG_SPAWN(lab.exec, NULL, digger, 20000, true), 0));
}

TEST(a_few_hundred_fruitless_polls_are_not_reported)
{
    BUSY(CHECK_EQ(VG_SPAWN(lab.exec, NULL, digger, 900, false), 0));
}
