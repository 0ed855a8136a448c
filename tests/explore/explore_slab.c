/* SPDX-License-Identifier: MIT */
/*
 * Slots of tasks go from worker to worker through the depot, in groups and one by one: nobody has one that somebody else has, whoever
 * gets one sees what was written to it before, and none is lost.
 */
#include <string.h>

#include "slab.h"
#include "task.h"
#include "worker.h"

#include "explore.h"

enum {
    CACHES = 2,
    FRAME = 64 /* of slots of 256 bytes */,
    SLABS = 3,
    SLAB_BYTES = 64 * 1024,
    SLOTS_MAX = 1024,
    /* So many that another one that is given back sends a group to the depot. */
    SPARE = VG_SLAB_BATCH * (2 * VG_SLAB_GROUP) - 1,
};

static _Alignas(64) char memory[SLABS][SLAB_BYTES];
static unsigned slabs_given;
static struct vg_slabs slabs;
static struct vg_slab_cache caches[CACHES][VG_SLAB_CLASSES];
static struct vg_task *had; /* by worker 0, from the start */
static struct vg_task *found[SLOTS_MAX];
static unsigned found_count; /* by the model only */

__thread struct vg_worker *vg_worker_here; /* nobody counts here */

static void *get(void *self, size_t size, size_t align)
{
    (void)self;
    MC_ASSERT(size == SLAB_BYTES && align == 64 && slabs_given < SLABS);
    return memory[slabs_given++];
}

static const struct vg_alloc alloc = {.alloc = get};

void vg_os_populate(void *space, size_t size)
{
    (void)space, (void)size;
}

void vg_os_huge(void *space, size_t size)
{
    (void)space, (void)size;
}

void vg_os_yield(void)
{
    vg_pause();
}

/* Owns it from here on: who had it before has given it back in an order that shows. */
static struct vg_task *take(struct vg_slab_cache *cache)
{
    struct vg_task *task = vg_slab_alloc(&slabs, cache, FRAME);

    MC_ASSERT(task != NULL);
    VG_WR(&task->root);
    MC_ASSERT(task->inflight == 0);
    task->inflight = 1;
    return task;
}

static void give(struct vg_slab_cache *cache, struct vg_task *task)
{
    VG_WR(&task->root);
    MC_ASSERT(task->inflight == 1);
    task->inflight = 0;
    vg_slab_free(&slabs, cache, task);
}

static void init(void)
{
    static struct vg_task *spare[SPARE];

    memset(caches, 0, sizeof caches);
    slabs_given = found_count = 0;
    vg_slabs_init(&slabs, &alloc, NULL);
    had = take(caches[0]);
    for (unsigned i = 0; i < SPARE; i++)
        spare[i] = take(caches[0]);
    for (unsigned i = 0; i < SPARE; i++)
        give(caches[0], spare[i]);
}

static bool count(struct vg_task *task, void *arg)
{
    (void)task;
    ++*(unsigned *)arg;
    return true;
}

static unsigned count_slots(void)
{
    unsigned slots = 0;

    vg_slab_each(&slabs, count, &slots);
    return slots;
}

/* All that a worker comes to; the last one, which was never used before, does not count. */
static void drain(struct vg_slab_cache *cache)
{
    const unsigned slots = count_slots();

    for (;;) {
        struct vg_task *task = take(cache);

        if (count_slots() > slots)
            return;
        MC_ASSERT(found_count < SLOTS_MAX);
        found[found_count++] = task;
    }
}

static void none_is_lost(void)
{
    const unsigned slots = count_slots();

    drain(caches[0]);
    drain(caches[1]);
    MC_ASSERT(found_count == slots);
}

/* One worker gives a group away while the other one needs one. */
static void groups(int id)
{
    if (id == 0) {
        give(caches[0], had);
        give(caches[0], take(caches[0]));
    } else {
        give(caches[1], take(caches[1]));
    }
}
MC_MODEL(slab_groups, .threads = 2, .init = init, .thread = groups, .final = none_is_lost);

/* And a thread outside, which has no cache, takes one and gives it back. */
static void outside(int id)
{
    if (id < 2)
        groups(id);
    else
        give(NULL, take(NULL));
}
MC_MODEL(slab_outside, .threads = 3, .init = init, .thread = outside, .final = none_is_lost);
