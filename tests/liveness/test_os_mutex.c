/* SPDX-License-Identifier: MIT */
#include <vigil/os_mutex.h>

#include "block.h"
#include "lab.h"
#include "panic.h"

/* A lock of the system that tasks use. */

/* ---- which tasks suspend with it ----------------------------------------------------------------- */

struct twice {
    VG_FRAME(int);
    struct vg_os_mutex *outer, *inner;
    bool gives_inner_up;
    struct vg_yield yield;
};

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    vg_os_lock(f->outer);
    CHECK(vg_os_trylock(f->inner));
    if (f->gives_inner_up)
        vg_os_unlock(f->inner);
    vg_os_unlock(f->outer);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    if (!f->gives_inner_up)
        vg_os_unlock(f->inner);
    VG_RETURN(0);
}

static unsigned reports_of(bool gives_inner_up, uint64_t seed)
{
    struct vg_os_mutex outer, inner;
    struct twice root;
    struct lab lab;

    lab_open(&lab, seed, true);
    vg_os_mutex_init(&outer, "outer");
    vg_os_mutex_init(&inner, "inner");
    VG_SETUP(&root, twice);
    root.outer = &outer;
    root.inner = &inner;
    root.gives_inner_up = gives_inner_up;
    CHECK_EQ(lab_run(&lab, &root.fut), 0);
    if (lab.count > 0) {
        (void)lab_only(&lab, VG_VERDICT_LOCK_ACROSS_SUSPEND);
        CHECK_STR(lab.seen[0].text, "os-mutex \"inner\"");
    }
    CHECK_EQ(lab.ends, 0);
    vg_os_mutex_fini(&outer);
    vg_os_mutex_fini(&inner);
    lab_close(&lab);
    return lab.count;
}

TEST(who_has_one_left_when_he_suspends_is_reported)
{
    FOR_SEEDS (seed, 20) {
        CHECK_EQ(reports_of(false, seed), 1);
        CHECK_EQ(reports_of(true, seed), 0);
    }
}

/* ---- a worker that blocks for it ------------------------------------------------------------------- */

struct locker {
    VG_FRAME(int);
    struct vg_os_mutex *mutex;
    VG_ATOMIC(uint32_t) *holds, *stop; /* acquire and release: one task tells the other */
};

/* Has it until it is told to stop, in one poll. */
VG_ASYNC(locker)
{
    VG_BEGIN(f);
    vg_os_lock(f->mutex);
    vg_store(f->holds, 1u, release);
    while (!vg_load(f->stop, acquire))
        vg_os_yield();
    vg_os_unlock(f->mutex);
    VG_RETURN(0);
}

static struct locker *locker(struct locker *f, struct vg_os_mutex *mutex,
                             VG_ATOMIC(uint32_t) *holds, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, locker);
    f->mutex = mutex;
    f->holds = holds;
    f->stop = stop;
    return f;
}

static bool names_lock(const struct vg_report *report)
{
    return !report->ended && report->blocks_on != NULL;
}

TEST(a_blocked_worker_says_for_which_lock_and_who_has_it)
{
    static VG_ATOMIC(uint32_t) holds, stop;
    const struct room_report *seen;
    struct vg_os_mutex mutex;
    struct room room;

    vg_store(&holds, 0u, relaxed);
    vg_store(&stop, 0u, relaxed);
    room_open(&room, 2, true);
    vg_os_mutex_init(&mutex, "M");
    CHECK_EQ(VG_SPAWN(room.exec, NULL, locker, &mutex, &holds, &stop), 0);
    wait_for(&holds, 1);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, locker, &mutex, &holds, &stop), 0);
    seen = wait_for_one(&room, names_lock);
    CHECK_EQ(strcmp(seen->report.blocks_on, "M"), 0);
    CHECK(seen->report.blocks_owner != 0 && seen->report.blocks_owner != seen->report.task);
    CHECK_STR(seen->text, "its thread waits for os-mutex \"M\", which task ");
    vg_store(&stop, 1u, release);
    wait_until_empty(&room);
    room_close(&room);
    vg_os_mutex_fini(&mutex);
}

/* ---- misuse ------------------------------------------------------------------------------------------ */

static void lock_twice(void)
{
    struct vg_os_mutex mutex;

    vg_os_mutex_init(&mutex, "M");
    vg_os_lock(&mutex);
    vg_os_lock(&mutex);
}

static void unlock_free(void)
{
    struct vg_os_mutex mutex;

    vg_os_mutex_init(&mutex, "M");
    vg_os_unlock(&mutex);
}

static void destroy_held(void)
{
    struct vg_os_mutex mutex;

    vg_os_mutex_init(&mutex, "M");
    vg_os_lock(&mutex);
    vg_os_mutex_fini(&mutex);
}

/* ThreadSanitizer has its own words for the last two. */
TEST(misuse_panics)
{
    CHECK_PANICS("vg_os_lock: this thread has mutex M already", lock_twice(););
    if (VG_TSAN)
        return;
    CHECK_PANICS("vg_os_unlock: this thread does not have mutex M", unlock_free(););
    CHECK_PANICS("vg_os_mutex_fini: mutex M is held", destroy_held(););
}
