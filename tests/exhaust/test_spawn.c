/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sched.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/time.h>

#include "counting_alloc.h"
#include "exhaust.h"
#include "harness.h"
#include "sim.h"
#include "vg_atomic.h"

/*
 * Spawning while memory runs out, from tasks and from outside: a spawn that fails leaves nothing, one that
 * succeeds runs to its end, and the executor goes on.
 */

enum { WORKERS = 2, EACH = 3 };

/* ---- what is spawned ----------------------------------------------------------------------- */

/* A frame so large that it takes a slab of its own: each spawn asks for memory once. */
enum { LARGE = 70000 };

struct large {
    VG_FRAME(int);
    VG_ATOMIC(uint64_t) *ended;
    struct vg_sleep nap;
    char room[LARGE];
};

VG_ASYNC(large)
{
    VG_BEGIN(f);
    int rc;
    memset(f->room, 1, sizeof f->room);
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_USEC(300)));
    vg_fetch_add(f->ended, 1, relaxed);
    VG_RETURN(rc == 0 ? 42 : rc);
}

static struct large *large(struct large *f, VG_ATOMIC(uint64_t) *ended)
{
    VG_SETUP(f, large);
    f->ended = ended;
    return f;
}

/* The same in a small frame. */
struct small {
    VG_FRAME(int);
    VG_ATOMIC(uint64_t) *ended;
    struct vg_sleep nap;
};

VG_ASYNC(small)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_USEC(300)));
    vg_fetch_add(f->ended, 1, relaxed);
    VG_RETURN(rc == 0 ? 42 : rc);
}

static struct small *small(struct small *f, VG_ATOMIC(uint64_t) *ended)
{
    VG_SETUP(f, small);
    f->ended = ended;
    return f;
}

struct stage {
    struct vg_exec *exec;
    struct sim sim;
    bool simulated;
    uint64_t spawned;
    VG_ATOMIC(uint64_t) ended;
};

/* Spawns a detached task and one with a handle; the handle is zero unless that runs. */
static void spawn_both(struct stage *stage, struct vg_handle *handle, bool large_frames)
{
    int rc;

    handle->task = (struct vg_task *)stage; /* to see that it is written */
    rc = large_frames ? VG_SPAWN(stage->exec, handle, large, &stage->ended)
                      : VG_SPAWN(stage->exec, handle, small, &stage->ended);
    if (exhaust_hit(rc))
        CHECK(handle->task == NULL);
    else
        stage->spawned++;
    rc = large_frames ? VG_SPAWN(stage->exec, NULL, large, &stage->ended)
                      : VG_SPAWN(stage->exec, NULL, small, &stage->ended);
    stage->spawned += !exhaust_hit(rc);
}

/* ---- from a task --------------------------------------------------------------------------- */

struct spawner {
    VG_FRAME(int);
    struct stage *stage;
    unsigned i;
    struct vg_handle handle[2 * EACH];
    struct vg_task_wait wait;
};

VG_ASYNC(spawner)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < 2 * EACH; f->i++)
        spawn_both(f->stage, &f->handle[f->i], f->i % 2);
    for (f->i = 0; f->i < 2 * EACH; f->i++) {
        if (f->handle[f->i].task == NULL)
            continue;
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        CHECK_EQ(rc, 0);
        CHECK_EQ(f->i % 2 ? VG_TASK_RET(&f->handle[f->i], struct large)
                          : VG_TASK_RET(&f->handle[f->i], struct small),
                 42);
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(7);
}

static struct spawner *spawner(struct spawner *f, struct stage *stage)
{
    VG_SETUP(f, spawner);
    f->stage = stage;
    return f;
}

/* ---- from outside -------------------------------------------------------------------------- */

static bool task_done(void *handle)
{
    return vg_task_done((const struct vg_handle *)handle);
}

static void wait_for(struct stage *stage, struct vg_handle *handle)
{
    if (handle->task == NULL)
        return;
    if (stage->simulated)
        CHECK_EQ(sim_run(&stage->sim, stage->exec, task_done, handle, VG_SEC(10)), 0);
    while (!vg_task_done(handle))
        sched_yield();
    vg_task_release(handle);
}

static void block(struct stage *stage)
{
    struct spawner frame;
    int rc = vg_block_on(stage->exec, &spawner(&frame, stage)->fut);

    CHECK(exhaust_hit(rc) || frame.ret == 7);
}

static bool open_stage(struct stage *stage)
{
    struct vg_config config = VG_CONFIG_INIT;
    int rc;

    if (stage->simulated) {
        sim_open(&stage->sim, 1, WORKERS);
        config = sim_config(&stage->sim);
    }
    config.workers = WORKERS;
    config.alloc = &test_alloc;
    rc = vg_exec_open(&stage->exec, &config);
    if (exhaust_hit(rc) && stage->simulated)
        sim_close(&stage->sim);
    return rc == 0;
}

static void run(void *arg)
{
    struct stage stage = {.simulated = *(const bool *)arg};
    struct vg_handle handle[2];

    if (!open_stage(&stage))
        return;
    for (unsigned i = 0; i < EACH; i++) {
        spawn_both(&stage, &handle[0], false);
        spawn_both(&stage, &handle[1], true);
        block(&stage);
        wait_for(&stage, &handle[0]);
        wait_for(&stage, &handle[1]);
    }
    exhaust_end();
    block(&stage); /* as if nothing had been */
    CHECK(stage.spawned >= 4 * EACH);
    CHECK_EQ(vg_exec_close(stage.exec, VG_SEC(10)), 0);
    CHECK_EQ(vg_load(&stage.ended, relaxed), stage.spawned);
    if (stage.simulated)
        sim_close(&stage.sim);
}

static uint64_t requests(bool simulated, const char *what)
{
    const struct exhaust resource = {what, -ENOMEM, 0};

    return exhaust(&resource, run, &simulated);
}

TEST(whichever_spawn_finds_no_memory_fails_alone_on_the_simulator)
{
    CHECK(requests(true, NULL) > 10);
}

TEST(whichever_spawn_finds_no_memory_fails_alone)
{
    CHECK(requests(false, NULL) > 10);
}

TEST(whichever_spawn_finds_no_slab_fails_alone)
{
    CHECK(requests(true, "slab") > 10);
    CHECK(requests(false, "slab") > 10);
}
