/* SPDX-License-Identifier: MIT */
#include "task.h"

#include <errno.h>
#include <string.h>

#include "worker.h"

struct vg_task *vg_task_of_frame(void *frame)
{
    return (struct vg_task *)(void *)((char *)frame - VG_TASK_HEADER);
}

void *vg_task_frame_of(struct vg_task *task)
{
    return (char *)task + VG_TASK_HEADER;
}

/* The calling thread's, if it is a worker of that executor. */
static inline struct vg_worker *worker_of(const struct vg_exec *exec)
{
    struct vg_worker *const worker = vg_worker_here;

    return worker != NULL && worker->exec == exec ? worker : NULL;
}

static struct vg_slab_cache *cache_of(const struct vg_exec *exec)
{
    struct vg_worker *const worker = worker_of(exec);

    return worker != NULL ? worker->cache : NULL;
}

struct vg_task *vg_task_new(struct vg_exec *exec, size_t frame_size)
{
    return vg_slab_alloc(&exec->slabs, cache_of(exec), frame_size);
}

void *vg_task_alloc(struct vg_exec *exec, size_t size)
{
    struct vg_task *task = vg_task_new(exec, size);

    if (task == NULL)
        return NULL;
#if VG_DEBUG
    memset(vg_task_frame_of(task), VG_FILL_FRESH, size);
#endif
    return vg_task_frame_of(task);
}

void vg_task_discard(void *frame)
{
    struct vg_task *task = vg_task_of_frame(frame);

    vg_slab_free(&task->exec->slabs, cache_of(task->exec), task);
}

/* The lists of a free slot are empty, and its counts of waiters 0: its last task has ended so. */
static void prepare(struct vg_task *task, struct vg_future *root, uintptr_t joiner,
                    const struct vg_place *place)
{
    VG_ASSERT(vg_wlist_empty(&task->ready) && task->inflight == 0);
    vg_store(&task->polls, 0, relaxed);
    vg_store(&task->fruitless, 0u, relaxed);
    vg_store(&task->joiner, joiner, relaxed);
    vg_store(&task->cancelled, (uint8_t)0, relaxed);
    vg_store(&task->name, root->ops->name, relaxed);
    vg_store(&task->place, place, relaxed);
    task->root = root;
    task->base = VG_WORD_S; /* nothing has been pushed */
    task->odd = 0;
}

/* Owned from the start. Release, all: a canceller or an observer finds the task whole. */
static void publish(struct vg_task *task, unsigned refs, uint64_t id)
{
    vg_store(&task->word, (uintptr_t)VG_WORD_S, release);
    vg_store(&task->refs, refs, release);
    vg_store(&task->id, id, release);
}

/* Counts the spawn; the id that follows from it is used once. The worker is the calling one; NULL: a thread outside. */
static uint64_t count_spawn(struct vg_exec *exec, struct vg_worker *worker)
{
    uint64_t count, index = VG_WORKERS_MAX;

    if (worker != NULL) {
        count = vg_load(&worker->counts.spawned, relaxed) + 1;
        vg_store(&worker->counts.spawned, count, relaxed);
        index = worker->index;
    } else {
        count = vg_fetch_add(&exec->outside.spawned, 1, relaxed) + 1; /* a pure counter */
    }
    return (count << 7 | index) << 1 | 1;
}

/* A worker's clock is that of its poll's begin. */
static uint64_t time_of(struct vg_exec *exec, const struct vg_worker *worker)
{
    return VG_LIKELY(worker != NULL && !worker->parked) ? worker->now : vg_exec_now(exec);
}

static inline __attribute__((always_inline)) int start(struct vg_task *task, struct vg_future *root,
                                                       unsigned refs, uintptr_t joiner,
                                                       const struct vg_place *place,
                                                       enum vg_place_in_queue where)
{
    struct vg_exec *const exec = task->exec;
    struct vg_worker *const worker = worker_of(exec);

    if (VG_UNLIKELY(vg_load(&exec->phase, relaxed) != VG_PHASE_RUNNING))
        return -ESHUTDOWN;
    vg_store(&task->woken_at, time_of(exec, worker), relaxed);
    prepare(task, root, joiner, place);
    publish(task, refs, count_spawn(exec, worker));
    if (worker != NULL)
        vg_enqueue_here(worker, task, where);
    else
        vg_enqueue(exec, task, where);
    return 0;
}

int vg_task_start(struct vg_task *task, struct vg_future *root, unsigned refs,
                  const struct vg_place *place)
{
    return start(task, root, refs, 0, place, refs > 1 ? VG_QUEUE_SCOPE : VG_QUEUE_BACK);
}

int vg_task_start_child(struct vg_task *task, struct vg_future *root, uintptr_t joiner,
                        const struct vg_place *place)
{
    return start(task, root, 1, joiner, place, VG_QUEUE_SCOPE);
}

int vg_task_start_blocking(struct vg_task *task, struct vg_future *root, uintptr_t joiner,
                           const struct vg_place *place)
{
    return start(task, root, 2, joiner, place, VG_QUEUE_BACK);
}

static VG_COLD int refuse(struct vg_future *root, struct vg_handle *handle, int rc)
{
    vg_task_discard(root);
    if (handle != NULL)
        handle->task = NULL;
    return rc;
}

int vg_spawn_at(struct vg_future *root, struct vg_handle *handle, const struct vg_place *place)
{
    struct vg_task *task = vg_task_of_frame(root);
    int rc;

    if (handle != NULL) {
        handle->task = task; /* before it runs: it may find its own handle in shared memory */
        rc = start(task, root, 2, 0, place, VG_QUEUE_SCOPE);
    } else {
        rc = start(task, root, 1, 0, place, VG_QUEUE_BACK);
    }
    return VG_LIKELY(rc == 0) ? 0 : refuse(root, handle, rc);
}

bool vg_task_try_ref(struct vg_task *task)
{
    uint32_t refs = vg_load(&task->refs, relaxed);

    do {
        if (refs == 0)
            return false;
        /* Acquire: pairs with the release in prepare(). */
    } while (!vg_cas(&task->refs, &refs, refs + 1, acq_rel, relaxed));
    return true;
}

static void free_task(struct vg_task *task)
{
    struct vg_exec *const exec = task->exec;

    vg_store(&task->id, vg_load(&task->id, relaxed) + 1, relaxed);
    vg_slab_free(&exec->slabs, cache_of(exec), task);
}

void vg_task_unref(struct vg_task *task)
{
    /* Release: our use of the task. Acquire, for who drops the last: everybody else's. */
    if (vg_fetch_sub(&task->refs, 1u, acq_rel) == 1)
        free_task(task);
}

bool vg_task_unref_only(struct vg_task *task)
{
    uint32_t only = 1;

    /* As in vg_task_unref(). */
    if (vg_load(&task->refs, relaxed) != 1 || !vg_cas(&task->refs, &only, 0u, acq_rel, relaxed))
        return false;
    free_task(task);
    return true;
}
