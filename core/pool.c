/* SPDX-License-Identifier: MIT */
#include "pool.h"

#include <errno.h>
#include <string.h>

#include "vg_fault.h"

struct vg_pool_thread {
    struct vg_os_thread os;
    struct vg_pool *pool;
    struct vg_pool_thread *next;
    uint8_t through; /* who will not touch it any more: itself, who has started it; guarded */
};

/* ---- the queue: guard held -------------------------------------------------------------------- */

static void enqueue(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    blocking->next = NULL;
    blocking->link = pool->last;
    *pool->last = blocking;
    pool->last = &blocking->next;
    pool->stats.queued++;
}

static void dequeue(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    *blocking->link = blocking->next;
    if (blocking->next != NULL)
        blocking->next->link = blocking->link;
    else
        pool->last = blocking->link;
    blocking->link = NULL;
    pool->stats.queued--;
}

static void ring(struct vg_pool *pool)
{
    vg_store(&pool->bell, vg_load(&pool->bell, relaxed) + 1, relaxed);
}

static void add_up(uint64_t *sum, uint64_t *max, uint64_t ns)
{
    *sum += ns;
    if (ns > *max)
        *max = ns;
}

/* ---- threads ---------------------------------------------------------------------------------- */

static struct vg_spawn_blocking *take(struct vg_pool *pool, uint64_t now)
{
    struct vg_spawn_blocking *const blocking = pool->first;

    if (blocking == NULL)
        return NULL;
    dequeue(pool, blocking);
    pool->stats.started++;
    add_up(&pool->stats.wait_ns, &pool->stats.wait_max_ns, now - blocking->since);
    return blocking;
}

/* Guard held; it is given back for the length of the sleep. False: nothing has come for as long as a thread waits. */
static bool sleep_idle(struct vg_pool *pool)
{
    const uint64_t deadline = vg_os_now() + pool->idle_ns;
    const uint32_t bell = vg_load(&pool->bell, relaxed);

    pool->stats.idle++;
    vg_spin_unlock(&pool->guard);
    vg_os_wait(&pool->bell, bell, deadline);
    vg_spin_lock(&pool->guard);
    pool->stats.idle--;
    return vg_os_now() < deadline;
}

/* Guard held. When both are through with it, it can be joined. A thread may have ended before its start has returned. */
static void be_through(struct vg_pool *pool, struct vg_pool_thread *thread)
{
    if (++thread->through < 2)
        return;
    thread->next = pool->left;
    pool->left = thread;
}

/* Runs the call. Whoever awaits it may free it as soon as it is woken. */
static void run(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    const uint64_t began = vg_os_now();
    const int ret = blocking->call(blocking->arg);
    struct vg_notice notice;

    vg_spin_lock(&pool->guard);
    pool->stats.ended++;
    add_up(&pool->stats.run_ns, &pool->stats.run_max_ns, vg_os_now() - began);
    blocking->ret = ret;
    notice = vg_wake(&blocking->waiter);
    vg_spin_unlock(&pool->guard);
    vg_notify(notice);
}

static void *thread_main(void *arg)
{
    struct vg_pool_thread *const thread = (struct vg_pool_thread *)arg;
    struct vg_pool *const pool = thread->pool;
    struct vg_spawn_blocking *blocking;
    bool stays = true;

    vg_spin_lock(&pool->guard);
    while (stays) {
        blocking = take(pool, vg_os_now());
        if (blocking == NULL) {
            stays = !pool->closing && sleep_idle(pool);
            stays = stays || pool->first != NULL;
            continue;
        }
        vg_spin_unlock(&pool->guard);
        run(pool, blocking);
        vg_spin_lock(&pool->guard);
    }
    pool->stats.threads--;
    be_through(pool, thread);
    ring(pool);
    vg_spin_unlock(&pool->guard);
    vg_os_wake(&pool->bell,
               INT32_MAX); /* vg_pool_close(), which joins us before it frees the pool */
    return NULL;
}

static void join_left(struct vg_pool *pool)
{
    struct vg_pool_thread *thread, *next;

    vg_spin_lock(&pool->guard);
    thread = pool->left;
    pool->left = NULL;
    vg_spin_unlock(&pool->guard);
    for (; thread != NULL; thread = next) {
        next = thread->next;
        vg_os_thread_join(&thread->os);
        pool->alloc.free(pool->alloc.self, thread, sizeof *thread, 16);
    }
}

/* The thread is counted already. */
static int start_thread(struct vg_pool *pool)
{
    struct vg_pool_thread *const thread =
        (struct vg_pool_thread *)pool->alloc.alloc(pool->alloc.self, sizeof *thread, 16);
    int rc = -EAGAIN;

    if (thread != NULL) {
        *thread = (struct vg_pool_thread){
            .os = {.run = thread_main, .arg = thread, .stack_size = pool->stack_size},
            .pool = pool};
        rc = VG_FAULT("thread") ? -EAGAIN : vg_os_thread_start(&thread->os, pool->name);
    }
    if (rc < 0 && thread != NULL) {
        pool->alloc.free(pool->alloc.self, thread, sizeof *thread, 16);
    } else if (rc == 0) {
        vg_spin_lock(&pool->guard);
        be_through(pool, thread);
        vg_spin_unlock(&pool->guard);
    }
    return rc;
}

/* ---- for the future --------------------------------------------------------------------------- */

/* A thread could not be started. True: there is no other that would run the call. */
static bool give_up(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    bool refused;

    vg_spin_lock(&pool->guard);
    pool->stats.threads--;
    refused = pool->stats.threads == 0 && blocking->link != NULL;
    if (refused) {
        dequeue(pool, blocking);
        pool->stats.refused++;
    }
    vg_spin_unlock(&pool->guard);
    return refused;
}

int vg_pool_submit(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    bool grows;

    join_left(pool);
    blocking->since = vg_os_now();
    vg_spin_lock(&pool->guard);
    enqueue(pool, blocking);
    ring(pool);
    grows = pool->stats.queued > pool->stats.idle && pool->stats.threads < pool->threads_max;
    pool->stats.threads += grows;
    vg_spin_unlock(&pool->guard);
    /* From here on the call may be over; only the pool may be touched. */
    if (!grows) {
        vg_os_wake(&pool->bell, 1);
        return 0;
    }
    return start_thread(pool) < 0 && give_up(pool, blocking) ? -EAGAIN : 0;
}

bool vg_pool_revoke(struct vg_pool *pool, struct vg_spawn_blocking *blocking)
{
    bool waits;

    vg_spin_lock(&pool->guard);
    waits = blocking->link != NULL;
    if (waits) {
        dequeue(pool, blocking);
        pool->stats.cancelled++;
    }
    vg_spin_unlock(&pool->guard);
    return waits;
}

/* ---- the pool --------------------------------------------------------------------------------- */

int vg_pool_open(struct vg_pool **out, const struct vg_pool_config *config)
{
    static const struct vg_pool_config defaults;
    struct vg_alloc alloc;
    struct vg_pool *pool;

    *out = NULL;
    if (config == NULL)
        config = &defaults;
    if (vg_os_check_stack_size(config->stack_size) < 0)
        return -EINVAL;
    alloc = config->alloc != NULL ? *config->alloc : vg_alloc_default;
    pool = (struct vg_pool *)alloc.alloc(alloc.self, sizeof *pool, 64);
    if (pool == NULL)
        return -ENOMEM;
    memset(pool, 0, sizeof *pool);
    pool->last = &pool->first;
    pool->threads_max = config->threads_max != 0 ? config->threads_max : 512;
    pool->idle_ns = config->idle_ns != 0 ? config->idle_ns : VG_SEC(10);
    pool->stack_size = config->stack_size;
    pool->name = config->name != NULL ? config->name : "vigil-pool";
    pool->alloc = alloc;
    *out = pool;
    return 0;
}

/* Tells the threads to end. True: all have; otherwise the bell rings when one more has. */
static bool have_left(struct vg_pool *pool, uint32_t *bell)
{
    bool all;

    vg_spin_lock(&pool->guard);
    if (pool->first != NULL)
        vg_panic("vg_pool_close: %llu calls still wait for a thread",
                 (unsigned long long)pool->stats.queued);
    if (!pool->closing)
        ring(pool);
    pool->closing = true;
    *bell = vg_load(&pool->bell, relaxed);
    all = pool->stats.threads == 0;
    vg_spin_unlock(&pool->guard);
    vg_os_wake(&pool->bell, INT32_MAX);
    return all;
}

void vg_pool_close(struct vg_pool *pool)
{
    struct vg_alloc alloc;
    uint32_t bell;

    if (pool == NULL)
        return;
    while (!have_left(pool, &bell)) {
        join_left(pool);
        vg_os_wait(&pool->bell, bell, VG_NEVER);
    }
    join_left(pool);
    alloc = pool->alloc;
    alloc.free(alloc.self, pool, sizeof *pool, 64);
}

void vg_pool_stats(struct vg_pool *pool, struct vg_pool_stats *stats)
{
    vg_spin_lock(&pool->guard);
    *stats = pool->stats;
    stats->name = pool->name;
    vg_spin_unlock(&pool->guard);
}
