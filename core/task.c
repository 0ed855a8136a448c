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

static struct vg_slab_cache *cache_of(const struct vg_exec *exec)
{
    return vg_worker_here != NULL && vg_worker_here->exec == exec ? vg_worker_here->cache : NULL;
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

static void prepare(struct vg_task *task, uint64_t id, struct vg_future *root, unsigned refs,
                    uintptr_t joiner, const struct vg_place *place)
{
    vg_store(&task->woken_at, vg_worker_here != NULL ? vg_now() : vg_exec_now(task->exec), relaxed);
    vg_store(&task->owed_since, 0, relaxed);
    vg_store(&task->polls, 0, relaxed);
    vg_store(&task->fruitless, 0u, relaxed);
    vg_store(&task->joiner, joiner, relaxed);
    vg_store(&task->cancelled, (uint8_t)0, relaxed);
    vg_store(&task->name, root->ops->name, relaxed);
    vg_store(&task->place, place, relaxed);
    task->root = root;
    task->base = 0;
    vg_wlist_init(&task->ready);
    vg_wlist_init(&task->later);
    vg_wlist_init(&task->skipped);
    vg_store(&task->armed, 0u, relaxed);
    vg_store(&task->held, 0u, relaxed);
    task->inflight = task->takes = task->odd = 0;
    task->asked = false;
    /* Owned from the start. Release, both: a canceller or an observer finds the task whole. */
    vg_store(&task->word, (uintptr_t)VG_WORD_S, release);
    vg_store(&task->refs, refs, release);
    vg_store(&task->id, id, release);
}

/* Counts the spawn; the id that follows from it is used once. */
static uint64_t count_spawn(struct vg_exec *exec)
{
    uint64_t count, worker = VG_WORKERS_MAX;

    if (cache_of(exec) != NULL) {
        vg_count(&vg_worker_here->counts.spawned, 1);
        count = vg_load(&vg_worker_here->counts.spawned, relaxed);
        worker = vg_worker_here->index;
    } else {
        count = vg_fetch_add(&exec->outside.spawned, 1, relaxed) + 1; /* a pure counter */
    }
    return (count << 7 | worker) << 1 | 1;
}

static int start(struct vg_task *task, struct vg_future *root, unsigned refs, uintptr_t joiner,
                 const struct vg_place *place, enum vg_place_in_queue where)
{
    struct vg_exec *const exec = task->exec;

    if (VG_UNLIKELY(vg_load(&exec->phase, relaxed) != VG_PHASE_RUNNING))
        return -ESHUTDOWN;
    prepare(task, count_spawn(exec), root, refs, joiner, place);
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

int vg_spawn_at(struct vg_future *root, struct vg_handle *handle, const struct vg_place *place)
{
    struct vg_task *task = vg_task_of_frame(root);
    int rc;

    if (handle != NULL)
        handle->task = task; /* before it runs: it may find its own handle in shared memory */
    rc = vg_task_start(task, root, handle != NULL ? 2 : 1, place);
    if (rc < 0) {
        vg_task_discard(root);
        if (handle != NULL)
            handle->task = NULL;
    }
    return rc;
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
