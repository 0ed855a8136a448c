/* SPDX-License-Identifier: MIT */
#include "kids.h"

/* Scopes: which spawns are refused, when memory is given back, misuse, and what instruments see. */

/* ---- spawns that are refused ----------------------------------------------------------------- */

/* Opens a scope, waits, and then wants a child more. */
struct late {
    VG_FRAME(int);
    struct event *event, *before;
    int result, first, second, spawned;
    struct event_wait wait;
    struct vg_scope scope;
};

VG_ASYNC(late)
{
    VG_BEGIN(f);
    int rc;
    vg_scope_open(&f->scope, "late", VG_SCOPE_CANCEL);
    rc = VG_SCOPE_SPAWN(&f->scope, kid, f->event, f->result, &f->first);
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, event_wait(&f->wait, f->before));
    f->spawned = VG_SCOPE_SPAWN(&f->scope, kid, f->event, 2, &f->second);
    VG_AWAIT(rc, &f->scope);
    VG_RETURN(rc);
}

static struct late *late(struct late *f, struct event *event, int result, struct event *before)
{
    VG_SETUP(f, late);
    f->event = event;
    f->result = result;
    f->before = before;
    f->second = 0;
    return f;
}

static const struct late *run_late(struct rig *rig, int result, bool cancel)
{
    static struct event event, before;

    event.set = before.set = false;
    rig_spawn(rig, late, &event, result, &before);
    event_set(&event);
    rig_run(rig);
    if (cancel)
        vg_task_cancel(&rig->task[0]);
    event_set(&before);
    rig_run(rig);
    return vg_task_frame(&rig->task[0]);
}

TEST(a_scope_can_be_spawned_into_until_it_ends)
{
    struct rig rig;
    const struct late *f;

    rig_open(&rig);
    f = run_late(&rig, 1, false);
    CHECK_EQ(f->ret, 0);
    CHECK_EQ(f->spawned, 0);
    CHECK_EQ(f->second, 2);
    rig_close(&rig);
}

TEST(a_scope_with_a_failure_takes_no_more_children)
{
    struct rig rig;
    const struct late *f;

    rig_open(&rig);
    f = run_late(&rig, -EIO, false);
    CHECK_EQ(f->ret, -EIO);
    CHECK_EQ(f->spawned, -ECANCELED);
    CHECK_EQ(f->second, 0);
    rig_close(&rig);
}

TEST(a_cancelled_scope_takes_no_more_children)
{
    struct rig rig;
    const struct late *f;

    rig_open(&rig);
    f = run_late(&rig, 1, true);
    CHECK_EQ(f->ret, -ECANCELED);
    CHECK_EQ(f->spawned, -ECANCELED);
    rig_close(&rig);
}

/* ---- memory ---------------------------------------------------------------------------------- */

struct many {
    VG_FRAME(int);
    unsigned left;
    uint32_t most;
    struct vg_yield yield;
    struct vg_scope scope;
    int out;
    struct event set;
};

/* Spawns one by one children that end at once. */
VG_ASYNC(many)
{
    VG_BEGIN(f);
    int rc;
    f->most = 0;
    f->set = (struct event){.set = true};
    vg_scope_open(&f->scope, NULL, VG_SCOPE_CANCEL);
    for (; f->left > 0; f->left--) {
        rc = VG_SCOPE_SPAWN(&f->scope, kid, &f->set, 0, &f->out);
        CHECK_EQ(rc, 0);
        if (f->scope.listed > f->most)
            f->most = f->scope.listed;
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    VG_AWAIT(rc, &f->scope);
    VG_RETURN(rc);
}

static struct many *many(struct many *f, unsigned n)
{
    VG_SETUP(f, many);
    f->left = n;
    return f;
}

TEST(a_scope_that_goes_on_gives_back_children_that_have_ended)
{
    struct rig rig;
    const struct many *f;

    rig_open(&rig);
    rig_spawn(&rig, many, 10000);
    CHECK_EQ(RIG_RET(&rig, 0, struct many), 0);
    f = vg_task_frame(&rig.task[0]);
    CHECK(f->most <= 70);
    rig_close(&rig);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

struct hasty {
    VG_FRAME(int);
    struct event *event;
    int out;
    struct vg_scope scope;
};

VG_ASYNC(hasty)
{
    VG_BEGIN(f);
    vg_scope_open(&f->scope, "hasty", VG_SCOPE_CANCEL);
    VG_RETURN(VG_SCOPE_SPAWN(&f->scope, kid, f->event, 1, &f->out));
}

static struct hasty *hasty(struct hasty *f, struct event *event)
{
    VG_SETUP(f, hasty);
    f->event = event;
    return f;
}

TEST(returning_with_an_open_scope_panics)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    CHECK_PANICS("hasty returns while its child open scope is kept",
                 rig_spawn(&rig, hasty, &event));
    rig_close(&rig);
}

struct opener {
    VG_FRAME(int);
    struct vg_scope scope;
    int out;
};

/* Spawns into a scope that has ended. */
VG_ASYNC(opener)
{
    VG_BEGIN(f);
    int rc;
    vg_scope_open(&f->scope, "opener", VG_SCOPE_CANCEL);
    VG_AWAIT(rc, &f->scope);
    CHECK_PANICS("a spawn into scope opener, which has ended",
                 (void)!VG_SCOPE_SPAWN(&f->scope, kid, NULL, 1, &f->out));
    vg_scope_open(&f->scope, "again", VG_SCOPE_CANCEL);
    VG_AWAIT(rc, &f->scope);
    VG_RETURN(rc);
}

static struct opener *opener(struct opener *f)
{
    VG_SETUP(f, opener);
    return f;
}

TEST(a_scope_is_opened_again_before_it_is_used_again)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, opener);
    CHECK_EQ(RIG_RET(&rig, 0, struct opener), 0);
    rig_close(&rig);
}

struct thief {
    VG_FRAME(int);
    struct vg_scope *scope;
    int out;
};

VG_ASYNC(thief)
{
    VG_BEGIN(f);
    VG_RETURN(VG_SCOPE_SPAWN(f->scope, kid, NULL, 1, &f->out));
}

static struct thief *thief(struct thief *f, struct vg_scope *scope)
{
    VG_SETUP(f, thief);
    f->scope = scope;
    return f;
}

TEST(another_task_cannot_spawn_into_a_scope)
{
    struct rig rig;
    struct event event = {.set = false};
    struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, &event, well, 1, VG_SCOPE_CANCEL, NULL);
    f = (struct parent *)vg_task_root(rig.task[0].task);
    CHECK_PANICS("scope kids is used by another task", rig_spawn(&rig, thief, &f->scope));
    event_set(&event);
    rig_run(&rig);
    rig_close(&rig);
}

TEST(a_scope_is_not_opened_outside_of_a_task)
{
    struct vg_scope scope;

    CHECK_PANICS("is opened where no async function", vg_scope_open(&scope, NULL, VG_SCOPE_ALL));
}

/* ---- hand-written futures ---------------------------------------------------------------------- */

/* Opens a scope by hand, and ends with it, or too early. */
struct byhand {
    struct vg_future fut;
    struct event *event;
    bool hasty;
    int out;
    struct vg_scope scope;
};

static vg_poll opaque_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct byhand *self = (struct byhand *)(void *)fut;

    if (self->out == 0) {
        vg_scope_open(&self->scope, "byhand", VG_SCOPE_CANCEL);
        CHECK_EQ(VG_SCOPE_SPAWN(&self->scope, kid, self->event, 1, &self->out), 0);
        self->out = 2;
    }
    return self->hasty ? VG_READY : vg_poll_future(&self->scope.fut, cx);
}

static void opaque_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct byhand *)(void *)fut)->scope.fut, cx);
}

static const struct vg_ops opaque_ops = {.poll = opaque_poll,
                                         .cancel = opaque_cancel,
                                         .name = "byhand",
                                         .size = sizeof(struct byhand),
                                         .kind = VG_KIND_OPAQUE};

static struct byhand *byhand(struct byhand *self, struct event *event, bool hasty)
{
    vg_future_init(&self->fut, &opaque_ops);
    self->event = event;
    self->hasty = hasty;
    self->out = 0;
    return self;
}

TEST(an_opaque_future_may_open_a_scope)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, byhand, &event, false);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(((struct byhand *)vg_task_frame(&rig.task[0]))->out, 1);
    rig_close(&rig);
}

TEST(a_cancelled_opaque_future_passes_its_cancel_on_to_its_scope)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, byhand, &event, false);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(((struct byhand *)vg_task_frame(&rig.task[0]))->out, -ECANCELED);
    rig_close(&rig);
}

TEST(an_opaque_future_that_ends_with_an_open_scope_panics)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    CHECK_PANICS("byhand has ended with 1 running children", rig_spawn(&rig, byhand, &event, true));
    rig_close(&rig);
}

/* ---- instruments ------------------------------------------------------------------------------ */

TEST(instruments_see_what_a_parent_waits_for)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    struct parent *f;
    struct vg_wait wait;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, well, KIDS, VG_SCOPE_CANCEL, NULL);
    f = (struct parent *)vg_task_root(rig.task[0].task);
    CHECK(f->scope.fut.ops->waits(&f->scope.fut, &wait));
    CHECK_STR(wait.resource->name, "kids");
    CHECK_STR(wait.resource->ops->kind, "scope");
    CHECK_STR(wait.resource->place->file, "kids.h");
    CHECK_EQ(wait.want, KIDS);
    CHECK_EQ(wait.resource->ops->waiters(wait.resource), 1);
    event_set(&event[0]);
    rig_run(&rig);
    CHECK(f->scope.fut.ops->waits(&f->scope.fut, &wait));
    CHECK_EQ(wait.want, KIDS - 1);
    for (int i = 1; i < KIDS; i++)
        event_set(&event[i]);
    rig_run(&rig);
    rig_close(&rig);
}
