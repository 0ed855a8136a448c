/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_LIBRARY_H
#define VIGIL_TESTS_SYNC_LIBRARY_H

#include <vigil/rwlock.h>

#include "task.h"
#include "world.h"

enum { VISITORS_MAX = 12 };

struct library {
    struct world world;
    struct vg_rwlock lock;
    struct diary diary;
    int readers, writers; /* inside */
    unsigned count;
    struct vg_handle handle[VISITORS_MAX];
};

static inline void library_open(struct library *library, uint64_t seed, bool healing)
{
    world_open(&library->world, seed, 1 + (unsigned)(seed % 4), healing);
    vg_rwlock_init(&library->lock, "library");
    library->diary = (struct diary){.world = &library->world};
    library->readers = library->writers = 0;
    library->count = 0;
}

static inline bool library_done(void *arg)
{
    const struct library *library = arg;

    CHECK(library->writers == 0 || (library->writers == 1 && library->readers == 0));
    for (unsigned i = 0; i < library->count; i++)
        if (!vg_task_done(&library->handle[i]))
            return false;
    return true;
}

static inline int library_run(struct library *library)
{
    return sim_run(&library->world.sim, library->world.exec, library_done, library, VG_SEC(10));
}

static inline void library_close(struct library *library)
{
    for (unsigned i = 0; i < library->count; i++)
        vg_task_release(&library->handle[i]);
    world_close(&library->world);
    CHECK(vg_trywrlock(&library->lock));
    vg_wrunlock(&library->lock);
    vg_rwlock_fini(&library->lock);
}

static inline void enter(struct library *library, bool writes)
{
    library->readers += !writes;
    library->writers += writes;
    CHECK(library->writers == 0 || (library->writers == 1 && library->readers == 0));
}

static inline void leave(struct library *library, bool writes)
{
    library->readers -= !writes;
    library->writers -= writes;
    if (writes)
        vg_wrunlock(&library->lock);
    else
        vg_rdunlock(&library->lock);
}

#define LIBRARY_ADD(library, kind, ...)                                                            \
    CHECK_EQ(VG_SPAWN((library)->world.exec, &(library)->handle[(library)->count++], kind,         \
                      (library), __VA_ARGS__),                                                     \
             0)

#endif
