/* SPDX-License-Identifier: MIT */
#include <vigil/cond.h>

#include "task.h"
#include "world.h"

enum { WAITERS_MAX = 8 };

struct room {
    struct world world;
    struct vg_mutex mutex;
    struct vg_cond cond;
    struct diary diary;
    int inside; /* with the mutex */
    unsigned count;
    struct vg_handle handle[WAITERS_MAX];
};

static void room_open(struct room *room, uint64_t seed, bool healing)
{
    world_open(&room->world, seed, 1 + (unsigned)(seed % 4), healing);
    vg_mutex_init(&room->mutex, "door");
    vg_cond_init(&room->cond, "room");
    room->diary = (struct diary){.world = &room->world};
    room->inside = 0;
    room->count = 0;
}

static bool room_empty(void *arg)
{
    const struct room *room = arg;

    for (unsigned i = 0; i < room->count; i++)
        if (!vg_task_done(&room->handle[i]))
            return false;
    return true;
}

static int room_run(struct room *room)
{
    return sim_run(&room->world.sim, room->world.exec, room_empty, room, VG_SEC(10));
}

static void room_close(struct room *room)
{
    for (unsigned i = 0; i < room->count; i++)
        vg_task_release(&room->handle[i]);
    world_close(&room->world);
    vg_cond_fini(&room->cond);
    vg_mutex_fini(&room->mutex);
}

#define ROOM_ADD(room, kind, ...)                                                                  \
    CHECK_EQ(                                                                                      \
        VG_SPAWN((room)->world.exec, &(room)->handle[(room)->count++], kind, (room), __VA_ARGS__), \
        0)

/* Waits at `arrive` ms for a signal, for `patience` ms at most, and holds the mutex for `hold` ms afterwards. */
struct waiter {
    VG_FRAME(int);
    struct room *room;
    int who, rc;
    uint64_t arrive, patience, hold;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    struct vg_lock lock;
    struct vg_cond_wait wait;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->room->world.start + VG_MSEC(f->arrive)));
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->room->mutex));
    CHECK_EQ(f->rc, 0);
    vg_cond_wait(&f->wait, &f->room->cond, &f->room->mutex);
    VG_AWAIT(f->rc,
             vg_timeout(&f->timeout, f->patience ? VG_MSEC(f->patience) : VG_NEVER, &f->wait));
    CHECK_EQ(f->room->inside++, 0);
    diary_note(&f->room->diary, f->who);
    if (f->hold > 0)
        VG_AWAIT_SHIELDED(f->rc, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    f->room->inside--;
    vg_unlock(&f->room->mutex);
    VG_RETURN(f->wait.ret);
}

static struct waiter *waiter(struct waiter *f, struct room *room, int who, uint64_t arrive,
                             uint64_t patience, uint64_t hold)
{
    VG_SETUP(f, waiter);
    f->room = room;
    f->who = who;
    f->arrive = arrive;
    f->patience = patience;
    f->hold = hold;
    return f;
}

/* ---- signals ------------------------------------------------------------------------------- */

TEST(a_signal_ends_the_oldest_wait_and_is_not_stored)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        vg_cond_signal(&r.cond);
        vg_cond_broadcast(&r.cond);
        for (int i = 0; i < 3; i++)
            ROOM_ADD(&r, waiter, i, (uint64_t)i + 1, 0, 0);
        for (uint64_t i = 0; i < 3; i++) {
            world_run_until(&r.world, 10 * (i + 1));
            CHECK_EQ(r.diary.count, i);
            CHECK(vg_trylock(&r.mutex)); /* nobody who waits has it */
            vg_unlock(&r.mutex);
            vg_cond_signal(&r.cond);
        }
        CHECK_EQ(room_run(&r), 0);
        for (unsigned i = 0; i < 3; i++)
            CHECK_DIARY(&r.diary, i, (int)i, 10 * (i + 1));
        room_close(&r);
    }
}

TEST(a_broadcast_ends_all_waits_and_one_after_the_other_has_the_mutex)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        for (int i = 0; i < 4; i++)
            ROOM_ADD(&r, waiter, i, (uint64_t)i + 1, 0, 10);
        world_run_until(&r.world, 20);
        vg_cond_broadcast(&r.cond);
        CHECK_EQ(room_run(&r), 0);
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(r.diary.entry[i].ms, 20 + 10 * i);
        room_close(&r);
    }
}

TEST(a_wait_does_not_end_before_it_has_the_mutex)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, waiter, 0, 0, 0, 0);
        CHECK_EQ(room_run(&r), -EDEADLK);
        CHECK(vg_trylock(&r.mutex));
        vg_cond_signal(&r.cond);
        world_run_until(&r.world, 20);
        CHECK_EQ(r.diary.count, 0);
        vg_unlock(&r.mutex);
        CHECK_EQ(room_run(&r), 0);
        CHECK_DIARY(&r.diary, 0, 0, 20);
        room_close(&r);
    }
}

/* ---- cancelled ----------------------------------------------------------------------------- */

TEST(a_wait_that_times_out_has_the_mutex_again)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, waiter, 0, 1, 10, 5);
        CHECK_EQ(room_run(&r), 0);
        CHECK_EQ(VG_TASK_RET(&r.handle[0], struct waiter), -ECANCELED);
        CHECK_DIARY(&r.diary, 0, 0, 11);
        room_close(&r);
    }
}

TEST(a_cancelled_wait_waits_for_the_mutex)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, waiter, 0, 0, 0, 5);
        CHECK_EQ(room_run(&r), -EDEADLK);
        CHECK(vg_trylock(&r.mutex));
        vg_task_cancel(&r.handle[0]);
        world_run_until(&r.world, 20);
        CHECK(!vg_task_done(&r.handle[0]));
        CHECK_EQ(r.diary.count, 0);
        vg_unlock(&r.mutex);
        CHECK_EQ(room_run(&r), 0);
        CHECK_EQ(VG_TASK_RET(&r.handle[0], struct waiter), -ECANCELED);
        CHECK_DIARY(&r.diary, 0, 0, 20);
        room_close(&r);
    }
}

struct early {
    VG_FRAME(int);
    struct room *room;
    struct vg_cond_wait wait;
};

VG_ASYNC(early)
{
    VG_BEGIN(f);
    CHECK(vg_trylock(&f->room->mutex));
    VG_AWAIT_CANCEL(f->ret, vg_cond_wait(&f->wait, &f->room->cond, &f->room->mutex));
    CHECK(!vg_trylock(&f->room->mutex));
    vg_unlock(&f->room->mutex);
    VG_RETURN(f->ret);
}

static struct early *early(struct early *f, struct room *room, int unused)
{
    (void)unused;
    VG_SETUP(f, early);
    f->room = room;
    return f;
}

TEST(a_wait_that_is_cancelled_before_its_first_poll_keeps_the_mutex)
{
    struct room r;

    room_open(&r, 1, true);
    ROOM_ADD(&r, early, 0);
    CHECK_EQ(room_run(&r), 0);
    CHECK_EQ(VG_TASK_RET(&r.handle[0], struct early), -ECANCELED);
    room_close(&r);
}

TEST(a_wait_that_is_cancelled_when_signalled_passes_the_signal_on)
{
    FOR_SEEDS (seed, 200) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, waiter, 0, 0, 0, 0);
        CHECK_EQ(room_run(&r), -EDEADLK);
        ROOM_ADD(&r, waiter, 1, 0, 0, 0);
        CHECK_EQ(room_run(&r), -EDEADLK);
        vg_task_cancel(&r.handle[0]);
        vg_cond_signal(&r.cond);
        CHECK_EQ(room_run(&r), 0);
        CHECK_EQ(VG_TASK_RET(&r.handle[0], struct waiter), -ECANCELED);
        CHECK_EQ(VG_TASK_RET(&r.handle[1], struct waiter), 0);
        room_close(&r);
    }
}

TEST(a_cancel_while_only_the_mutex_is_missing_comes_too_late)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, waiter, 0, 0, 0, 0);
        CHECK_EQ(room_run(&r), -EDEADLK);
        CHECK(vg_trylock(&r.mutex));
        vg_cond_signal(&r.cond);
        CHECK_EQ(room_run(&r), -EDEADLK);
        vg_task_cancel(&r.handle[0]);
        CHECK_EQ(room_run(&r), -EDEADLK);
        vg_unlock(&r.mutex);
        CHECK_EQ(room_run(&r), 0);
        CHECK_EQ(VG_TASK_RET(&r.handle[0], struct waiter), 0);
        room_close(&r);
    }
}

/* ---- passed over --------------------------------------------------------------------------- */

/* Parks its wait after a millisecond, and comes back to it at 50. */
struct parker {
    VG_FRAME(int);
    struct room *room;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_cond_wait wait;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    CHECK(vg_trylock(&f->room->mutex));
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(vg_cond_wait(&f->wait, &f->room->cond, &f->room->mutex)),
                       VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->room->world.start + VG_MSEC(50)));
    VG_AWAIT(f->ret, &f->wait);
    diary_note(&f->room->diary, 9);
    vg_unlock(&f->room->mutex);
    VG_RETURN(f->ret);
}

static struct parker *parker(struct parker *f, struct room *room, int unused)
{
    (void)unused;
    VG_SETUP(f, parker);
    f->room = room;
    return f;
}

TEST(a_signal_that_is_passed_over_goes_to_the_next_who_waits)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, parker, 0);
        ROOM_ADD(&r, waiter, 1, 5, 0, 0);
        world_run_until(&r.world, 10);
        vg_cond_signal(&r.cond);
        world_run_until(&r.world, 60);
        CHECK_EQ(r.diary.count, 1);
        CHECK_DIARY(&r.diary, 0, 1, 10);
        vg_cond_signal(&r.cond);
        CHECK_EQ(room_run(&r), 0);
        CHECK_DIARY(&r.diary, 1, 9, 60);
        room_close(&r);
    }
}

/* Nor may one who comes later have it. */
TEST(a_signal_that_is_passed_over_and_that_nobody_else_waits_for_is_not_lost)
{
    FOR_SEEDS (seed, 100) {
        struct room r;
        room_open(&r, seed, true);
        ROOM_ADD(&r, parker, 0);
        world_run_until(&r.world, 10);
        vg_cond_signal(&r.cond);
        ROOM_ADD(&r, waiter, 1, 20, 100, 0);
        CHECK_EQ(room_run(&r), 0);
        CHECK_DIARY(&r.diary, 0, 9, 50);
        CHECK_DIARY(&r.diary, 1, 1, 120);
        CHECK_EQ(VG_TASK_RET(&r.handle[0], struct parker), 0);
        CHECK_EQ(VG_TASK_RET(&r.handle[1], struct waiter), -ECANCELED);
        room_close(&r);
    }
}

/* ---- misuse -------------------------------------------------------------------------------- */

struct culprit {
    VG_FRAME(int);
    struct room *room;
    struct vg_cond_wait wait;
};

VG_ASYNC(culprit)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_cond_wait(&f->wait, &f->room->cond, &f->room->mutex));
    VG_RETURN(0);
}

static struct culprit *culprit(struct culprit *f, struct room *room, int unused)
{
    (void)unused;
    VG_SETUP(f, culprit);
    f->room = room;
    return f;
}

static void wait_without_mutex(void)
{
    struct room r;

    room_open(&r, 1, true);
    ROOM_ADD(&r, culprit, 0);
    (void)!room_run(&r);
}

TEST(misuse_panics_by_name)
{
    static struct vg_cond named = VG_COND_INIT_NAMED("static");
    struct room r;

    CHECK_STR(named.permits.resource.name, "static");
    vg_cond_fini(&named);
    CHECK_PANICS("mutex door is free", wait_without_mutex());
    room_open(&r, 1, true);
    ROOM_ADD(&r, waiter, 0, 0, 0, 0);
    CHECK_EQ(room_run(&r), -EDEADLK);
    CHECK_PANICS("1 futures wait for condition room", vg_cond_fini(&r.cond));
    vg_cond_broadcast(&r.cond);
    CHECK_PANICS("1 futures wait for condition room", vg_cond_fini(&r.cond));
    CHECK_EQ(room_run(&r), 0);
    room_close(&r);
}
