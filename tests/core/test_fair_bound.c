/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"

/*
 * How many polls a worker makes, at most, between a wake and the poll that answers it, while every queue that goes before
 * is kept full: the private slot by two tasks that wake each other, the deque by one that spawns tasks with handles and awaits
 * them, the ring by tasks that yield.
 */

enum { YIELDERS = 3, PLAYERS = 2, ROUNDS = 40 };

struct scene {
    bool stop;
    struct event *turn[PLAYERS];
    struct event event; /* of the victim */
    uint64_t answered;  /* times that the victim ran */
};

struct yielder {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_yield yield;
};

VG_ASYNC(yielder)
{
    VG_BEGIN(f);
    int rc;
    for (rc = 0; !f->scene->stop && rc == 0;)
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_RETURN(rc);
}

static struct yielder *yielder(struct yielder *f, struct scene *scene)
{
    VG_SETUP(f, yielder);
    f->scene = scene;
    return f;
}

/* Wakes the other one in each of its polls, which then is the next to run. */
struct player {
    VG_FRAME(int);
    struct scene *scene;
    unsigned id;
    struct event mine;
    struct event_wait wait;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    int rc;
    for (rc = 0; !f->scene->stop && rc == 0;) {
        f->mine.set = false;
        if (f->scene->turn[!f->id] != NULL)
            event_set(f->scene->turn[!f->id]);
        VG_AWAIT(rc, event_wait(&f->wait, &f->mine));
    }
    f->scene->turn[f->id] = NULL;
    VG_RETURN(rc);
}

static struct player *player(struct player *f, struct scene *scene, unsigned id)
{
    VG_SETUP(f, player);
    f->scene = scene;
    f->id = id;
    f->mine = (struct event){.set = false};
    scene->turn[id] = &f->mine;
    return f;
}

struct parent {
    VG_FRAME(int);
    struct scene *scene;
    struct scene done;
    struct vg_handle child;
    struct vg_task_wait wait;
};

/* There is always a child of it on the deque, or itself. */
VG_ASYNC(parent)
{
    VG_BEGIN(f);
    int rc;
    for (rc = 0; !f->scene->stop && rc == 0;) {
        CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->child, yielder, &f->done), 0);
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->child));
        vg_task_release(&f->child);
    }
    VG_RETURN(rc);
}

static struct parent *parent(struct parent *f, struct scene *scene)
{
    VG_SETUP(f, parent);
    f->scene = scene;
    f->done = (struct scene){.stop = true};
    return f;
}

struct victim {
    VG_FRAME(int);
    struct scene *scene;
    struct event_wait wait;
};

VG_ASYNC(victim)
{
    VG_BEGIN(f);
    int rc;
    for (rc = 0; !f->scene->stop && rc == 0;) {
        VG_AWAIT(rc, event_wait(&f->wait, &f->scene->event));
        f->scene->event.set = false;
        f->scene->answered++;
    }
    VG_RETURN(rc);
}

static struct victim *victim(struct victim *f, struct scene *scene)
{
    VG_SETUP(f, victim);
    f->scene = scene;
    return f;
}

static uint64_t polls(struct rig *rig)
{
    struct vg_worker_info info;

    vg_exec_worker(rig->exec, 0, &info);
    return info.polls;
}

static void step(struct rig *rig, unsigned n)
{
    while (n-- > 0)
        (void)vg_exec_step(rig->exec, 0);
}

/* As rig_spawn(), where nobody comes to rest. */
#define START(rig, fn, ...)                                                                        \
    do {                                                                                           \
        CHECK_EQ(VG_SPAWN((rig)->exec, &(rig)->task[(rig)->tasks], fn, ##__VA_ARGS__), 0);         \
        (rig)->tasks++;                                                                            \
        step(rig, 200);                                                                            \
    } while (0)

/* Wakes the victim from outside; returns how many polls later it ran. */
static uint64_t wake_and_count(struct rig *rig, struct scene *s)
{
    const uint64_t before = polls(rig), answered = s->answered;

    event_set(&s->event);
    while (s->answered == answered) {
        step(rig, 1);
        CHECK(polls(rig) - before < 100000);
    }
    return polls(rig) - before;
}

static uint64_t worst_of(bool with_children, bool with_players)
{
    struct scene s = {.stop = false};
    struct rig rig;
    uint64_t worst = 0;

    rig_open(&rig);
    START(&rig, victim, &s);
    for (unsigned i = 0; i < YIELDERS; i++)
        START(&rig, yielder, &s);
    for (unsigned i = 0; with_players && i < PLAYERS; i++)
        START(&rig, player, &s, i);
    if (with_children)
        START(&rig, parent, &s);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint64_t n = wake_and_count(&rig, &s);

        worst = n > worst ? n : worst;
        step(&rig, 7 * i);
    }
    s.stop = true;
    event_set(&s.event);
    for (unsigned i = 0; i < PLAYERS; i++) {
        if (s.turn[i] != NULL)
            event_set(s.turn[i]);
        rig_run(&rig);
    }
    rig_close(&rig);
    return worst;
}

/* Tasks that are queued when it is woken, or come to be: the adversaries. */
enum { T = YIELDERS + PLAYERS + 2 };

TEST(a_wake_from_outside_is_answered_within_64_polls_for_each_task_before_it)
{
    CHECK(worst_of(true, true) <= 64 * (T + 1));
    CHECK(worst_of(false, true) <= 64 * (T + 1));
    CHECK(worst_of(true, false) <= 64 * (T + 1));
}
