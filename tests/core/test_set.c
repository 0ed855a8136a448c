/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include <vigil/set.h>

#include "nodes.h"
#include "rig.h"

/* Children that come and go while they run. Each waits for an event of its own, which the test sets. */

enum { CHILDREN = 6 };

struct child {
    struct vg_set_item item;
    struct event_wait wait;
};

struct scene {
    struct event event[CHILDREN], busy;
    struct vg_set set;
    struct child child[CHILDREN];
    unsigned polls[CHILDREN]; /* of each child */
    int order[CHILDREN + 1];  /* numbers of those taken out, and the -errno that ended it */
    unsigned taken;
};

static void count_poll(void *polls)
{
    ++*(unsigned *)polls;
}

static struct event_wait *child(struct scene *s, unsigned i)
{
    return event_wait_hooked(&s->child[i].wait, &s->event[i], count_poll, &s->polls[i]);
}

static void take(struct scene *s, const struct vg_set_item *item)
{
    CHECK(s->taken < CHILDREN);
    s->order[s->taken++] = (int)((const struct child *)(const void *)item - s->child);
}

/* Pushes all children but the last, is busy with something else if it is told to, then takes out whatever there is. */
struct collector {
    VG_FRAME(int);
    struct scene *scene;
    bool is_busy, ends_all;
    struct event_wait busy;
    struct vg_set_next next;
};

VG_ASYNC(collector)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        VG_SET_PUSH(&f->scene->set, &f->scene->child[i].item, child(f->scene, i));
    if (f->is_busy)
        VG_AWAIT(rc, event_wait(&f->busy, &f->scene->busy));
    for (;;) {
        VG_AWAIT(rc, vg_set_next(&f->next, &f->scene->set));
        if (rc < 0)
            break;
        take(f->scene, f->next.item);
    }
    CHECK(f->next.item == NULL);
    f->scene->order[f->scene->taken] = rc;
    if (f->ends_all)
        VG_AWAIT_CANCEL(rc, &f->scene->set);
    VG_RETURN(rc);
}

static struct collector *collector(struct collector *f, struct scene *scene, bool is_busy,
                                   bool ends_all)
{
    VG_SETUP(f, collector);
    f->scene = scene;
    f->is_busy = is_busy;
    f->ends_all = ends_all;
    return f;
}

static void set_in_order(struct rig *rig, struct scene *s, const int *order)
{
    for (unsigned i = 0; i < CHILDREN - 1; i++) {
        event_set(&s->event[order[i]]);
        rig_run(rig);
    }
}

static const int backwards[] = {3, 0, 4, 2, 1, -ENOENT};

TEST(children_are_taken_out_in_the_order_in_which_they_end)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, false, false);
    set_in_order(&rig, &s, backwards);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    CHECK_EQ(s.taken, CHILDREN - 1);
    for (unsigned i = 0; i <= s.taken; i++)
        CHECK_EQ(s.order[i], backwards[i]);
    CHECK(vg_set_empty(&s.set));
    rig_close(&rig);
}

TEST(children_run_to_their_end_while_the_frame_awaits_something_else)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, true, false);
    set_in_order(&rig, &s, backwards);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        CHECK(vg_done(&s.child[i].wait.fut));
    CHECK_EQ(s.set.fut.state, VG_DONE);
    CHECK(!vg_set_empty(&s.set));
    event_set(&s.busy);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    for (unsigned i = 0; i <= s.taken; i++)
        CHECK_EQ(s.order[i], backwards[i]);
    rig_close(&rig);
}

TEST(a_wake_polls_only_the_child_that_was_woken)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, false, false);
    for (unsigned n = 0; n < 10; n++) {
        event_poke(&s.event[2]);
        rig_run(&rig);
    }
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        CHECK_EQ(s.polls[i], i == 2 ? 11 : 1);
    set_in_order(&rig, &s, backwards);
    CHECK_EQ(s.taken, CHILDREN - 1);
    rig_close(&rig);
}

TEST(a_child_that_ends_at_once_is_taken_out_like_any_other)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        s.event[i].set = true;
    rig_spawn(&rig, collector, &s, false, false);
    CHECK_EQ(RIG_RET(&rig, 0, struct collector), -ENOENT);
    CHECK_EQ(s.taken, CHILDREN - 1);
    CHECK_EQ(s.set.fut.state, VG_INIT); /* nobody had to drive it */
    rig_close(&rig);
}

/* Cancels the task, and sets the first events before or after that; all of it comes in one poll. */
static void cancel_among(struct rig *rig, struct scene *s, unsigned events, bool before)
{
    for (unsigned i = 0; before && i < events; i++)
        event_set(&s->event[i]);
    vg_task_cancel(&rig->task[0]);
    for (unsigned i = 0; !before && i < events; i++)
        event_set(&s->event[i]);
    rig_run(rig);
}

static void cancel_collector(unsigned events, bool before, bool is_busy)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, is_busy, true);
    cancel_among(&rig, &s, events, before);
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(s.taken, 0); /* they are left in the set */
    CHECK_EQ(s.order[0], -ECANCELED);
    for (unsigned i = 0; i < CHILDREN - 1; i++) {
        CHECK(vg_done(&s.child[i].wait.fut));
        CHECK_EQ(s.child[i].wait.ret, i < events ? 0 : -ECANCELED);
    }
    rig_close(&rig);
}

TEST(a_cancelled_frame_ends_its_children_and_loses_none_of_them)
{
    for (unsigned events = 0; events < CHILDREN; events++)
        for (unsigned how = 0; how < 4; how++)
            cancel_collector(events, how & 1, how & 2);
}

/* ---- one at a time --------------------------------------------------------------------------- */

/* Keeps two running; each that ends is pushed again under the next number. */
struct relay {
    VG_FRAME(int);
    struct scene *scene;
    unsigned pushed;
    struct vg_set_next next;
};

VG_ASYNC(relay)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    for (;;) {
        for (; f->pushed < CHILDREN && f->pushed < f->scene->taken + 2; f->pushed++)
            VG_SET_PUSH(&f->scene->set, &f->scene->child[f->pushed].item,
                        child(f->scene, f->pushed));
        VG_AWAIT(rc, vg_set_next(&f->next, &f->scene->set));
        if (rc < 0)
            VG_RETURN(rc);
        take(f->scene, f->next.item);
    }
}

static struct relay *relay(struct relay *f, struct scene *scene)
{
    VG_SETUP(f, relay);
    f->scene = scene;
    f->pushed = 0;
    return f;
}

TEST(children_may_be_pushed_while_others_run)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, relay, &s);
    for (unsigned i = 0; i < CHILDREN; i++) {
        CHECK_EQ(s.polls[i], 1);
        CHECK(i + 2 >= CHILDREN || s.polls[i + 2] == 0);
        event_set(&s.event[i]);
        rig_run(&rig);
        CHECK_EQ(s.taken, i + 1);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct relay), -ENOENT);
    rig_close(&rig);
}

/* Pushes one, waits until the set has ended, and does it again. */
struct again {
    VG_FRAME(int);
    struct scene *scene;
    unsigned i;
};

VG_ASYNC(again)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    VG_AWAIT(rc, &f->scene->set); /* nothing runs */
    CHECK_EQ(rc, 0);
    for (f->i = 0; f->i < CHILDREN; f->i++) {
        VG_SET_PUSH(&f->scene->set, &f->scene->child[f->i].item, child(f->scene, f->i));
        VG_TRY(rc, &f->scene->set);
    }
    VG_RETURN(0);
}

static struct again *again(struct again *f, struct scene *scene)
{
    VG_SETUP(f, again);
    f->scene = scene;
    return f;
}

TEST(awaiting_the_set_waits_for_all_and_it_may_be_used_again)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, again, &s);
    for (unsigned i = 0; i < CHILDREN; i++) {
        CHECK(!rig_done(&rig, 0));
        CHECK_EQ(s.polls[i], 1);
        event_set(&s.event[i]);
        rig_run(&rig);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct again), 0);
    rig_close(&rig);
}

/* ---- next as an arm, one child cancelled ------------------------------------------------------- */

struct patient {
    VG_FRAME(int);
    struct scene *scene;
    unsigned timeouts;
    struct vg_set_next next;
    struct vg_sleep nap;
    VG_ARMS(2) arms;
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    for (unsigned i = 0; i < CHILDREN; i++)
        VG_SET_PUSH(&f->scene->set, &f->scene->child[i].item, child(f->scene, i));
    vg_cancel(&f->scene->child[0].item.fut, vg_cx);
    for (f->timeouts = 0; f->timeouts < 3;) {
        VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(vg_set_next(&f->next, &f->scene->set)),
                               VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
        f->timeouts += rc == 1;
        if (f->next.ret == 0 && f->next.item != NULL)
            take(f->scene, f->next.item);
        else if (rc == 0)
            break;
    }
    VG_AWAIT_CANCEL(rc, &f->scene->set);
    VG_RETURN(rc);
}

static struct patient *patient(struct patient *f, struct scene *scene)
{
    VG_SETUP(f, patient);
    f->scene = scene;
    return f;
}

TEST(next_may_lose_a_select_again_and_again)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, patient, &s);
    CHECK_EQ(s.taken, 1);
    CHECK_EQ(s.order[0], 0);
    CHECK_EQ(s.child[0].wait.ret, -ECANCELED);
    rig_pass(&rig, VG_MSEC(15));
    event_set(&s.event[4]);
    rig_run(&rig);
    CHECK_EQ(s.order[1], 4);
    rig_pass(&rig, VG_MSEC(100));
    CHECK_EQ(RIG_RET(&rig, 0, struct patient), -ECANCELED);
    CHECK_EQ(s.taken, 2);
    for (unsigned i = 0; i < CHILDREN; i++)
        CHECK_EQ(s.child[i].wait.ret, i == 4 ? 0 : -ECANCELED);
    rig_close(&rig);
}

/* ---- below an opaque future, seen from outside, in great number -------------------------------- */

struct covered {
    VG_FRAME(int);
    struct collector collector;
    struct around around;
    unsigned polls;
};

VG_ASYNC(covered)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, opaque(&f->around, &f->collector.fut, &f->polls));
    VG_RETURN(rc);
}

static struct covered *covered(struct covered *f, struct scene *scene)
{
    VG_SETUP(f, covered);
    collector(&f->collector, scene, true, false);
    return f;
}

TEST(a_set_below_an_opaque_future_works_too)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, covered, &s);
    set_in_order(&rig, &s, backwards);
    event_set(&s.busy);
    rig_run(&rig);
    CHECK(rig_done(&rig, 0));
    CHECK_EQ(s.taken, CHILDREN - 1);
    rig_close(&rig);
}

TEST(whoever_looks_at_the_children_sees_each_of_those_that_run_once)
{
    struct scene s = {0};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, collector, &s, false, false);
    event_set(&s.event[1]);
    rig_run(&rig);
    for (unsigned round = 0; round < 2; round++) {
        unsigned seen = 0, i;
        const struct vg_future *item;

        for (i = 0; (item = s.set.fut.ops->child(&s.set.fut, i)) != NULL; i++)
            seen |= 1U << ((const struct child *)(const void *)item - s.child);
        CHECK_EQ(i, CHILDREN - 2);
        CHECK_EQ(seen, 0x1d);
        CHECK(s.set.fut.ops->child(&s.set.fut, 1) != NULL);
    }
    set_in_order(&rig, &s, backwards);
    rig_close(&rig);
}

enum { MANY = 1000 };

struct flood {
    VG_FRAME(int);
    struct vg_set set;
    struct vg_set_next next;
    unsigned taken;
    struct event *event;
    struct child child[MANY];
};

VG_ASYNC(flood)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->set);
    for (unsigned i = 0; i < MANY; i++)
        VG_SET_PUSH(&f->set, &f->child[i].item, event_wait(&f->child[i].wait, f->event));
    for (f->taken = 0;; f->taken++) {
        VG_AWAIT(rc, vg_set_next(&f->next, &f->set));
        if (rc < 0)
            VG_RETURN(rc);
    }
}

static struct flood *flood(struct flood *f, struct event *event)
{
    VG_SETUP(f, flood);
    f->event = event;
    return f;
}

TEST(taking_out_counts_towards_the_budget_of_the_poll)
{
    struct event event = {.set = true};
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, flood, &event);
    CHECK_EQ(RIG_RET(&rig, 0, struct flood), -ENOENT);
    CHECK_EQ(((const struct flood *)vg_task_frame(&rig.task[0]))->taken, MANY);
    CHECK(rig_polls(&rig, 0) > MANY / 200);
    rig_close(&rig);
}

TEST(a_child_costs_what_the_header_says)
{
    CHECK_EQ(sizeof(struct vg_set_item), 64);
}
