/* SPDX-License-Identifier: MIT */
#include <vigil/combine.h>

#include <errno.h>

#include "drop.h"
#include "task.h"
#include "worker.h"

/*
 * phase
 * START   no arm has been polled
 * WAIT    every enabled arm is running
 * END     there is a winner; losers to be cancelled are coming to their end
 * DRAIN   the select was cancelled; so are all arms that run, and they are coming to their end
 *
 * The biased form is the same machine as an opaque future: it polls its arms, in order, at every entry.
 */
enum { START, WAIT, END, DRAIN };

static void report_finished_arm(struct vg_select *select, struct vg_cx *cx)
{
    struct vg_probe *probe = cx->task->exec->probe;

    if (probe != NULL && probe->poll_after_ready != NULL)
        probe->poll_after_ready(probe, vg_worker_of(cx)->index, cx->task, vg_site_of(&select->fut));
}

/* Leaves out the arms that have ended and been taken. Returns how many are left. */
static unsigned enable(struct vg_select *select, struct vg_cx *cx)
{
    unsigned i, enabled = 0;

    for (i = 0; i < select->count; i++) {
        struct vg_arm *arm = &select->arms[i];

        if (arm->enabled && arm->fut->state == VG_DONE && arm->fut->flags & VG_F_TAKEN) {
            arm->enabled = false;
            if (!arm->fused)
                report_finished_arm(select, cx);
        }
        enabled += arm->enabled;
    }
    return enabled;
}

/* Polls the arms in turn until one is ready; -1: none is. */
static int poll_arms(struct vg_select *select, struct vg_cx *cx)
{
    unsigned n;

    for (n = 0; n < select->count; n++) {
        const unsigned i = (select->first + n) % select->count;

        if (select->arms[i].enabled && vg_poll_future(select->arms[i].fut, cx).ready)
            return (int)i;
    }
    return -1;
}

/* The first arm that this select has not come to. */
static const struct vg_future *passed_by(const struct vg_select *select, unsigned winner)
{
    for (unsigned i = winner + 1; i < select->count; i++)
        if (select->arms[i].enabled && select->arms[i].fut->state == VG_INIT)
            return select->arms[i].fut;
    return NULL;
}

static void report_round(const struct vg_select *select, unsigned winner, struct vg_cx *cx)
{
    struct vg_probe *probe = cx->task->exec->probe;
    const struct vg_rounds rounds = {cx->task, &select->fut, passed_by(select, winner)};

    if (probe != NULL && probe->round_ended != NULL)
        probe->round_ended(probe, vg_worker_of(cx)->index, &rounds, cx->now);
}

/* Whether an arm still runs on this select's behalf. */
static bool is_live(const struct vg_select *select, unsigned i)
{
    const struct vg_arm *arm = &select->arms[i];

    return arm->enabled && arm->fut->state == VG_RUNNING && arm->fut->up == &select->fut;
}

static bool must_end(const struct vg_select *select, unsigned i)
{
    return select->phase == DRAIN || select->arms[i].policy == VG_POLICY_CANCEL;
}

/* An arm left alive by an earlier select, which the search for a winner did not come to: what becomes of it
 * now is for this select to say. */
static bool is_left(const struct vg_select *select, unsigned i)
{
    const struct vg_arm *arm = &select->arms[i];

    return arm->enabled && (arm->fut->state == VG_KEPT || arm->fut->state == VG_PARKED);
}

static void cancel_losers(struct vg_select *select, struct vg_cx *cx)
{
    unsigned i;

    for (i = 0; i < select->count; i++) {
        if (is_left(select, i))
            (void)vg_poll_future(select->arms[i].fut, cx);
        if (is_live(select, i) && must_end(select, i))
            vg_future_drop(select->arms[i].fut, false, cx);
    }
}

static void leave(const struct vg_arm *arm, struct vg_cx *cx)
{
    if (arm->policy == VG_POLICY_PAUSE)
        arm->fut->flags |= VG_F_PAUSES;
    vg_leave(arm->fut, arm->policy == VG_POLICY_KEEP ? VG_KEPT : VG_PARKED, cx);
}

/* Ready once every loser that must end has ended; then the others are handed to the frame. */
static vg_poll end(struct vg_select *select, struct vg_cx *cx)
{
    bool ended = true;
    unsigned i;

    /* All of them, each time: below an opaque future this is how they are polled. */
    for (i = 0; i < select->count; i++)
        if (is_live(select, i) && (must_end(select, i) || cx->rootdown))
            ended &= vg_poll_future(select->arms[i].fut, cx).ready || !must_end(select, i);
    if (!ended)
        return VG_PENDING;
    for (i = 0; i < select->count; i++)
        if (is_live(select, i))
            leave(&select->arms[i], cx);
    return VG_READY;
}

static vg_poll select_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_select *select = (struct vg_select *)(void *)fut;
    int winner;

    if (select->phase == START) {
        if (fut->flags & VG_F_CANCEL)
            return VG_READY; /* ret is -ECANCELED from the start */
        if (enable(select, cx) == 0) {
            select->ret = -ENOENT;
            return VG_READY;
        }
        if (fut->ops->kind != VG_KIND_OPAQUE)
            select->first = (uint16_t)(vg_rng(&vg_worker_of(cx)->rng) % select->count);
        select->phase = WAIT;
    }
    if (select->phase == WAIT) {
        winner = poll_arms(select, cx);
        if (winner < 0)
            return VG_PENDING;
        select->arms[winner].fut->flags |= VG_F_TAKEN;
        select->ret = winner;
        select->phase = END;
        if (fut->ops->kind == VG_KIND_OPAQUE)
            report_round(select, (unsigned)winner, cx);
        cancel_losers(select, cx);
    }
    return end(select, cx);
}

static void select_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_select *select = (struct vg_select *)(void *)fut;
    unsigned i;

    if (select->phase == START || select->phase == DRAIN)
        return;
    select->phase = DRAIN; /* if there is a winner, ret stays */
    for (i = 0; i < select->count; i++)
        if (is_live(select, i))
            vg_cancel(select->arms[i].fut, cx);
}

static struct vg_future *select_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_select *select = (const struct vg_select *)(const void *)fut;

    return i < select->count ? select->arms[i].fut : NULL;
}

static const struct vg_ops select_ops = {
    .poll = select_poll,
    .cancel = select_cancel,
    .child = select_child,
    .name = "select",
    .size = sizeof(struct vg_select),
    .kind = VG_KIND_NODE,
};

static const struct vg_ops biased_ops = {
    .poll = select_poll,
    .cancel = select_cancel,
    .child = select_child,
    .name = "select_biased",
    .size = sizeof(struct vg_select),
    .kind = VG_KIND_OPAQUE,
};

static struct vg_select *init(struct vg_select *select, struct vg_arm *storage,
                              const struct vg_arm *arms, size_t count, const struct vg_ops *ops)
{
    size_t i;

    VG_ASSERT(count <= UINT16_MAX);
    vg_future_init(&select->fut, ops);
    select->ret = -ECANCELED;
    select->count = (uint16_t)count;
    select->first = 0;
    select->phase = START;
    select->arms = storage;
    for (i = 0; i < count; i++)
        storage[i] = arms[i];
    return select;
}

struct vg_select *vg_select(struct vg_select *select, struct vg_arm *storage,
                            const struct vg_arm *arms, size_t count)
{
    return init(select, storage, arms, count, &select_ops);
}

struct vg_select *vg_select_biased(struct vg_select *select, struct vg_arm *storage,
                                   const struct vg_arm *arms, size_t count)
{
    return init(select, storage, arms, count, &biased_ops);
}
