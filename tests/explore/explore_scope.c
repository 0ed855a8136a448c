/* SPDX-License-Identifier: MIT */
/*
 * A scope and its two children, one of which may fail, while somebody cancels the parent: the parent goes on exactly once,
 * when both have ended, sees what they left, and nobody touches the scope or a child after that.
 */
#include <string.h>

#include <vigil/scope.h>

#include "scope.h"
#include "world.h"

enum { KIDS = 2, PARENT = KIDS };

struct kid {
    struct vg_future fut;
    int ret;
    int *out;
    int result;
    bool waits; /* until it is cancelled */
    struct world_event event;
};

struct parent {
    struct vg_future fut;
    struct vg_scope scope;
    int out[KIDS];
    struct world_event event; /* has it polled while it waits */
};

static struct world_task tasks[KIDS + 1];
static struct parent parent;
static int results[KIDS], allocated;
static bool waiting_kid, sweeping, poked, cancelled_kids[KIDS];

struct vg_task *vg_slab_alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache, size_t size)
{
    struct world_task *task = &tasks[allocated++];

    (void)slabs, (void)cache;
    MC_ASSERT(size <= sizeof task->frame);
    memset(task, 0, sizeof *task);
    vg_task_init_slot(&task->task);
    task->task.exec = vg_exec_current();
    return &task->task;
}

static vg_poll kid_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct kid *self = (struct kid *)(void *)fut;

    if (self->waits && !vg_poll_future(&self->event.fut, cx).ready)
        return VG_PENDING;
    VG_WR(self->out);
    *self->out = 1;
    self->ret = self->waits ? -ECANCELED : self->result;
    return VG_READY;
}

static void kid_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct kid *)(void *)fut)->event.fut, cx);
}

static const struct vg_ops kid_ops = {.poll = kid_poll,
                                      .cancel = kid_cancel,
                                      .name = "kid",
                                      .size = sizeof(struct kid),
                                      .kind = VG_KIND_OPAQUE};

static struct kid *kid(struct kid *self, int i)
{
    vg_future_init(&self->fut, &kid_ops);
    self->out = &parent.out[i];
    self->result = results[i];
    self->waits = waiting_kid && i == 1;
    world_event(&self->event);
    return self;
}

static void spawn(struct parent *self)
{
    vg_scope_open_at(&self->scope, "scope", VG_SCOPE_CANCEL, NULL);
    for (int i = 0; i < KIDS; i++) {
        int rc = VG_SCOPE_SPAWN(&self->scope, kid, i);

        /* A child that was refused has done nothing. */
        MC_ASSERT(rc == 0 || rc == -ECANCELED);
        cancelled_kids[i] = rc < 0;
        if (rc < 0) {
            tasks[i].over = 1;
            mc_bell_ring(&tasks[i].runnable);
        }
    }
}

/* Ends the scope, which may be freed. */
static void use(struct parent *self)
{
    for (int i = 0; i < KIDS; i++) {
        VG_RD(&self->out[i]);
        MC_ASSERT(self->out[i] == !cancelled_kids[i]);
    }
    mc_free(&self->scope, sizeof self->scope);
}

static vg_poll parent_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct parent *self = (struct parent *)(void *)fut;

    if (self->scope.task == NULL) {
        spawn(self);
        if (sweeping)
            vg_scope_sweep(&self->scope);
    }
    if (poked)
        (void)vg_poll_future(&self->event.fut, cx);
    if (!vg_done(&self->scope.fut) && vg_poll_future(&self->scope.fut, cx).ready)
        use(self);
    return (vg_poll){vg_done(&self->scope.fut) && (!poked || vg_done(&self->event.fut))};
}

static void parent_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(&((struct parent *)(void *)fut)->scope.fut, cx);
}

static const struct vg_ops parent_ops = {.poll = parent_poll,
                                         .cancel = parent_cancel,
                                         .name = "parent",
                                         .size = sizeof(struct parent),
                                         .kind = VG_KIND_OPAQUE};

static void init(int first, int second, bool waits)
{
    world_init();
    memset(tasks, 0, sizeof tasks);
    memset(&parent, 0, sizeof parent);
    allocated = 0;
    results[0] = first;
    results[1] = second;
    waiting_kid = waits;
    sweeping = poked = false;
    world_event(&parent.event);
    vg_future_init(&parent.fut, &parent_ops);
    world_start(&tasks[PARENT], &parent.fut, 2);
}

static void init_well(void)
{
    init(1, 2, false);
}

static void init_failing(void)
{
    init(-EIO, -EPIPE, false);
}

static void init_rescued(void)
{
    init(-EIO, 2, true);
}

static void init_cancelled(void)
{
    init(1, 2, true);
}

/* Everybody is a worker of his own, but for who cancels. */
static void work(int id)
{
    if (id <= PARENT) {
        world_work(id, &tasks[id]);
    } else if (poked) {
        world_happen(&parent.event);
    } else {
        (void)vg_task_ask_cancel(&tasks[PARENT].task);
        vg_task_unref(&tasks[PARENT].task);
    }
}

static void all_over(void)
{
    for (int i = 0; i <= PARENT; i++)
        MC_ASSERT(tasks[i].over);
    MC_ASSERT(allocated == KIDS || cancelled_kids[0] || cancelled_kids[1]);
}

static void ended_well(void)
{
    all_over();
    MC_ASSERT(parent.scope.ret == 0);
}

static void ended_ill(void)
{
    all_over();
    MC_ASSERT(parent.scope.ret == -EIO || parent.scope.ret == -EPIPE);
}

static void ended_cancelled(void)
{
    all_over();
    MC_ASSERT(parent.scope.ret == -ECANCELED);
}

static void init_alone(void (*how)(void))
{
    how();
    vg_store(&tasks[PARENT].task.refs, 1u, relaxed);
}

static void init_well_alone(void)
{
    init_alone(init_well);
}
MC_MODEL(scope_ends, .threads = 3, .init = init_well_alone, .thread = work, .final = ended_well);

/* Children that have ended are freed before the wait. */
static void init_sweeping(void)
{
    init_alone(init_well);
    sweeping = true;
}
MC_MODEL(scope_sweeps, .threads = 3, .init = init_sweeping, .thread = work, .final = ended_well);

/* Both children fail. */
static void init_failing_alone(void)
{
    init_alone(init_failing);
}
MC_MODEL(scope_fails, .threads = 3, .init = init_failing_alone, .thread = work, .final = ended_ill);

/* The second child ends only when the failure of the first one cancels it. */
static void init_rescued_alone(void)
{
    init_alone(init_rescued);
}
MC_MODEL(scope_failure_cancels, .threads = 3, .init = init_rescued_alone, .thread = work,
         .final = ended_ill);

/* The second child ends only when the parent is cancelled. */
MC_MODEL(scope_cancelled, .threads = 4, .init = init_cancelled, .thread = work,
         .final = ended_cancelled);

/* The parent is polled, for another reason, while its last child is about to wake it. */
static void init_poked(void)
{
    init_alone(init_well);
    poked = true;
}
MC_MODEL(scope_polled_meanwhile, .threads = 4, .init = init_poked, .thread = work,
         .final = ended_well);
