/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_EXEC_H
#define VIGIL_EXEC_H

#include <errno.h>

#include <vigil/alloc.h>
#include <vigil/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The executor: workers that run tasks, and the handles by which tasks are awaited and cancelled.
 *
 *     int main(void)
 *     {
 *         struct vg_config config = VG_CONFIG_INIT;
 *         struct vg_exec *exec;
 *         int rc = vg_exec_open(&exec, &config);
 *         if (rc < 0)
 *             return 1;
 *         struct server server;
 *         rc = vg_block_on(exec, &server_init(&server, 8080)->fut);
 *         vg_exec_close(exec, VG_SEC(5));
 *         return rc < 0 || server.ret < 0;
 *     }
 *
 * Memory    A task's header and its frame are one block, freed when the task has ended and its handle
 *           is gone. Handles must be released before vg_exec_close() (panics otherwise). The executor frees everything it allocated, unless tasks are left at closing time.
 * Threads   vg_exec_open() and vg_exec_close() from one thread outside; everything else from any
 *           thread, workers included. Several executors may live in one process.
 * Ordering  What precedes a spawn happens before the task's first poll. What a task did happens before
 *           its wait completes.
 * Fairness  With T tasks queued on a worker when it is woken, and no poll longer than P, a task starts
 *           within 64 (T + 1) P plus the turns of the driver in between, whatever else is spawned or
 *           woken meanwhile; within (T + 4) P if the worker has no tasks with handles and no children of scopes to run, and the
 *           wake did not come from a thread outside.
 * Errors    Negative errno, listed at each function.
 */

struct vg_driver;
struct vg_exec;
struct vg_probe;

#define VG_WORKERS_MAX 64

struct vg_config {
    const char *name;         /* for thread names and reports; NULL: "vigil" */
    unsigned workers;         /* 0: as many as the affinity mask and the cgroup's CPU quota allow */
    struct vg_driver *driver; /* parks workers and does I/O; NULL: futexes, no I/O. Not owned */
    const struct vg_alloc *alloc; /* NULL: vg_alloc_default */
    struct vg_probe *probe;       /* instruments; NULL: none. Not owned */
    uint64_t seed;                /* of every random choice; 0: random */
    bool no_healing;              /* keep grants that are passed over (see <vigil/mutex.h>) */
    bool quiet;                   /* vg_exec_close() does not print what is left */
    const struct vg_site *sites, *sites_end; /* await sites of the program: VG_CONFIG_INIT */
    unsigned budget; /* operations that one poll may do without waiting; 0: 128. See vg_coop() */
    /* Worker i runs on processor cpus[i % cpus_count] alone; NULL: where the system likes. Read by vg_exec_open() only. */
    const int *cpus;
    unsigned cpus_count;
    /* On each worker's thread, before its first task and after its last; either may be NULL. They must not block, nor
     * use the executor. Not called for a worker that could not be started. */
    void (*worker_started)(void *arg, unsigned worker);
    void (*worker_stops)(void *arg, unsigned worker);
    void *worker_arg;
    bool
        exact_clock; /* read the clock for every poll, however short: waits are timed to the poll, not to some 4 us */
};

/* The linker's bounds of this program's await sites; both are NULL if it has none. */
extern const struct vg_site __start_vg_sites[] __attribute__((weak, visibility("hidden")));
extern const struct vg_site __stop_vg_sites[] __attribute__((weak, visibility("hidden")));

/* Defaults, and the await sites of the program or shared library it is written in. */
#ifdef __cplusplus
#define VG_CONFIG_INIT                                                                             \
    vg_config                                                                                      \
    {                                                                                              \
        nullptr, 0, nullptr, nullptr, nullptr, 0, false, false, __start_vg_sites, __stop_vg_sites, \
            0, nullptr, 0, nullptr, nullptr, nullptr, false                                        \
    }
#else
#define VG_CONFIG_INIT                                                                             \
    (struct vg_config)                                                                             \
    {                                                                                              \
        .sites = __start_vg_sites, .sites_end = __stop_vg_sites                                    \
    }
#endif

/* Starts the workers. -ENOMEM; -EINVAL: more than VG_WORKERS_MAX workers, a budget beyond INT32_MAX,
 * or a processor that there is not, or that this
 * process may not use; -EAGAIN: no more threads; or
 * what the driver or the probe failed with (see their headers). After an error *exec is NULL, no worker is
 * left, and driver and probe may be used for another attempt. */
VG_API VG_MUST_USE int vg_exec_open(struct vg_exec **exec, const struct vg_config *config);

/* Cancels every task, waits up to `drain` nanoseconds for all to end, stops the workers and frees the
 * executor. Returns the number of tasks that had not ended: they are listed on stderr, and their
 * memory and the executor's are left alone, because the kernel and wakes from outside may still find them. Later spawns fail with -ESHUTDOWN.
 * Must not be called by a task. */
VG_API int vg_exec_close(struct vg_exec *exec, uint64_t drain);

/* Runs a future of the caller's as a task and blocks the calling thread until it is done. The result is
 * in the future's own `ret`. 0; -ENOMEM. -ESHUTDOWN: the executor is closing, or was closed before the
 * future could end; -EDEADLK: on the simulator, nothing can ever wake it: in these two cases the future may
 * have started, and then its storage must stay, for -EDEADLK until vg_exec_close(). Must not be called by a
 * task. */
VG_API VG_MUST_USE int vg_block_on(struct vg_exec *exec, struct vg_future *fut);

/*
 * For threads outside: waits like an await, and returns the future's `ret`, or what vg_block_on() has failed with. With this every
 * future has a blocking form:
 *
 *     rc = vg_blocking(exec, vg_lock(&lock, &mutex));
 *     rc = vg_blocking(exec, vg_mpsc_send(&send, &channel, &job));
 *
 * The future may be a local variable if nothing closes the executor meanwhile. Where no wait is needed the try_ functions are cheaper: this
 * costs a task.
 */
#ifndef __cplusplus
#define vg_blocking(exec, p)                                                                       \
    (__extension__({                                                                               \
        __auto_type vg_fut_ = (p);                                                                 \
        const int vg_rc_ = vg_block_on((exec), &vg_fut_->fut);                                     \
        vg_rc_ < 0 ? vg_rc_ : vg_fut_->ret;                                                        \
    }))
#endif

/* The executor whose worker is calling; NULL on other threads. */
VG_API struct vg_exec *vg_exec_current(void);
VG_API unsigned vg_exec_workers(const struct vg_exec *exec);

/* Tasks that have been spawned and have not ended. */
VG_API uint64_t vg_exec_live(const struct vg_exec *exec);

/* ---- tasks --------------------------------------------------------------------------------- */

/* A task's one owner outside. Move it freely; do not copy it. Zero: no task. */
struct vg_handle {
    struct vg_task *task;
};

/* Memory for a task whose root frame has `size` bytes; NULL: none left. The frame is followed by
 * exactly one of vg_spawn_at() and vg_task_discard(). Alignment 16. Not zeroed. */
VG_API VG_MUST_USE void *vg_task_alloc(struct vg_exec *exec, size_t size);
VG_API void vg_task_discard(void *frame);

/* Starts the task whose root is `root`, which lies at the start of vg_task_alloc() memory. With
 * handle NULL the task is detached, otherwise the handle must be released. 0; -ESHUTDOWN: the
 * executor is closing, the memory has been discarded. */
VG_API VG_MUST_USE int vg_spawn_at(struct vg_future *root, struct vg_handle *handle,
                                   const struct vg_place *place);

/*
 * Allocates a struct fn, calls its constructor fn(frame, arguments...), and starts it:
 *
 *     rc = VG_SPAWN(exec, NULL, echo, fd);          detached
 *     rc = VG_SPAWN(exec, &f->handle, work, 42);    to be awaited
 *
 * 0; -ENOMEM, -ESHUTDOWN: nothing runs, the handle is zero, and whatever the arguments own is still the
 * caller's.
 */
#ifndef __cplusplus
static inline int vg_spawn_without_memory_(struct vg_handle *handle)
{
    if (handle != NULL)
        handle->task = NULL;
    return -ENOMEM;
}

#define VG_SPAWN(exec, handle, fn, ...)                                                            \
    (__extension__({                                                                               \
        struct fn *vg_frame_ = (struct fn *)vg_task_alloc((exec), sizeof(struct fn));              \
        struct vg_handle *vg_handle_ = (handle);                                                   \
        vg_frame_ == NULL ? vg_spawn_without_memory_(vg_handle_)                                   \
                          : vg_spawn_at(&fn(vg_frame_, ##__VA_ARGS__)->fut, vg_handle_, VG_HERE);  \
    }))
#endif

/* Completes when the task has ended: see vg_task_wait(). */
struct vg_task_wait {
    struct vg_future fut;
    int ret; /* 0, or -ECANCELED: the wait was cancelled, not the task */
    /* private */
    struct vg_task *task;
    struct vg_waiter waiter;
};

/* At most one wait of a handle at a time (panics otherwise). The handle must outlive it. */
VG_API struct vg_task_wait *vg_task_wait(struct vg_task_wait *wait, const struct vg_handle *handle);

/* Whether the task has ended: if so, its frame may be read. */
VG_API bool vg_task_done(const struct vg_handle *handle);

/* The root frame of a task that has ended, until the handle is released; panics if it still runs. */
VG_API void *vg_task_frame(const struct vg_handle *handle);
#define VG_TASK_RET(handle, type) (((const type *)vg_task_frame(handle))->ret)

/* Asks the task to end: its root is cancelled in its next poll. Any thread; idempotent; does nothing
 * to a task that has ended. */
VG_API void vg_task_cancel(const struct vg_handle *handle);

/* Gives the handle up and zeroes it. A task that still runs is detached: it goes on by itself. */
VG_API void vg_task_release(struct vg_handle *handle);

#ifdef __cplusplus
}
#endif
#endif
