/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>

#include "scope.h"
#include "worker.h"

/* A scope as a future: what holds its function up until it is awaited, and the wait. */

/* What keeps a function from returning, and hands its cancel on, until the scope is awaited and does so itself. */
static vg_poll hold_poll(struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
    return VG_PENDING;
}

static struct vg_scope *scope_of_hold(struct vg_future *fut)
{
    return (struct vg_scope *)(void *)((char *)fut - offsetof(struct vg_scope, hold));
}

static void hold_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_scope_cancel_children(scope_of_hold(fut));
}

static const struct vg_ops hold_ops = {
    .poll = hold_poll,
    .cancel = hold_cancel,
    .name = "open scope",
    .size = sizeof(struct vg_future),
    .kind = VG_KIND_LEAF,
};

static bool is_opaque(const struct vg_future *fut)
{
    return fut->ops->kind == VG_KIND_OPAQUE;
}

/* Who must not end while the scope is open: the nearest future that is checked for live children at its end. */
static struct vg_future *guard_above(struct vg_future *fut)
{
    while (fut != NULL && fut->ops->kind != VG_KIND_ASYNC && !is_opaque(fut))
        fut = fut->up;
    return fut;
}

static void hold(struct vg_scope *scope, struct vg_future *guard)
{
    struct vg_async *const frame = (struct vg_async *)(void *)guard;

    scope->hold.up = guard;
    if (is_opaque(guard)) {
        scope->hold.state = VG_RUNNING;
        guard->kids++;
        return;
    }
    scope->hold.state = VG_KEPT;
    scope->hold.next = frame->bg;
    frame->bg = &scope->hold;
}

static void let_go(struct vg_scope *scope)
{
    if (scope->hold.state == VG_KEPT)
        vg_future_unlist(&scope->hold);
    else if (scope->hold.state == VG_RUNNING)
        scope->hold.up->kids--;
    scope->hold.state = VG_DONE;
}

static bool is_cancelled(const struct vg_scope *scope)
{
    return vg_cancelled(&scope->fut) || vg_cancelled(&scope->hold);
}

/* Counts what was spawned, and waits. False: all children have ended. */
static bool wait_for_children(struct vg_scope *scope, struct vg_cx *cx)
{
    /* Pairs with the releases of those who have ended. */
    uint64_t word = vg_load(&scope->word, acquire), next;

    for (;;) {
        if (word & VG_SCOPE_FAILED || is_cancelled(scope))
            vg_scope_cancel_children(scope);
        next = word + scope->spawned * VG_SCOPE_ONE;
        if (vg_scope_count(next) == 0)
            return false;
        if (!(scope->waiter.flags & VG_W_ARMED))
            vg_arm(&scope->waiter, &scope->fut, cx);
        /* Release: the waiter. Acquire: what those have left who ended meanwhile. */
        if (vg_cas(&scope->word, &word, next | VG_SCOPE_WAITING, acq_rel, acquire))
            break;
    }
    scope->spawned = 0;
    return true;
}

static vg_poll scope_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_scope *const scope = (struct vg_scope *)(void *)fut;

    let_go(scope);
    if (scope->waiter.flags & VG_W_ARMED)
        return VG_PENDING; /* its wake will come, or is on its way: the scope is not to go before that */
    vg_disarm(&scope->waiter, cx);
    if (wait_for_children(scope, cx))
        return VG_PENDING;
    vg_disarm(&scope->waiter, cx);
    if (!vg_coop(&scope->waiter, fut, cx))
        return VG_PENDING;
    vg_scope_sweep(scope);
    scope->ret = vg_load(&scope->error, relaxed);
    if (scope->ret == 0 && is_cancelled(scope))
        scope->ret = -ECANCELED;
    return VG_READY;
}

static void cancel_scope(struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    vg_scope_cancel_children((struct vg_scope *)(void *)fut);
}

static bool scope_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    struct vg_scope *const scope = (struct vg_scope *)(void *)(uintptr_t)fut;

    *wait = (struct vg_wait){
        .resource = &scope->resource,
        .want = vg_scope_live(scope),
        .task = vg_scope_some_child(scope), /* it waits for all, so for each */
    };
    wait->by = wait->task != 0 ? VG_BY_TASK : VG_BY_ANYBODY;
    return true;
}

static const struct vg_ops scope_ops = {
    .poll = scope_poll,
    .cancel = cancel_scope,
    .waits = scope_waits,
    .is_held = true,
    .name = "scope",
    .size = sizeof(struct vg_scope),
    .kind = VG_KIND_LEAF,
};

void vg_scope_open_at(struct vg_scope *scope, const char *name, enum vg_scope_policy policy,
                      const struct vg_place *place)
{
    const struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;
    struct vg_future *const guard = cx != NULL ? guard_above(cx->self) : NULL;

    if (guard == NULL)
        vg_panic("scope %s is opened where no async function or opaque future runs",
                 name != NULL ? name : "(unnamed)");
    vg_future_init(&scope->fut, &scope_ops);
    vg_future_init(&scope->hold, &hold_ops);
    scope->ret = 0;
    scope->spawned = scope->listed = 0;
    scope->sweep_at = VG_SCOPE_SWEEP_MIN;
    scope->resource = (struct vg_resource){&vg_scope_resource_, name, place};
    vg_store(&scope->word, 0, relaxed);
    vg_store(&scope->error, 0, relaxed);
    scope->policy = (uint8_t)policy;
    scope->asked = false;
    scope->children = NULL;
    scope->task = cx->task;
    scope->waiter.flags = 0;
    hold(scope, guard);
    if (vg_cancelled(guard))
        vg_cancel(&scope->hold, (struct vg_cx *)(uintptr_t)cx);
}

/* ---- the resource ---------------------------------------------------------------------------- */

static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    (void)resource, (void)owner;
    return false;
}

static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    (void)resource, (void)first, (void)second;
    return false;
}

static struct vg_scope *scope_of_resource(struct vg_resource *resource)
{
    return (struct vg_scope *)(void *)((char *)resource - offsetof(struct vg_scope, resource));
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    return vg_load(&scope_of_resource(resource)->word, relaxed) & VG_SCOPE_WAITING ? 1 : 0;
}

const struct vg_resource_ops vg_scope_resource_ = {
    .kind = "scope",
    .owner = resource_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
