/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Async functions: what an await gives, and what may happen to the memory of a child that has ended. */

/* ---- results --------------------------------------------------------------------------------- */

struct point {
    int x, y;
};

struct locate {
    VG_FRAME(struct point);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(locate)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    VG_RETURN(((struct point){3, rc == 0 ? 4 : -1}));
}

static struct locate *locate(struct locate *f, struct event *event)
{
    VG_SETUP(f, locate);
    f->event = event;
    return f;
}

struct twice {
    VG_FRAME(int);
    struct event *event;
    struct locate child;
    struct point p, again;
};

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    VG_AWAIT(f->p, locate(&f->child, f->event));
    VG_AWAIT(f->again, &f->child);
    VG_RETURN(f->p.x * 10 + f->again.y);
}

static struct twice *twice(struct twice *f, struct event *event)
{
    VG_SETUP(f, twice);
    f->event = event;
    return f;
}

TEST(an_await_gives_the_result_of_its_childs_type_and_gives_it_again)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, twice, &event);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct twice), 34);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    rig_close(&rig);
}

/* ---- results that end the function ----------------------------------------------------------- */

struct fails {
    VG_FRAME(int);
    int with;
};

VG_ASYNC(fails)
{
    VG_BEGIN(f);
    VG_RETURN(f->with);
}

static struct fails *fails(struct fails *f, int with)
{
    VG_SETUP(f, fails);
    f->with = with;
    return f;
}

struct trying {
    VG_FRAME(long);
    int results[3];
    unsigned i;
    struct fails child;
};

VG_ASYNC(trying)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < 3; f->i++)
        VG_TRY(rc, fails(&f->child, f->results[f->i]));
    VG_RETURN(100);
}

static struct trying *trying(struct trying *f, int first, int second, int third)
{
    VG_SETUP(f, trying);
    f->results[0] = first;
    f->results[1] = second;
    f->results[2] = third;
    return f;
}

TEST(a_try_returns_what_is_negative)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, trying, 0, 5, -EPIPE);
    rig_spawn(&rig, trying, 0, -EIO, -EPIPE);
    rig_spawn(&rig, trying, 1, 2, 3);
    CHECK_EQ(RIG_RET(&rig, 0, struct trying), -EPIPE);
    CHECK_EQ(RIG_RET(&rig, 1, struct trying), -EIO);
    CHECK_EQ(((const struct trying *)vg_task_frame(&rig.task[1]))->i, 1);
    CHECK_EQ(RIG_RET(&rig, 2, struct trying), 100);
    rig_close(&rig);
}

/* ---- one piece of memory for all children ---------------------------------------------------- */

struct pair {
    VG_FRAME(int);
    struct event *event; /* two */
    VG_CHILDREN(2) both;
    struct event_wait wait[2];
};

VG_ASYNC(pair)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_JOIN(f->both, event_wait(&f->wait[0], &f->event[0]),
                         event_wait(&f->wait[1], &f->event[1])));
    VG_RETURN(rc);
}

static struct pair *pair(struct pair *f, struct event *event)
{
    VG_SETUP(f, pair);
    f->event = event;
    return f;
}

enum { EVENTS = 5 };

struct frugal {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(2) arms;
    union {
        struct pair pair;
        struct event_wait wait;
        struct {
            struct event_wait wait[2];
        } two;
    } u;
};

VG_ASYNC(frugal)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, pair(&f->u.pair, &f->event[0]));
    SCRIBBLE(&f->u);
    VG_AWAIT(rc, VG_RACE(f->arms, event_wait(&f->u.two.wait[0], &f->event[2]),
                         event_wait(&f->u.two.wait[1], &f->event[3])));
    SCRIBBLE(&f->u);
    SCRIBBLE(&f->arms);
    VG_AWAIT(rc, event_wait(&f->u.wait, &f->event[4]));
    SCRIBBLE(&f->u);
    VG_RETURN(rc);
}

static struct frugal *frugal(struct frugal *f, struct event *event)
{
    VG_SETUP(f, frugal);
    f->event = event;
    return f;
}

TEST(the_memory_of_a_child_that_has_ended_can_be_used_again_in_the_same_poll)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, frugal, event);
    event_set(&event[1]);
    event_set(&event[0]);
    rig_run(&rig);
    event_set(&event[3]); /* wins; the other one is woken too, and its memory reused at once */
    event_set(&event[2]);
    rig_run(&rig);
    CHECK_EQ(event[4].waiter != NULL, true);
    event_set(&event[4]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct frugal), 0);
    CHECK_EQ(rig_polls(&rig, 0), 4);
    rig_close(&rig);
}

TEST(everything_that_is_ready_runs_in_the_first_poll)
{
    struct rig rig;
    struct event event[EVENTS] = {
        {.set = true}, {.set = true}, {.set = true}, {.set = true}, {.set = true}};

    rig_open(&rig);
    rig_spawn(&rig, frugal, event);
    CHECK_EQ(RIG_RET(&rig, 0, struct frugal), 0);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    rig_close(&rig);
}

/* ---- functions in functions ------------------------------------------------------------------ */

enum { LEVELS = 20 };

struct level {
    VG_FRAME(int);
    struct level *below; /* NULL: the last */
    struct event *event;
    unsigned resumed;
    struct event_wait wait;
};

VG_ASYNC(level)
{
    VG_BEGIN(f);
    int rc;
    f->resumed++;
    if (f->below != NULL)
        VG_AWAIT(rc, f->below);
    else
        VG_AWAIT(rc, event_wait(&f->wait, f->event));
    f->resumed++;
    VG_RETURN(rc + 1);
}

static struct level *level(struct level *f, struct event *event, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        VG_SETUP(&f[i], level);
        f[i].event = event;
        f[i].below = i + 1 < depth ? &f[i + 1] : NULL;
        f[i].resumed = 0;
    }
    return f;
}

TEST(a_result_travels_up_through_all_levels_in_one_poll)
{
    struct rig rig;
    struct event event = {.set = false};
    struct level *f;

    rig_open(&rig);
    f = vg_task_alloc(rig.exec, sizeof *f * LEVELS);
    CHECK(f != NULL);
    CHECK_EQ(vg_spawn_at(&level(f, &event, LEVELS)->fut, &rig.task[0], VG_HERE), 0);
    rig.tasks = 1;
    rig_run(&rig);
    for (unsigned i = 0; i < LEVELS; i++)
        CHECK_EQ(f[i].resumed, 1);
    event_set(&event);
    rig_run(&rig);
    for (unsigned i = 0; i < LEVELS; i++)
        CHECK_EQ(f[i].resumed, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct level), LEVELS);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    rig_close(&rig);
}
