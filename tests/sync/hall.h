/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_HALL_H
#define VIGIL_TESTS_SYNC_HALL_H

#include <vigil/semaphore.h>

#include "task.h"
#include "world.h"

/* A semaphore on the simulator, guests that come to take some of its permits, and who got in when. */

enum { GUESTS_MAX = 16 };

struct hall {
    struct world world;
    struct diary diary;
    struct vg_semaphore semaphore;
    uint32_t total;
    unsigned count;
    struct vg_handle handle[GUESTS_MAX];
};

static inline void hall_open(struct hall *hall, uint64_t seed, uint32_t total, bool healing)
{
    world_open(&hall->world, seed, 1 + (unsigned)(seed % 4), healing);
    hall->diary = (struct diary){.world = &hall->world};
    hall->total = total;
    hall->count = 0;
    vg_semaphore_init(&hall->semaphore, "hall", total);
}

static inline uint64_t hall_at(const struct hall *hall, uint64_t ms)
{
    return hall->world.start + VG_MSEC(ms);
}

#define HALL_ADD(hall, kind, ...)                                                                  \
    CHECK_EQ(                                                                                      \
        VG_SPAWN((hall)->world.exec, &(hall)->handle[(hall)->count++], kind, (hall), __VA_ARGS__), \
        0)

static inline bool hall_empty(void *arg)
{
    const struct hall *hall = (const struct hall *)arg;

    for (unsigned i = 0; i < hall->count; i++)
        if (!vg_task_done(&hall->handle[i]))
            return false;
    return true;
}

static inline int hall_run(struct hall *hall)
{
    return sim_run(&hall->world.sim, hall->world.exec, hall_empty, hall, VG_SEC(10));
}

/* All have gone, and every permit is back. */
static inline void hall_close(struct hall *hall)
{
    for (unsigned i = 0; i < hall->count; i++)
        vg_task_release(&hall->handle[i]);
    world_close(&hall->world);
    CHECK_EQ(vg_semaphore_free(&hall->semaphore), hall->total);
    vg_semaphore_fini(&hall->semaphore);
}

/* Comes at `arrive` ms, takes `want` permits, writes itself into the diary, gives them back after `hold` ms. Gives up
 * after waiting `patience` ms, unless that is 0. */
struct guest {
    VG_FRAME(int);
    struct hall *hall;
    int who, rc;
    uint32_t want;
    uint64_t arrive, hold, patience;
    struct vg_sleep nap;
    struct vg_acquire acquire;
    struct vg_timeout timeout;
};

VG_ASYNC(guest)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, hall_at(f->hall, f->arrive)));
    vg_acquire(&f->acquire, &f->hall->semaphore, f->want);
    if (f->patience > 0)
        VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_MSEC(f->patience), &f->acquire));
    else
        VG_AWAIT(f->rc, &f->acquire);
    if (f->acquire.ret < 0)
        VG_RETURN(f->acquire.ret);
    diary_note(&f->hall->diary, f->who);
    if (f->hold > 0)
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    vg_release(&f->hall->semaphore, f->want);
    VG_RETURN(0);
}

static inline struct guest *guest(struct guest *f, struct hall *hall, int who, uint32_t want,
                                  uint64_t arrive, uint64_t hold, uint64_t patience)
{
    VG_SETUP(f, guest);
    f->hall = hall;
    f->who = who;
    f->want = want;
    f->arrive = arrive;
    f->hold = hold;
    f->patience = patience;
    return f;
}

#endif
