/* SPDX-License-Identifier: MIT */
#include "set_scene.h"

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
