/* SPDX-License-Identifier: MIT */
/*
 * A task that waits for another, through its handle, while a third party cancels the one or the other. The result is
 * seen, the wait always ends, and the waited-for task is freed once, when nobody knows it any more.
 */
#include <string.h>

#include <vigil/exec.h>

#include "world.h"

struct child {
    struct vg_future fut;
    struct world_event event; /* ends it */
    bool waits;               /* for the event, or for being cancelled; else it ends at once */
    int result;
};

struct parent {
    struct vg_future fut;
    struct vg_task_wait wait;
    struct vg_handle handle;
    struct world_event event; /* lets it give up */
    bool may_give_up;
};

static struct world_task parent_task, child_task;
static struct parent parent;
static struct child child;
static struct vg_handle second_handle;

static vg_poll child_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct child *self = (struct child *)(void *)fut;

    if (self->waits && !vg_poll_future(&self->event.fut, cx).ready)
        return VG_PENDING;
    VG_WR(&self->result);
    self->result = 7;
    return VG_READY;
}

static void child_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct child *)(void *)fut)->event.fut, cx);
}

static const struct vg_ops child_ops = {.poll = child_poll,
                                        .cancel = child_cancel,
                                        .name = "child",
                                        .size = sizeof(struct child),
                                        .kind = VG_KIND_OPAQUE};

static void use_result(struct parent *self)
{
    struct child *result = vg_task_frame(&self->handle);

    VG_RD(&result->result);
    MC_ASSERT(result->result == 7);
}

static vg_poll parent_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct parent *self = (struct parent *)(void *)fut;

    if (self->may_give_up && vg_poll_future(&self->event.fut, cx).ready)
        vg_cancel(&self->wait.fut, cx);
    if (!vg_poll_future(&self->wait.fut, cx).ready)
        return VG_PENDING;
    if (self->may_give_up && !vg_done(&self->event.fut))
        return VG_PENDING;
    if (self->wait.ret == 0)
        use_result(self);
    else
        MC_ASSERT(self->may_give_up);
    vg_task_release(&self->handle);
    return VG_READY;
}

static const struct vg_ops parent_ops = {
    .poll = parent_poll, .name = "parent", .size = sizeof(struct parent), .kind = VG_KIND_OPAQUE};

static void init(bool child_waits, bool parent_may_give_up, unsigned refs)
{
    world_init();
    memset(&child, 0, sizeof child);
    memset(&parent, 0, sizeof parent);
    child.waits = child_waits;
    parent.may_give_up = parent_may_give_up;
    vg_future_init(&child.fut, &child_ops);
    vg_future_init(&parent.fut, &parent_ops);
    world_event(&child.event);
    world_event(&parent.event);
    world_start(&child_task, &child.fut, refs);
    world_start(&parent_task, &parent.fut, 1);
    parent.handle.task = second_handle.task = &child_task.task;
    vg_task_wait(&parent.wait, &parent.handle);
}

static void both_over(void)
{
    MC_ASSERT(parent_task.over && child_task.over);
    MC_ASSERT(child.result == 7);
}

/* The child ends while its parent begins to wait. */
static void init_waited_for(void)
{
    init(false, false, 2);
}

static void work(int id)
{
    world_work(id, id ? &child_task : &parent_task);
}
MC_MODEL(join_waited_for, .threads = 2, .init = init_waited_for, .thread = work,
         .final = both_over);

/* Somebody with a handle of his own cancels the child, which may be anywhere in its life. */
static void init_cancelled(void)
{
    init(true, false, 3);
}

static void cancelled(int id)
{
    if (id < 2) {
        work(id);
    } else {
        vg_task_cancel(&second_handle);
        vg_task_cancel(&second_handle);
        vg_task_release(&second_handle);
    }
}
MC_MODEL(join_cancelled, .threads = 3, .init = init_cancelled, .thread = cancelled,
         .final = both_over);

/* The parent gives the wait up, while the child ends. */
static void init_given_up(void)
{
    init(false, true, 2);
}

static void given_up(int id)
{
    if (id < 2)
        work(id);
    else
        world_happen(&parent.event);
}
MC_MODEL(join_given_up, .threads = 3, .init = init_given_up, .thread = given_up,
         .final = both_over);
