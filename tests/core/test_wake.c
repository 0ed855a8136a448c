/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* How a wake finds its future: in which order, how often, and what it leaves alone. */

/* ---- depth ----------------------------------------------------------------------------------- */

enum { DEPTH = 64 };

struct deep {
    VG_FRAME(int);
    struct event *event;
    unsigned *polls; /* of the leaf, then of those above it, upwards */
    struct event_wait wait;
    struct around level[DEPTH];
};

VG_ASYNC(deep)
{
    VG_BEGIN(f);
    int rc;
    struct vg_future *top = &event_wait_counted(&f->wait, f->event, &f->polls[0])->fut;
    for (unsigned i = 0; i < DEPTH; i++)
        top = &around(&f->level[i], top, &f->polls[i + 1])->fut;
    VG_AWAIT(rc, &f->level[DEPTH - 1]);
    VG_RETURN(rc);
}

static struct deep *deep(struct deep *f, struct event *event, unsigned *polls)
{
    VG_SETUP(f, deep);
    f->event = event;
    f->polls = polls;
    return f;
}

TEST(a_wake_polls_its_leaf_and_nothing_above)
{
    struct rig rig;
    struct event event = {.set = false};
    unsigned polls[DEPTH + 1] = {0};

    rig_open(&rig);
    rig_spawn(&rig, deep, &event, polls);
    for (unsigned i = 0; i < 10; i++) {
        event_poke(&event);
        rig_run(&rig);
    }
    CHECK_EQ(polls[0], 11);
    for (unsigned i = 1; i <= DEPTH; i++)
        CHECK_EQ(polls[i], 1);
    event_set(&event);
    rig_run(&rig);
    for (unsigned i = 1; i <= DEPTH; i++)
        CHECK_EQ(polls[i], 2); /* its start, and the end of what it waited for */
    CHECK_EQ(RIG_RET(&rig, 0, struct deep), 0);
    rig_close(&rig);
}

/* ---- several at once ------------------------------------------------------------------------- */

enum { MANY = 4 };

/* Waits for all of its events, and writes down in which order the waits ended. */
struct many {
    VG_FRAME(int);
    struct event *event; /* MANY */
    unsigned order[MANY], ended;
    VG_CHILDREN(MANY) all;
    struct event_wait wait[MANY];
    struct around note[MANY];
    struct note {
        struct many *many;
        unsigned i;
    } args[MANY];
};

static void many_note(void *arg)
{
    struct note *note = arg;

    note->many->order[note->many->ended++] = note->i;
}

VG_ASYNC(many)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = 0; i < MANY; i++) {
        f->args[i] = (struct note){f, i};
        around(&f->note[i], &event_wait(&f->wait[i], &f->event[i])->fut, NULL);
        f->note[i].then = many_note;
        f->note[i].arg = &f->args[i];
    }
    VG_AWAIT(rc, VG_JOIN(f->all, &f->note[0], &f->note[1], &f->note[2], &f->note[3]));
    VG_RETURN(rc);
}

static struct many *many(struct many *f, struct event *event)
{
    VG_SETUP(f, many);
    f->event = event;
    f->ended = 0;
    return f;
}

TEST(futures_woken_together_are_polled_in_the_order_of_their_wakes)
{
    static const unsigned orders[][MANY] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};
    struct rig rig;

    rig_open(&rig);
    for (unsigned t = 0; t < 4; t++) {
        struct event event[MANY] = {{.set = false}};
        rig_spawn(&rig, many, event);
        for (unsigned i = 0; i < MANY; i++)
            event_set(&event[orders[t][i]]);
        rig_run(&rig);
        CHECK_EQ(rig_polls(&rig, t), 2);
        const struct many *f = vg_task_frame(&rig.task[t]);
        for (unsigned i = 0; i < MANY; i++)
            CHECK_EQ(f->order[i], orders[t][i]);
    }
    rig_close(&rig);
}

TEST(a_wake_that_comes_after_a_poll_makes_another_one)
{
    struct rig rig;
    struct event event[MANY] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, many, event);
    for (unsigned i = 0; i < MANY; i++) {
        event_set(&event[i]);
        rig_run(&rig);
        CHECK_EQ(rig_polls(&rig, 0), 2 + i);
    }
    rig_close(&rig);
}

TEST(the_wake_that_ends_a_future_leaves_nothing_armed)
{
    struct rig rig;
    struct event event[MANY] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, many, event);
    CHECK_EQ(rig.task[0].task->armed, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        event_set(&event[i]);
        rig_run(&rig);
        CHECK_EQ(rig.task[0].task->armed, MANY - 1 - i);
    }
    rig_close(&rig);
}

/* ---- one waiter, again and again ------------------------------------------------------------- */

struct awaiter {
    VG_FRAME(int);
    struct event *event;
    unsigned polls;
    void (*at)(struct awaiter *f); /* each poll of the wait */
    struct event_wait wait;
};

static void awaiter_polled(void *arg)
{
    struct awaiter *f = arg;

    f->polls++;
    if (f->at != NULL)
        f->at(f);
}

VG_ASYNC(awaiter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait_hooked(&f->wait, f->event, awaiter_polled, f));
    CHECK_EQ(rc, 0);
    VG_RETURN((int)f->polls);
}

static struct awaiter *awaiter(struct awaiter *f, struct event *event,
                               void (*at)(struct awaiter *f))
{
    VG_SETUP(f, awaiter);
    f->event = event;
    f->polls = 0;
    f->at = at;
    return f;
}

TEST(one_waiter_wakes_its_task_time_after_time)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, awaiter, &event, NULL);
    for (unsigned i = 0; i < 20; i++) {
        event_poke(&event);
        rig_run(&rig);
        CHECK_EQ(rig_polls(&rig, 0), 2 + i);
    }
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct awaiter), 22);
    rig_close(&rig);
}

static void poke_at_second_poll(struct awaiter *f)
{
    if (f->polls == 2)
        poke_elsewhere(f->event);
}

TEST(a_waiter_armed_and_woken_again_within_its_poll_is_polled_again)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, awaiter, &event, poke_at_second_poll);
    event_poke(&event); /* finds the task idle; the poll that answers it sees the next one */
    rig_run(&rig);
    CHECK_EQ(rig_polls(&rig, 0), 3);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct awaiter), 4);
    rig_close(&rig);
}

static void set_at_first_poll(struct awaiter *f)
{
    if (f->polls == 1)
        set_elsewhere(f->event);
}

TEST(a_wake_during_the_first_poll_is_not_lost)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, awaiter, &event, set_at_first_poll);
    CHECK_EQ(RIG_RET(&rig, 0, struct awaiter), 2);
    rig_close(&rig);
}

static void poke_itself(struct awaiter *f)
{
    if (f->polls <= 1000)
        event_poke(f->event);
    else
        event_set(f->event);
}

TEST(a_task_that_wakes_itself_is_visited_256_times_a_poll)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, awaiter, &event, poke_itself);
    CHECK_EQ(RIG_RET(&rig, 0, struct awaiter), 1002);
    CHECK_EQ(rig_polls(&rig, 0), (1001 + 255) / 256);
    rig_close(&rig);
}

/* ---- two children that keep each other awake ------------------------------------------------- */

struct pair {
    VG_FRAME(int);
    struct event event[2];
    const bool *stop;
    VG_CHILDREN(2) both;
    struct event_wait wait[2];
};

static void wake_second(void *arg)
{
    struct pair *f = arg;

    (*f->stop ? event_set : event_poke)(&f->event[1]);
}

static void wake_first(void *arg)
{
    struct pair *f = arg;

    (*f->stop ? event_set : event_poke)(&f->event[0]);
}

VG_ASYNC(pair)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_JOIN(f->both, event_wait_hooked(&f->wait[0], &f->event[0], wake_second, f),
                         event_wait_hooked(&f->wait[1], &f->event[1], wake_first, f)));
    VG_RETURN(rc);
}

static struct pair *pair(struct pair *f, const bool *stop)
{
    VG_SETUP(f, pair);
    f->event[0] = f->event[1] = (struct event){.set = false};
    f->stop = stop;
    return f;
}

struct stopper {
    VG_FRAME(int);
    bool *stop;
};

VG_ASYNC(stopper)
{
    VG_BEGIN(f);
    *f->stop = true;
    VG_RETURN(0);
}

static struct stopper *stopper(struct stopper *f, bool *stop)
{
    VG_SETUP(f, stopper);
    f->stop = stop;
    return f;
}

TEST(two_children_that_wake_each_other_for_ever_do_not_starve_other_tasks)
{
    struct rig rig;
    bool stop = false;

    TEST_TIMEOUT(10);
    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[0], pair, &stop), 0);
    rig.tasks++;
    rig_spawn(&rig, stopper, &stop);
    CHECK_EQ(RIG_RET(&rig, 0, struct pair), 0);
    CHECK(rig_polls(&rig, 0) < 10);
    rig_close(&rig);
}
