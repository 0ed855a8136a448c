/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_POST_H
#define VIGIL_TESTS_SYNC_POST_H

#include <vigil/notify.h>

#include "task.h"
#include "world.h"

enum { WAITERS_MAX = 8 };

struct post {
    struct world world;
    struct vg_notifier notifier;
    struct diary diary;
    unsigned count;
    struct vg_handle handle[WAITERS_MAX];
};

static inline void post_open(struct post *post, uint64_t seed, bool healing)
{
    world_open(&post->world, seed, 1 + (unsigned)(seed % 4), healing);
    vg_notifier_init(&post->notifier, "post");
    post->diary = (struct diary){.world = &post->world};
    post->count = 0;
}

static inline bool post_done(void *arg)
{
    const struct post *post = arg;

    for (unsigned i = 0; i < post->count; i++)
        if (!vg_task_done(&post->handle[i]))
            return false;
    return true;
}

static inline int post_run(struct post *post)
{
    return sim_run(&post->world.sim, post->world.exec, post_done, post, VG_SEC(10));
}

static inline void post_run_until(struct post *post, uint64_t ms)
{
    world_run_until(&post->world, ms);
}

static inline void post_close(struct post *post)
{
    for (unsigned i = 0; i < post->count; i++)
        vg_task_release(&post->handle[i]);
    world_close(&post->world);
    vg_notifier_fini(&post->notifier);
}

static inline bool is_stored(const struct post *post)
{
    return vg_load(&post->notifier.permits.word, relaxed) >> 1 == 1;
}

#define POST_ADD(post, kind, ...)                                                                  \
    CHECK_EQ(                                                                                      \
        VG_SPAWN((post)->world.exec, &(post)->handle[(post)->count++], kind, (post), __VA_ARGS__), \
        0)

#endif
