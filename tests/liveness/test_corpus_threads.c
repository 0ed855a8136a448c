/* SPDX-License-Identifier: MIT */
#include <time.h>

#include <vigil/os_mutex.h>
#include <vigil/pool.h>

#include "real_case.h"

/* Cases of the corpus that block threads. */

/* ---- thread-sleep-in-task -------------------------------------------------------------------------- */

enum { BLOCK_MS = 300 };

static int block_thread(void *arg)
{
    struct timespec left = {0, BLOCK_MS * 1000000L};

    (void)arg;
    while (nanosleep(&left, &left) != 0) /* the signal that asks for the stack */
        ;
    return 0;
}

struct lookup {
    VG_FRAME(int);
    struct vg_pool *pool; /* NULL: on the worker */
    struct vg_yield yield;
    struct vg_spawn_blocking call;
};

VG_ASYNC(lookup)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    if (f->pool == NULL)
        f->ret = block_thread(NULL);
    else
        VG_AWAIT(f->ret, vg_spawn_blocking(&f->call, f->pool, block_thread, NULL));
    VG_RETURN(f->ret);
}

static struct lookup *lookup(struct lookup *f, struct vg_pool *pool)
{
    VG_SETUP(f, lookup);
    f->pool = pool;
    return f;
}

static void start_lookups(struct room *room, struct vg_pool *pool)
{
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(room->exec, NULL, lookup, pool), 0);
}

TEST(thread_sleep_in_task)
{
    const uint64_t since = vg_os_now();
    struct vg_pool *pool;
    struct room room;

    room_open(&room, 2, true);
    start_lookups(&room, NULL);
    wait_for(&room.reports[VG_VERDICT_BLOCKED_WORKER], 2);
    print_case("thread-sleep-in-task", &room, since);
    wait_until_empty(&room);
    room_close(&room);
    CHECK_EQ(total(&room), vg_load(&room.reports[VG_VERDICT_BLOCKED_WORKER], relaxed));
    CHECK_STR(room.seen[0].text, "\"lookup\"");
    CHECK_STR(room.seen[0].text, "asleep in the kernel");

    CHECK_EQ(vg_pool_open(&pool, NULL), 0);
    room_open(&room, 2, true);
    start_lookups(&room, pool);
    wait_until_empty(&room);
    room_close(&room);
    vg_pool_close(pool);
    check_silent(&room);
}

/* ---- one-mutex-blocking-pool: a thread of the pool has the lock while it waits for a timer -------------- */

enum { TURNS = 3 };

struct shared {
    struct room room;
    struct vg_os_mutex lock;
    struct vg_mutex mutex; /* in its place, where the task suspends */
    bool suspends;
};

static int hold_and_wait(void *arg)
{
    struct shared *shared = (struct shared *)arg;
    struct vg_exec *exec = shared->room.exec;
    struct vg_sleep nap;
    struct vg_lock lock;

    for (unsigned i = 0; i < TURNS; i++) {
        if (shared->suspends)
            CHECK_EQ(vg_blocking(exec, vg_lock(&lock, &shared->mutex)), 0);
        else
            vg_os_lock(&shared->lock);
        CHECK_EQ(vg_blocking(exec, vg_sleep(&nap, VG_MSEC(100))), 0);
        if (shared->suspends)
            vg_unlock(&shared->mutex);
        else
            vg_os_unlock(&shared->lock);
    }
    return 0;
}

struct sharer {
    VG_FRAME(int);
    struct shared *shared;
    unsigned i;
    struct vg_sleep nap;
    struct vg_lock lock;
};

VG_ASYNC(sharer)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TURNS; f->i++) {
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(50)));
        if (f->shared->suspends) {
            VG_TRY(f->ret, vg_lock(&f->lock, &f->shared->mutex));
            vg_unlock(&f->shared->mutex);
        } else {
            vg_os_lock(&f->shared->lock);
            vg_os_unlock(&f->shared->lock);
        }
    }
    VG_RETURN(0);
}

static struct sharer *sharer(struct sharer *f, struct shared *shared)
{
    VG_SETUP(f, sharer);
    f->shared = shared;
    return f;
}

struct pooled {
    VG_FRAME(int);
    struct shared *shared;
    struct vg_pool *pool;
    struct vg_spawn_blocking call;
};

VG_ASYNC(pooled)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_spawn_blocking(&f->call, f->pool, hold_and_wait, f->shared));
    VG_RETURN(f->ret);
}

static struct pooled *pooled(struct pooled *f, struct shared *shared, struct vg_pool *pool)
{
    VG_SETUP(f, pooled);
    f->shared = shared;
    f->pool = pool;
    return f;
}

static void run_shared(struct shared *shared, bool suspends)
{
    struct vg_pool *pool;

    CHECK_EQ(vg_pool_open(&pool, NULL), 0);
    room_open(&shared->room, 4, true);
    vg_os_mutex_init(&shared->lock, "M");
    vg_mutex_init(&shared->mutex, "M");
    shared->suspends = suspends;
    CHECK_EQ(VG_SPAWN(shared->room.exec, NULL, pooled, shared, pool), 0);
    CHECK_EQ(VG_SPAWN(shared->room.exec, NULL, sharer, shared), 0);
    wait_until_empty(&shared->room);
    room_close(&shared->room);
    vg_pool_close(pool);
    vg_os_mutex_fini(&shared->lock);
    vg_mutex_fini(&shared->mutex);
}

/* Others fire the timers of the worker that is blocked, so the program only runs slowly. */
TEST(one_mutex_blocking_pool)
{
    const uint64_t since = vg_os_now();
    static struct shared shared;

    run_shared(&shared, false);
    CHECK(total(&shared.room) > 0);
    CHECK_EQ(total(&shared.room),
             vg_load(&shared.room.reports[VG_VERDICT_BLOCKED_WORKER], relaxed));
    CHECK_STR(shared.room.seen[0].text, "\"sharer\"");
    CHECK_STR(shared.room.seen[0].text, "its thread waits for os-mutex \"M\"");
    print_case("one-mutex-blocking-pool", &shared.room, since);
    run_shared(&shared, true);
    check_silent(&shared.room);
}

/* ---- always-ready-never-yields ---------------------------------------------------------------------- */

/* Is always ready, and takes no part of the budget, as a hand-written future may. */
struct always {
    struct vg_future fut;
    int ret;
};

static vg_poll always_poll(struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
    return VG_READY;
}

static struct always *always(struct always *f)
{
    static const struct vg_ops ops = {
        .poll = always_poll, .name = "always", .size = sizeof *f, .kind = VG_KIND_LEAF};

    vg_future_init(&f->fut, &ops);
    f->ret = 0;
    return f;
}

struct hurry {
    VG_FRAME(int);
    bool yields;
    uint64_t rounds;
    VG_ATOMIC(uint32_t) *stop; /* release, pairs with the acquire here */
    struct vg_yield yield;
    struct always always;
};

VG_ASYNC(hurry)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    while (!vg_load(f->stop, acquire)) {
        VG_AWAIT(f->ret, always(&f->always));
        if (f->yields && ++f->rounds % 64 == 0)
            VG_AWAIT(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct hurry *hurry(struct hurry *f, VG_ATOMIC(uint32_t) *stop, bool yields)
{
    VG_SETUP(f, hurry);
    f->stop = stop;
    f->yields = yields;
    f->rounds = 0;
    return f;
}

TEST(always_ready_never_yields)
{
    static VG_ATOMIC(uint32_t) stop;
    uint64_t since = vg_os_now();
    struct room room;

    vg_store(&stop, 0u, relaxed);
    room_open(&room, 1, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, hurry, &stop, false), 0);
    wait_for(&room.reports[VG_VERDICT_BLOCKED_WORKER], 1);
    print_case("always-ready-never-yields", &room, since);
    CHECK_STR(room.seen[0].text, "\"hurry\"");
    CHECK_STR(room.seen[0].text, "computing");
    vg_store(&stop, 1u, release);
    room_close(&room);

    vg_store(&stop, 0u, relaxed);
    room_open(&room, 1, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, hurry, &stop, true), 0);
    usleep(300000);
    vg_store(&stop, 1u, release);
    room_close(&room);
    check_silent(&room);
}
