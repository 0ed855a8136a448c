/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_WORLD_H
#define VIGIL_TESTS_SYNC_WORLD_H

#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

#include "harness.h"
#include "sim.h"

/*
 * An executor on the simulator, and who took a mutex when. Deadlines are met exactly, so times can
 * be compared for equality: milliseconds since the world was opened.
 */

struct world {
    struct sim sim;
    struct vg_exec *exec;
    uint64_t start;
};

static inline void world_open(struct world *world, uint64_t seed, unsigned workers, bool healing)
{
    struct vg_config config;

    sim_open(&world->sim, seed, workers);
    world->sim.limits.drift_ns = 0;
    world->start = sim_now(&world->sim);
    config = sim_config(&world->sim);
    config.no_healing = !healing;
    CHECK_EQ(vg_exec_open(&world->exec, &config), 0);
}

static inline void world_run(struct world *world, struct vg_future *fut)
{
    CHECK_EQ(vg_block_on(world->exec, fut), 0);
}

static inline uint64_t world_ms(const struct world *world)
{
    return (sim_now(&world->sim) - world->start) / 1000000;
}

struct ticker {
    VG_FRAME(int);
    struct vg_sleep nap;
    uint64_t deadline;
};

VG_ASYNC(ticker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep_until(&f->nap, f->deadline));
    VG_RETURN(0);
}

/* At whose end it is that many milliseconds after the start. */
static inline void world_run_until(struct world *world, uint64_t ms)
{
    struct ticker root;

    VG_SETUP(&root, ticker);
    root.deadline = world->start + VG_MSEC(ms);
    world_run(world, &root.fut);
    CHECK_EQ(world_ms(world), ms);
}

static inline void world_close(struct world *world)
{
    CHECK_EQ(vg_exec_close(world->exec, VG_SEC(5)), 0);
    sim_close(&world->sim);
}

enum { DIARY_MAX = 128 };

struct diary {
    struct world *world;
    unsigned count;
    struct {
        int who;
        uint64_t ms;
    } entry[DIARY_MAX];
};

static inline void diary_note(struct diary *diary, int who)
{
    CHECK(diary->count < DIARY_MAX);
    diary->entry[diary->count].who = who;
    diary->entry[diary->count++].ms = world_ms(diary->world);
}

/* The i-th owner was `who`, and took the mutex at `ms`. */
#define CHECK_DIARY(diary, i, owner, time)                                                         \
    do {                                                                                           \
        CHECK((diary)->count > (i));                                                               \
        CHECK_EQ((diary)->entry[i].who, (owner));                                                  \
        CHECK_EQ((diary)->entry[i].ms, (time));                                                    \
    } while (0)

/* What every program here shares. */
struct scene {
    struct world world;
    struct diary diary;
    struct vg_mutex mutex;
};

static inline void scene_open(struct scene *scene, uint64_t seed, unsigned workers, bool healing)
{
    world_open(&scene->world, seed, workers, healing);
    scene->diary = (struct diary){.world = &scene->world};
    vg_mutex_init(&scene->mutex, "scene");
}

/* The mutex must have been given back by everybody. */
static inline void scene_close(struct scene *scene)
{
    world_close(&scene->world);
    CHECK(vg_trylock(&scene->mutex));
    vg_unlock(&scene->mutex);
    vg_mutex_fini(&scene->mutex);
}

static inline uint64_t scene_at(const struct scene *scene, uint64_t ms)
{
    return scene->world.start + VG_MSEC(ms);
}

#endif
