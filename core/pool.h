/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_POOL_H
#define VIGIL_CORE_POOL_H

#include <vigil/pool.h>

#include "vg_os.h"
#include "vg_spin.h"

/*
 * The pool. The guard guards everything but `bell`, and is held for a few instructions.
 *
 * bell  A futex that idle threads sleep on, and vg_pool_close(). Bumped under the guard by whoever queues a call or closes, and by each thread
 *       that ends. It is read under the guard by those who have found nothing, so that what comes afterwards makes their sleep
 *       end at once. Relaxed: the guard orders it.
 */
struct vg_pool {
    struct vg_spin guard;
    bool closing;
    struct vg_pool_stats stats;
    struct vg_spawn_blocking *first, **last; /* calls that wait for a thread */
    struct vg_pool_thread *left;             /* threads that have ended, to be joined */
    unsigned threads_max;
    uint64_t idle_ns;
    size_t stack_size;
    const char *name;
    struct vg_alloc alloc;
    VG_ATOMIC(uint32_t) bell;
};

/* Queues a call. 0; -EAGAIN: nobody will ever run it, and it is not queued. */
VG_MUST_USE int vg_pool_submit(struct vg_pool *pool, struct vg_spawn_blocking *blocking);

/* Takes a call back that has not begun. False: it has. */
VG_MUST_USE bool vg_pool_revoke(struct vg_pool *pool, struct vg_spawn_blocking *blocking);

#endif
