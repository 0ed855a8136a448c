/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_POOL_H
#define VIGIL_POOL_H

#include <vigil/alloc.h>
#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Threads for calls that block: file systems, resolvers, libraries that know nothing of tasks. A worker that blocks holds up
 * every task it has; a task that awaits such a call holds up nobody.
 *
 *     static int look_up(void *arg)                      on a thread of the pool
 *     {
 *         struct query *query = arg;
 *         return getaddrinfo(query->host, NULL, NULL, &query->found);
 *     }
 *     ...
 *     VG_AWAIT(rc, vg_spawn_blocking(&f->call, f->pool, look_up, &f->query));
 *
 * Threads    Started when a call finds none idle, up to threads_max; one that has had nothing to do for idle_ns ends. Further
 *            calls wait, first come, first served. Calls may be awaited on any worker of any executor.
 * Cancel     A call that still waits for a thread is taken back: -ECANCELED, it has not run and will not. One that runs cannot be
 *            stopped: its future ends when it does, with its result. So nothing that it uses may go before the future has ended.
 * Memory     The future, and what arg points to, are the caller's until the future is done. Best a member of the frame.
 * Ordering   What precedes the await happens before the call; the call happens before the await completes.
 * Errors     What the function returns; -ECANCELED; -EAGAIN: no thread could be started, and there is none to wait for.
 * Cost       Some microseconds a call: a thread is woken and wakes a worker. Not for computations: use <vigil/fork.h>.
 * Simulator  Its threads are real ones: what they do does not repeat.
 */

struct vg_pool;

struct vg_pool_config {
    const char *name;             /* of the threads; NULL: "vigil-pool" */
    unsigned threads_max;         /* 0: 512 */
    uint64_t idle_ns;             /* 0: 10 s */
    const struct vg_alloc *alloc; /* NULL: vg_alloc_default */
    size_t
        stack_size; /* of a thread, bytes; 0: what the system gives, usually 8 MiB of addresses */
};

/* Starts no thread yet. NULL: defaults. -ENOMEM; -EINVAL: a stack that is too small for any thread. */
VG_API VG_MUST_USE int vg_pool_open(struct vg_pool **pool, const struct vg_pool_config *config);

/* Waits for calls that run, and for the threads. Afterwards there must be no future that has not ended; calls that still wait for a
 * thread would never end, so this panics if there are any. Close the executors first. Not from a task. */
VG_API void vg_pool_close(struct vg_pool *pool);

struct vg_pool_stats {
    const char *name;       /* of the configuration */
    unsigned threads, idle; /* now */
    uint64_t queued;        /* calls that wait for a thread now */
    uint64_t started;       /* calls so far */
    uint64_t ended, cancelled, refused;
    uint64_t wait_ns, wait_max_ns; /* for a thread; of all calls that were started */
    uint64_t run_ns, run_max_ns;   /* of all that have ended */
};

/* From any thread. */
VG_API void vg_pool_stats(struct vg_pool *pool, struct vg_pool_stats *stats);

struct vg_spawn_blocking {
    struct vg_future fut;
    int ret;
    /* private */
    struct vg_pool *pool;
    int (*call)(void *arg);
    void *arg;
    struct vg_spawn_blocking *next, **link; /* link: NULL unless it waits for a thread */
    uint64_t since;
    struct vg_waiter waiter;
};

/* Prepares `blocking` as a future that ends with what call(arg) returns, which runs on a thread of the pool. */
VG_API struct vg_spawn_blocking *vg_spawn_blocking(struct vg_spawn_blocking *blocking,
                                                   struct vg_pool *pool, int (*call)(void *arg),
                                                   void *arg);

#ifdef __cplusplus
}
#endif
#endif
