/* SPDX-License-Identifier: MIT */
#include "slab.h"

#include <string.h>

#include "task.h"
#include "vg_fault.h"
#include "vg_sanitizer.h"
#include "vg_spin.h"
#include "worker.h"

#if VG_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* Classes: every 64 bytes up to 2 KiB, then doubling. */
enum { STEP = 64, STEPS = 32, SLAB_BYTES = 64 * 1024, HUGE_BYTES = 2 * 1024 * 1024, ALIGN = 64 };
#define SLAB_HEADER ((sizeof(struct vg_slab) + ALIGN - 1) & ~(size_t)(ALIGN - 1))

static void lock(struct vg_slabs *slabs)
{
    vg_count_shared();
    vg_spin_lock(&slabs->guard);
}

static unsigned class_of(size_t size)
{
    if (size <= (size_t)STEP * STEPS)
        return (unsigned)((size + STEP - 1) / STEP) - 1;
    return STEPS + (unsigned)(63 - __builtin_clzll((size - 1) / ((size_t)STEP * STEPS)));
}

static size_t class_size(unsigned class)
{
    return class < STEPS ? (size_t)STEP * (class + 1) : (size_t)STEP * STEPS << (class - STEPS + 1);
}

void vg_slabs_init(struct vg_slabs *slabs, const struct vg_alloc *alloc, struct vg_exec *exec)
{
    memset(slabs, 0, sizeof *slabs);
    slabs->alloc = alloc;
    slabs->exec = exec;
}

static struct vg_task *slot_at(struct vg_slab *slab, uint32_t i)
{
    return (struct vg_task *)(void *)((char *)slab + SLAB_HEADER + (size_t)slab->slot_size * i);
}

/* Guard held. The memory of a slab; NULL: none. */
static struct vg_slab *get_memory(struct vg_slabs *slabs, unsigned class, size_t bytes,
                                  size_t align)
{
    struct vg_slab *slab = slabs->alloc->alloc(slabs->alloc->self, bytes, align);

    if (slab == NULL)
        return NULL;
    if (align == HUGE_BYTES)
        vg_os_huge(slab, bytes);
    if (slabs->filling[class] != NULL) /* not the first: it will be used */
        vg_os_populate(slab, bytes);
    slab->bytes = bytes;
    slab->align = align;
    return slab;
}

/* Guard held. Where there are many, a huge page at a time: they are too many for the processor's tables of small ones. */
static struct vg_slab *add_slab(struct vg_slabs *slabs, unsigned class)
{
    const size_t slot = class_size(class);
    const size_t bytes = slot * 8 > SLAB_BYTES ? SLAB_HEADER + slot : SLAB_BYTES;
    struct vg_slab *slab = NULL;

    if (VG_FAULT("slab"))
        return NULL;
    if (bytes == SLAB_BYTES && slabs->held[class] >= HUGE_BYTES)
        slab = get_memory(slabs, class, HUGE_BYTES, HUGE_BYTES);
    if (slab == NULL)
        slab = get_memory(slabs, class, bytes, ALIGN);
    if (slab == NULL)
        return NULL;
    slabs->held[class] += slab->bytes;
    slab->slot_size = (uint32_t)slot;
    slab->count = (uint32_t)((slab->bytes - SLAB_HEADER) / slot);
    vg_store(&slab->bump, 0u, relaxed);
    slab->next = vg_load(&slabs->all, relaxed);
    vg_store(&slabs->all, slab, release); /* pairs with the acquire in vg_slab_each() */
    slabs->filling[class] = slab;
    return slab;
}

/* Guard held: a slot that was never used. */
static struct vg_task *carve(struct vg_slabs *slabs, unsigned class)
{
    struct vg_slab *slab = slabs->filling[class];
    uint32_t bump;
    struct vg_task *task;

    if (slab == NULL || vg_load(&slab->bump, relaxed) == slab->count)
        slab = add_slab(slabs, class);
    if (slab == NULL)
        return NULL;
    bump = vg_load(&slab->bump, relaxed);
    task = slot_at(slab, bump);
    vg_task_init_slot(task);
    task->class = (uint8_t) class;
    task->exec = slabs->exec;
    vg_store(&slab->bump, bump + 1, release); /* pairs with the acquire in vg_slab_each() */
    return task;
}

static struct vg_task *task_of(struct vg_link *link)
{
    return VG_LINK_OWNER(link, struct vg_task, link);
}

static void push(struct vg_slab_batch *batch, struct vg_task *task)
{
    vg_link_set(&task->link, batch->free);
    batch->free = &task->link;
    batch->count++;
}

static struct vg_task *pop(struct vg_slab_batch *batch)
{
    struct vg_task *task;

    if (batch->free == NULL)
        return NULL;
    task = task_of(batch->free);
    batch->free = vg_link_next(batch->free);
    batch->count--;
    if (batch->free != NULL)
        vg_slot_expect(task_of(batch->free));
    return task;
}

/* ---- groups of full batches ------------------------------------------------------------------- */

static void put_batch(struct vg_slab_group *group, struct vg_link *full)
{
    task_of(full)->base = (uintptr_t)group->full;
    group->full = full;
    group->count++;
}

static struct vg_link *get_batch(struct vg_slab_group *group)
{
    struct vg_link *full = group->full;

    if (full == NULL)
        return NULL;
    group->full = (struct vg_link *)task_of(full)->base;
    group->count--;
    return full;
}

/* Guard held. */
static void put_group(struct vg_slab_depot *depot, struct vg_slab_group group)
{
    struct vg_task *front = task_of(group.full);

    front->takes = group.count;
    front->root = (struct vg_future *)(void *)depot->groups;
    depot->groups = group.full;
}

/* Guard held. Its count is 0 if there is none. */
static struct vg_slab_group get_group(struct vg_slab_depot *depot)
{
    struct vg_slab_group group = {depot->groups, 0};

    if (group.full == NULL)
        return group;
    group.count = task_of(group.full)->takes;
    depot->groups = (struct vg_link *)(void *)task_of(group.full)->root;
    return group;
}

/* Guard held. */
static struct vg_link *get_full(struct vg_slab_depot *depot)
{
    struct vg_slab_group group = get_group(depot);
    struct vg_link *full = get_batch(&group);

    if (group.count > 0)
        put_group(depot, group);
    return full;
}

/* Guard held. */
static void put_one(struct vg_slab_depot *depot, struct vg_task *task)
{
    struct vg_slab_group group = {NULL, 0};

    push(&depot->some, task);
    if (depot->some.count < VG_SLAB_BATCH)
        return;
    put_batch(&group, depot->some.free);
    put_group(depot, group);
    depot->some = (struct vg_slab_batch){NULL, 0};
}

/* Guard held. */
static struct vg_task *get_one(struct vg_slabs *slabs, unsigned class)
{
    struct vg_slab_depot *depot = &slabs->depot[class];
    struct vg_task *task;

    if (depot->some.free == NULL && (depot->some.free = get_full(depot)) != NULL)
        depot->some.count = VG_SLAB_BATCH;
    task = pop(&depot->some);
    return task != NULL ? task : carve(slabs, class);
}

/* The next slot of the full batches that the worker has; NULL: it has none. */
static struct vg_task *open_batch(struct vg_slab_cache *cache)
{
    struct vg_link *full = get_batch(&cache->group);

    if (full == NULL) {
        cache->group = cache->reserve;
        cache->reserve = (struct vg_slab_group){NULL, 0};
        full = get_batch(&cache->group);
    }
    if (full != NULL)
        cache->some = (struct vg_slab_batch){full, VG_SLAB_BATCH};
    return pop(&cache->some);
}

/* Fetches a group from the depot; if there is none, a single slot. */
static struct vg_task *fetch(struct vg_slabs *slabs, struct vg_slab_cache *cache, unsigned class)
{
    struct vg_task *task = NULL;

    lock(slabs);
    cache->group = get_group(&slabs->depot[class]);
    if (cache->group.count == 0)
        task = get_one(slabs, class);
    vg_spin_unlock(&slabs->guard);
    return task != NULL ? task : open_batch(cache);
}

static __attribute__((noinline)) struct vg_task *refill(struct vg_slabs *slabs,
                                                        struct vg_slab_cache *cache, unsigned class)
{
    struct vg_task *task = open_batch(cache);

    return task != NULL ? task : fetch(slabs, cache, class);
}

static __attribute__((noinline)) struct vg_task *alloc_outside(struct vg_slabs *slabs,
                                                               unsigned class)
{
    struct vg_task *task;

    lock(slabs);
    task = get_one(slabs, class);
    vg_spin_unlock(&slabs->guard);
    return task;
}

static inline struct vg_task *alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache,
                                    unsigned class)
{
    struct vg_task *task;

    if (VG_UNLIKELY(cache == NULL))
        return alloc_outside(slabs, class);
    task = pop(&cache[class].some);
    return VG_LIKELY(task != NULL) ? task : refill(slabs, &cache[class], class);
}

struct vg_task *vg_slab_alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache, size_t size)
{
    struct vg_task *task;
    unsigned class;

    if (size > (size_t)1 << 30)
        return NULL;
    class = class_of(VG_TASK_HEADER + size);
    task = alloc(slabs, cache, class);
    if (VG_ASAN && task != NULL)
        ASAN_UNPOISON_MEMORY_REGION((char *)task + VG_TASK_HEADER,
                                    class_size(class) - VG_TASK_HEADER);
    return task;
}

/* A batch is full. A group of them becomes the reserve, and what was the reserve goes to the depot. */
static __attribute__((noinline)) void set_aside(struct vg_slabs *slabs, struct vg_slab_cache *cache,
                                                unsigned class)
{
    put_batch(&cache->group, cache->some.free);
    cache->some = (struct vg_slab_batch){NULL, 0};
    if (cache->group.count < VG_SLAB_GROUP)
        return;
    if (cache->reserve.count > 0) {
        lock(slabs);
        put_group(&slabs->depot[class], cache->reserve);
        vg_spin_unlock(&slabs->guard);
    }
    cache->reserve = cache->group;
    cache->group = (struct vg_slab_group){NULL, 0};
}

static __attribute__((noinline)) void free_outside(struct vg_slabs *slabs, struct vg_task *task)
{
    lock(slabs);
    put_one(&slabs->depot[task->class], task);
    vg_spin_unlock(&slabs->guard);
}

void vg_slab_free(struct vg_slabs *slabs, struct vg_slab_cache *cache, struct vg_task *task)
{
    const unsigned class = task->class;

#if VG_DEBUG
    memset((char *)task + VG_TASK_HEADER, VG_FILL_FREED, class_size(class) - VG_TASK_HEADER);
#endif
    ASAN_POISON_MEMORY_REGION((char *)task + VG_TASK_HEADER, class_size(class) - VG_TASK_HEADER);
    if (VG_UNLIKELY(cache == NULL)) {
        free_outside(slabs, task);
        return;
    }
    push(&cache[class].some, task);
    if (VG_UNLIKELY(cache[class].some.count == VG_SLAB_BATCH))
        set_aside(slabs, &cache[class], class);
}

void vg_slab_each(struct vg_slabs *slabs, bool (*visit)(struct vg_task *task, void *arg), void *arg)
{
    struct vg_slab *slab;
    uint32_t i, n;

    for (slab = vg_load(&slabs->all, acquire); slab != NULL; slab = slab->next) {
        n = vg_load(&slab->bump, acquire); /* pairs with the release in carve() */
        for (i = 0; i < n; i++)
            if (!visit(slot_at(slab, i), arg))
                return;
    }
}

static bool is_live(struct vg_slab *slab)
{
    uint32_t i;

    for (i = 0; i < vg_load(&slab->bump, relaxed); i++)
        if (vg_load(&slot_at(slab, i)->id, relaxed) & 1)
            return true;
    return false;
}

void vg_slabs_release(struct vg_slabs *slabs)
{
    struct vg_slab *slab, *next;

    for (slab = vg_load(&slabs->all, acquire); slab != NULL; slab = next) {
        next = slab->next;
        if (is_live(slab))
            continue; /* the kernel may still write to it */
        ASAN_UNPOISON_MEMORY_REGION(slab, slab->bytes);
        slabs->alloc->free(slabs->alloc->self, slab, slab->bytes, slab->align);
    }
}
