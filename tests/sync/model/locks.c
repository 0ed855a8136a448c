/* SPDX-License-Identifier: MIT */
#include "model.h"

/* Mutex, condition, read-write lock, semaphore. */

static struct locks *locks_of(struct actor *a)
{
    return &a->model->locks;
}

/* ---- the mutex ----------------------------------------------------------------------------------- */

static void own(struct actor *a)
{
    CHECK(locks_of(a)->owner == NULL);
    locks_of(a)->owner = a;
    a->holds.mutex = true;
}

static void disown(struct actor *a)
{
    CHECK(locks_of(a)->owner == a);
    locks_of(a)->owner = NULL;
    a->holds.mutex = false;
}

static void unlock(struct actor *a)
{
    disown(a);
    vg_unlock(&locks_of(a)->mutex);
}

static struct vg_future *begin_lock(struct actor *a)
{
    struct vg_mutex *mutex = &locks_of(a)->mutex;

    if (a->holds.mutex)
        unlock(a);
    else if (draw(a, 4) > 0)
        return AWAITED(a, vg_lock(&a->lock, mutex));
    else if (vg_trylock(mutex))
        own(a);
    return NULL;
}

static void end_lock(struct actor *a, int ret)
{
    if (ret == 0)
        own(a);
}

static bool lock_is_due(struct actor *a)
{
    return locks_of(a)->owner == NULL;
}

/* ---- the condition ------------------------------------------------------------------------------- */

static void signal_some(struct locks *locks, bool all)
{
    locks->signals += all ? locks->waiting : locks->waiting > 0;
    if (all)
        vg_cond_broadcast(&locks->cond);
    else
        vg_cond_signal(&locks->cond);
}

static struct vg_future *begin_cond(struct actor *a)
{
    struct locks *locks = locks_of(a);

    if (!a->holds.mutex) {
        signal_some(locks, draw(a, 4) == 0);
        return NULL;
    }
    disown(a);
    locks->waiting++;
    return AWAITED(a, vg_cond_wait(&a->cond, &locks->cond, &locks->mutex));
}

static void end_cond(struct actor *a, int ret)
{
    struct locks *locks = locks_of(a);

    own(a); /* however it has ended */
    locks->waiting--;
    locks->signals_seen += ret == 0;
    CHECK(locks->signals_seen <= locks->signals);
}

/* ---- the read-write lock ------------------------------------------------------------------------- */

static void read_begin(struct actor *a)
{
    CHECK(locks_of(a)->writer == NULL);
    locks_of(a)->readers++;
    a->holds.reads = true;
}

static void write_begin(struct actor *a)
{
    CHECK(locks_of(a)->writer == NULL && locks_of(a)->readers == 0);
    locks_of(a)->writer = a;
    a->holds.writes = true;
}

static void write_end(struct actor *a)
{
    CHECK(locks_of(a)->writer == a);
    locks_of(a)->writer = NULL;
    a->holds.writes = false;
}

static bool give_rwlock(struct actor *a, bool downgrades)
{
    struct locks *locks = locks_of(a);

    if (a->holds.reads) {
        locks->readers--;
        a->holds.reads = false;
        vg_rdunlock(&locks->rwlock);
    } else if (a->holds.writes) {
        write_end(a);
        if (downgrades)
            read_begin(a);
        (downgrades ? vg_downgrade : vg_wrunlock)(&locks->rwlock);
    } else {
        return false;
    }
    return true;
}

static struct vg_future *begin_read(struct actor *a)
{
    struct vg_rwlock *rwlock = &locks_of(a)->rwlock;

    if (give_rwlock(a, true))
        return NULL;
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_rdlock(&a->rdlock, rwlock));
    if (vg_tryrdlock(rwlock))
        read_begin(a);
    return NULL;
}

static void end_read(struct actor *a, int ret)
{
    if (ret == 0)
        read_begin(a);
}

static bool write_is_due(struct actor *a)
{
    return locks_of(a)->writer == NULL && locks_of(a)->readers == 0;
}

static struct vg_future *begin_write(struct actor *a)
{
    struct vg_rwlock *rwlock = &locks_of(a)->rwlock;

    if (give_rwlock(a, false))
        return NULL;
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_wrlock(&a->wrlock, rwlock));
    if (vg_trywrlock(rwlock))
        write_begin(a);
    return NULL;
}

static void end_write(struct actor *a, int ret)
{
    if (ret == 0)
        write_begin(a);
}

/* ---- the semaphore ------------------------------------------------------------------------------- */

static void take_permits(struct actor *a)
{
    a->holds.permits += a->holds.wanted;
    locks_of(a)->out += a->holds.wanted;
    CHECK(locks_of(a)->out <= PERMITS);
}

static void give_permits(struct actor *a, uint32_t count)
{
    a->holds.permits -= count;
    locks_of(a)->out -= count;
    vg_release(&locks_of(a)->semaphore, count);
}

static struct vg_future *begin_acquire(struct actor *a)
{
    struct vg_semaphore *semaphore = &locks_of(a)->semaphore;

    if (a->holds.permits > 0) {
        give_permits(a, 1 + draw(a, a->holds.permits));
        return NULL;
    }
    a->holds.wanted = 1 + draw(a, PERMITS);
    if (draw(a, 4) > 0)
        return AWAITED(a, vg_acquire(&a->acquire, semaphore, a->holds.wanted));
    if (vg_try_acquire(semaphore, a->holds.wanted) == 0)
        take_permits(a);
    return NULL;
}

static void end_acquire(struct actor *a, int ret)
{
    if (ret == 0)
        take_permits(a);
}

/* Those before it may want more than there is. */
static bool acquire_is_due(struct actor *a)
{
    return locks_of(a)->out + a->holds.wanted <= PERMITS && waiting_in(a->model, a->op) == 1;
}

/* ---- the mutex that blocks ----------------------------------------------------------------------- */

static struct vg_future *begin_os_lock(struct actor *a)
{
    struct locks *locks = locks_of(a);

    if (draw(a, 2))
        vg_os_lock(&locks->os_mutex);
    else
        CHECK(vg_os_trylock(&locks->os_mutex));
    CHECK(locks->os_owner == NULL);
    locks->os_owner = a;
    CHECK(locks->os_owner == a);
    locks->os_owner = NULL;
    vg_os_unlock(&locks->os_mutex);
    return NULL;
}

enum { READ = 2, WRITE = 3 };

static bool read_is_due(struct actor *a)
{
    return locks_of(a)->writer == NULL && waiting_in(a->model, &lock_ops[WRITE]) == 0;
}

const struct op lock_ops[] = {
    {"lock", begin_lock, end_lock, lock_is_due},
    {"cond", begin_cond, end_cond, NULL},
    [READ] = {"read", begin_read, end_read, read_is_due},
    [WRITE] = {"write", begin_write, end_write, write_is_due},
    {"acquire", begin_acquire, end_acquire, acquire_is_due},
    {"os_lock", begin_os_lock, NULL, NULL},
};
const unsigned lock_ops_count = sizeof lock_ops / sizeof *lock_ops;

void locks_let_go(struct actor *a)
{
    if (a->holds.mutex)
        unlock(a);
    (void)give_rwlock(a, false);
    if (a->holds.permits > 0)
        give_permits(a, a->holds.permits);
}

void locks_open(struct locks *locks)
{
    *locks = (struct locks){.owner = NULL};
    vg_mutex_init(&locks->mutex, "mutex");
    vg_cond_init(&locks->cond, "cond");
    vg_rwlock_init(&locks->rwlock, "rwlock");
    vg_semaphore_init(&locks->semaphore, "semaphore", PERMITS);
    vg_os_mutex_init(&locks->os_mutex, "os_mutex");
}

void locks_check(struct locks *locks)
{
    CHECK(vg_semaphore_free(&locks->semaphore) + locks->out <= PERMITS);
}

/* All has been given back. */
void locks_close(struct locks *locks)
{
    CHECK(vg_trylock(&locks->mutex));
    vg_unlock(&locks->mutex);
    CHECK(vg_trywrlock(&locks->rwlock));
    vg_wrunlock(&locks->rwlock);
    CHECK_EQ(vg_semaphore_free(&locks->semaphore), PERMITS);
    vg_cond_fini(&locks->cond);
    vg_mutex_fini(&locks->mutex);
    vg_rwlock_fini(&locks->rwlock);
    vg_semaphore_fini(&locks->semaphore);
    vg_os_mutex_fini(&locks->os_mutex);
}
