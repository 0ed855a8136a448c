/* SPDX-License-Identifier: MIT */
#include "mutex.h"

#include <errno.h>

#include <vigil/exec.h>
#include <vigil/probe.h>

#include "owner.h"
#include "vg_spin.h"

/* Guard held. Takes the mutex, or a place in the queue. */
static bool take_or_queue(struct vg_lock *lock, struct vg_cx *cx)
{
    struct vg_mutex *mutex = lock->mutex;
    /* From here on no lock and no unlock gets past the guard. Acquire: as in
     * vg_mutex_take_fast(). */
    uint32_t word = vg_fetch_or(&mutex->word, VG_MUTEX_QUEUE, acq_rel);

    if (!(word & VG_MUTEX_LOCKED)) {
        vg_mutex_set_word(mutex, VG_MUTEX_LOCKED);
        return true;
    }
    vg_waitlist_add(&mutex->waiters, &lock->entry, 1, &lock->fut, cx);
    lock->queued = true;
    lock->heals = vg_exec_heals(vg_exec_current());
    return false;
}

/* Guard held. */
static bool heals(const struct vg_lock *lock)
{
    uint8_t healing = lock->mutex->healing;

    return healing == VG_MUTEX_HEALS_AS_EXECUTOR ? lock->heals : healing == VG_MUTEX_HEALS;
}

static bool start(struct vg_lock *lock, struct vg_cx *cx)
{
    uint32_t word;
    bool taken;

    vg_disarm(&lock->entry.waiter, cx); /* of an earlier poll that had no budget */
    if (!vg_coop(&lock->entry.waiter, &lock->fut, cx))
        return false;
    if (vg_mutex_take_fast(lock->mutex, &word))
        return true;
    vg_spin_lock(&lock->mutex->waiters.guard);
    taken = take_or_queue(lock, cx);
    vg_spin_unlock(&lock->mutex->waiters.guard);
    return taken;
}

/* Guard held. The mutex is granted to the lock, or free while it is the oldest eligible. */
static bool take_turn(struct vg_lock *lock, struct vg_cx *cx)
{
    struct vg_mutex *mutex = lock->mutex;
    bool turn = vg_waitlist_visit(&mutex->waiters, &lock->entry);

    if (turn && (lock->entry.state == VG_WAITER_GRANTED || vg_mutex_take_guarded(mutex))) {
        vg_waitlist_take(&mutex->waiters, &lock->entry);
        vg_mutex_set_word(mutex, VG_MUTEX_LOCKED);
        return true;
    }
    vg_waitlist_stay(&lock->entry, &lock->fut, cx);
    return false;
}

static bool go_on(struct vg_lock *lock, struct vg_cx *cx)
{
    bool taken;

    vg_spin_lock(&lock->mutex->waiters.guard);
    taken = take_turn(lock, cx);
    vg_spin_unlock(&lock->mutex->waiters.guard);
    if (taken) {
        lock->queued = false;
        vg_disarm(&lock->entry.waiter, cx);
    }
    return taken;
}

/* Gives up the place in the queue, and passes on what was granted there. */
static void leave(struct vg_lock *lock)
{
    struct vg_mutex *mutex = lock->mutex;
    struct vg_notice notice = {NULL};

    vg_spin_lock(&mutex->waiters.guard);
    if (vg_waitlist_leave(&mutex->waiters, &lock->entry))
        notice = vg_mutex_give_on(mutex);
    else
        vg_mutex_set_word(mutex, vg_load(&mutex->word, relaxed) & VG_MUTEX_LOCKED);
    vg_spin_unlock(&mutex->waiters.guard);
    lock->queued = false;
    vg_notify(notice);
}

static vg_poll lock_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_lock *lock = (struct vg_lock *)(void *)fut;
    struct vg_owner owner;

    if (vg_cancelled(fut)) {
        if (lock->queued)
            leave(lock);
        vg_disarm(&lock->entry.waiter, cx);
        lock->ret = -ECANCELED;
        return VG_READY;
    }
    if (!(lock->queued ? go_on(lock, cx) : start(lock, cx)))
        return VG_PENDING;
    owner = vg_owner_here(fut, cx);
    vg_owner_set(&lock->mutex->owner, &owner);
    lock->ret = 0;
    return VG_READY;
}

static void lock_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_lock *lock = (struct vg_lock *)(void *)fut;

    if (!lock->queued)
        return; /* it yielded: it is polled again in any case */
    leave(lock);
    vg_kick(&lock->entry.waiter, cx);
}

static enum vg_pass lock_passed_over(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_lock *lock = (struct vg_lock *)(void *)fut;
    struct vg_mutex *mutex = lock->mutex;
    struct vg_notice notice = {NULL};
    enum vg_pass pass;

    (void)cx;
    if (!lock->queued)
        return VG_PASS_NONE;
    vg_spin_lock(&mutex->waiters.guard);
    pass = vg_waitlist_pass_over(&mutex->waiters, &lock->entry, heals(lock));
    if (pass == VG_PASS_REVOKED)
        notice = vg_mutex_give_on(mutex);
    vg_spin_unlock(&mutex->waiters.guard);
    vg_notify(notice);
    return pass;
}

static bool lock_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_lock *lock = (const struct vg_lock *)(const void *)fut;
    struct vg_mutex *mutex = lock->mutex;

    if (!lock->queued)
        return false;
    wait->resource = &mutex->resource;
    wait->want = 1;
    vg_spin_lock(&mutex->waiters.guard);
    wait->state = (uint8_t)vg_waitlist_state(&lock->entry);
    wait->healing = heals(lock);
    vg_spin_unlock(&mutex->waiters.guard);
    return true;
}

static const struct vg_ops lock_ops = {
    .poll = lock_poll,
    .cancel = lock_cancel,
    .passed_over = lock_passed_over,
    .waits = lock_waits,
    .name = "vg_lock",
    .size = sizeof(struct vg_lock),
    .kind = VG_KIND_LEAF,
};

struct vg_lock *vg_lock(struct vg_lock *lock, struct vg_mutex *mutex)
{
    vg_future_init(&lock->fut, &lock_ops);
    lock->ret = 0;
    lock->queued = false;
    lock->mutex = mutex;
    vg_waitlist_entry_init(&lock->entry);
    return lock;
}
