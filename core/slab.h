/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_SLAB_H
#define VIGIL_CORE_SLAB_H

#include <vigil/alloc.h>

#include "link.h"
#include "vg_atomic.h"

/*
 * Memory of tasks, in classes of size, and at the same time their registry: slots never change their type and
 * are never unmapped while the executor lives, so whoever walks the slabs may read the atomic members of any
 * slot that has been handed out.
 *
 * Each worker keeps free slots of each class: a batch that it takes from and gives to, some full batches, and a group of
 * VG_SLAB_GROUP full ones in reserve; the rest is in a depot under a lock. Only whole groups go there and come from there, so the lock is
 * entered once for some 128 slots, and nobody walks a list of slots that are in no cache.
 *
 * bump  How many slots of a slab have been handed out at least once. Grows under the depot's guard, after the
 *       slot's header has been prepared (release); pairs with the acquire of whoever walks.
 */

enum { VG_SLAB_CLASSES = 56, VG_SLAB_BATCH = 32, VG_SLAB_GROUP = 4 };

/* In debug builds, the bytes of a frame before its constructor and after its task: what reads them shows. */
enum { VG_FILL_FRESH = 0x5a, VG_FILL_FREED = 0xd6 };

struct vg_task;

struct vg_slab {
    struct vg_slab *next; /* set before the slab is published; slabs are only ever added */
    size_t bytes, align;  /* of the whole slab */
    uint32_t slot_size;
    uint32_t count;
    VG_ATOMIC(uint32_t) bump;
};

/* Free slots, linked through their tasks' links. A full batch has VG_SLAB_BATCH of them. */
struct vg_slab_batch {
    struct vg_link *free;
    uint32_t count;
};

/* Full batches, linked through `base` of the task in front of each. */
struct vg_slab_group {
    struct vg_link *full;
    uint32_t count;
};

struct vg_slab_cache {
    struct vg_slab_batch some;
    struct vg_slab_group group;   /* fewer than VG_SLAB_GROUP */
    struct vg_slab_group reserve; /* as many, or none */
};

/* Under the guard of the slabs. */
struct vg_slab_depot {
    struct vg_slab_batch some; /* what threads outside gave back one by one */
    struct vg_link
        *groups; /* linked through `root` of the task in front; its `takes` is their count */
};

struct vg_slabs {
    const struct vg_alloc *alloc;
    struct vg_exec *exec;
    struct vg_spin guard;
    struct vg_slab_depot depot[VG_SLAB_CLASSES]; /* under the guard */
    struct vg_slab *filling[VG_SLAB_CLASSES];    /* under the guard */
    size_t held[VG_SLAB_CLASSES];                /* likewise: bytes of all slabs */
    VG_ATOMIC(struct vg_slab *) all;
};

void vg_slabs_init(struct vg_slabs *slabs, const struct vg_alloc *alloc, struct vg_exec *exec);

/* A free slot for a header and `size` bytes behind it; cache is the calling worker's, NULL elsewhere. NULL:
 * no memory. */
struct vg_task *vg_slab_alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache, size_t size);
void vg_slab_free(struct vg_slabs *slabs, struct vg_slab_cache *cache, struct vg_task *task);

/* Calls visit for every slot that was ever used, until it returns false. */
void vg_slab_each(struct vg_slabs *slabs, bool (*visit)(struct vg_task *task, void *arg),
                  void *arg);

/* Gives everything back but slabs that hold a live task: the kernel may still write to it. */
void vg_slabs_release(struct vg_slabs *slabs);

#endif
