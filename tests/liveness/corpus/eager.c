/* SPDX-License-Identifier: MIT */
#include "eager.h"

static bool is_open(const struct eager *lock, enum eager_kind kind)
{
    if (lock->writers > 0)
        return false;
    if (kind == EAGER_WRITE)
        return lock->readers == 0;
    return lock->prefers_readers || lock->first == NULL;
}

static void enter(struct eager_lock *f)
{
    f->has = true;
    f->lock->served++;
    if (f->kind == EAGER_READ)
        f->lock->readers++;
    else
        f->lock->writers++;
}

static void queue_up(struct eager_lock *f)
{
    struct eager_lock **end = &f->lock->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = f;
    f->next = NULL;
    f->queued = true;
}

static void take_or_queue(struct eager_lock *f)
{
    if (is_open(f->lock, f->kind))
        enter(f);
    else
        queue_up(f);
}

void eager_unlock(struct eager *lock, enum eager_kind kind)
{
    struct eager_lock *head;

    if (kind == EAGER_READ)
        lock->readers--;
    else
        lock->writers--;
    while ((head = lock->first) != NULL && lock->writers == 0 &&
           (head->kind == EAGER_READ || lock->readers == 0)) {
        lock->first = head->next;
        head->queued = false;
        enter(head);
        if (head->waiter.flags & VG_W_ARMED)
            vg_notify(vg_wake(&head->waiter));
    }
}

static vg_poll end(struct eager_lock *f, int ret, struct vg_cx *cx)
{
    vg_disarm(&f->waiter, cx);
    f->ret = ret;
    return VG_READY;
}

static vg_poll lock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct eager_lock *f = (struct eager_lock *)(void *)fut;

    if (f->lock->unpolled == fut)
        f->lock->unpolled = NULL;
    if (vg_cancelled(fut) && !f->has)
        return end(f, -ECANCELED, cx);
    if (!f->has && !f->queued)
        take_or_queue(f);
    if (f->has)
        return end(f, 0, cx);
    if (!(f->waiter.flags & VG_W_ARMED))
        vg_arm(&f->waiter, fut, cx);
    return VG_PENDING;
}

static void lock_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct eager_lock *f = (struct eager_lock *)(void *)fut, **link = &f->lock->first;

    while (*link != NULL && *link != f)
        link = &(*link)->next;
    if (*link != NULL)
        *link = f->next;
    f->queued = false;
    vg_kick(&f->waiter, cx);
}

static bool lock_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct eager_lock *f = (const struct eager_lock *)(const void *)fut;

    *wait = (struct vg_wait){
        .resource = &f->lock->resource,
        .want = 1,
        .state = f->queued ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    return true;
}

static const struct vg_ops lock_ops = {
    .poll = lock_poll,
    .cancel = lock_cancel,
    .waits = lock_waits,
    .is_held = true,
    .name = "eager_lock",
    .size = sizeof(struct eager_lock),
    .kind = VG_KIND_LEAF,
};

struct eager_lock *eager_lock(struct eager_lock *f, struct eager *lock, enum eager_kind kind,
                              bool now)
{
    vg_future_init(&f->fut, &lock_ops);
    f->ret = 0;
    f->kind = kind;
    f->queued = f->has = false;
    f->lock = lock;
    f->waiter.flags = 0;
    if (now)
        take_or_queue(f);
    if (f->has)
        lock->unpolled = &f->fut;
    return f;
}

/* ---- what the instruments are told ------------------------------------------------------------- */

static const struct vg_future *lock_unpolled(struct vg_resource *resource)
{
    return ((struct eager *)(void *)resource)->unpolled;
}

static unsigned lock_waiters(struct vg_resource *resource)
{
    unsigned n = 0;

    for (struct eager_lock *f = ((struct eager *)(void *)resource)->first; f != NULL; f = f->next)
        n++;
    return n;
}

static bool lock_state(struct vg_resource *resource, struct vg_resource_state *state)
{
    *state = (struct vg_resource_state){.served = ((struct eager *)(void *)resource)->served};
    return true;
}

static const struct vg_resource_ops eager_ops = {
    .kind = "lock",
    .waiters = lock_waiters,
    .state = lock_state,
    .unpolled = lock_unpolled,
};

void eager_init(struct eager *lock, const char *name, bool prefers_readers)
{
    *lock =
        (struct eager){.resource = {&eager_ops, name, NULL}, .prefers_readers = prefers_readers};
}
