/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/probe.h>

#include "worker.h"

uint64_t vg_exec_sum(const struct vg_exec *exec, size_t offset)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i <= exec->workers_count; i++) {
        const struct vg_counts *counts =
            i < exec->workers_count ? &exec->workers[i].counts : &exec->outside;

        /* Acquire: a count of ends implies the spawns that came before them (see vg_exec_live()). */
        sum +=
            vg_load((VG_ATOMIC(uint64_t) *)(void *)((char *)(uintptr_t)counts + offset), acquire);
    }
    return sum;
}

uint64_t vg_exec_live(const struct vg_exec *exec)
{
    /* Ends first: each was counted (release) after the spawn that led to it. */
    const uint64_t finished = vg_exec_sum(exec, offsetof(struct vg_counts, finished));

    return vg_exec_sum(exec, offsetof(struct vg_counts, spawned)) - finished;
}

/* Of a counter that goes up on one worker and down on another. */
static uint64_t balance(const struct vg_exec *exec, size_t offset)
{
    const uint64_t sum = vg_exec_sum(exec, offset);

    return (int64_t)sum < 0 ? 0 : sum; /* not a consistent cut */
}

uint64_t vg_exec_owing(const struct vg_exec *exec)
{
    return balance(exec, offsetof(struct vg_counts, owing));
}

uint64_t vg_exec_held(const struct vg_exec *exec)
{
    return balance(exec, offsetof(struct vg_counts, held));
}

unsigned vg_exec_workers(const struct vg_exec *exec)
{
    return exec->workers_count;
}

struct vg_exec *vg_exec_current(void)
{
    return vg_worker_here != NULL ? vg_worker_here->exec : NULL;
}

uint64_t vg_exec_now(const struct vg_exec *exec)
{
    return exec->driver->ops->now(exec->driver);
}

bool vg_exec_heals(const struct vg_exec *exec)
{
    return exec->heals;
}

const char *vg_exec_name(const struct vg_exec *exec)
{
    return exec->name;
}

void vg_exec_sites(const struct vg_exec *exec, const struct vg_site **begin,
                   const struct vg_site **end)
{
    *begin = exec->sites;
    *end = exec->sites_end;
}

uint64_t vg_exec_next_deadline(struct vg_exec *exec)
{
    uint64_t next = VG_NEVER;
    unsigned i;

    for (i = 0; i < exec->workers_count; i++) {
        const uint64_t deadline = vg_wheel_deadline(&exec->workers[i].wheel);

        next = deadline < next ? deadline : next;
    }
    return next;
}

struct vg_driver_here vg_driver_here(void)
{
    const struct vg_worker *worker = vg_worker_here;

    if (worker == NULL || worker->cx == NULL)
        vg_panic("I/O outside a task");
    return (struct vg_driver_here){worker->exec->driver, worker->index};
}

/* ---- tasks ---------------------------------------------------------------------------------- */

struct each {
    bool (*visit)(struct vg_task *task, void *arg);
    void *arg;
};

static bool visit_live(struct vg_task *task, void *arg)
{
    const struct each *each = arg;

    /* Acquire: pairs with the release in prepare(). */
    return !(vg_load(&task->id, acquire) & 1) || each->visit(task, each->arg);
}

void vg_exec_each_task(struct vg_exec *exec, bool (*visit)(struct vg_task *task, void *arg),
                       void *arg)
{
    struct each each = {visit, arg};

    vg_slab_each(&exec->slabs, visit_live, &each);
}

void vg_task_info(struct vg_task *task, struct vg_task_info *info)
{
    const uintptr_t word = vg_load(&task->word, relaxed);
    const uint64_t stamp = vg_load(&task->woken_at, relaxed);
    const bool polled = (int64_t)stamp < 0; /* since it was woken: see task.h */

    info->id = vg_load(&task->id, relaxed);
    info->name = vg_load(&task->name, relaxed);
    info->spawned = vg_load(&task->place, relaxed);
    info->polls = vg_load(&task->polls, relaxed);
    info->woken_at = word & VG_WORD_S && !polled ? stamp : 0;
    info->polled_at = polled ? ~stamp : 0;
    info->owed_since = vg_load(&task->owed_since, relaxed);
    info->fruitless = vg_load(&task->fruitless, relaxed);
    info->armed = vg_load(&task->armed, relaxed);
    info->held = vg_load(&task->held, relaxed);
    info->running = (word & VG_WORD_S) != 0;
    info->ended = vg_load(&task->joiner, relaxed) == VG_JOINED;
}

bool vg_inspect_begin(struct vg_task *task)
{
    return vg_word_claim(&task->word);
}

void vg_inspect_end(struct vg_task *task)
{
    if (vg_word_unclaim(&task->word))
        return;
    vg_store(&task->woken_at, vg_exec_now(task->exec), relaxed); /* queued, as of now */
    vg_enqueue(task->exec, task, VG_QUEUE_BACK);
}

struct vg_future *vg_task_root(struct vg_task *task)
{
    return task->root;
}

struct vg_waiter *vg_task_owed(struct vg_task *task, unsigned i)
{
    struct vg_wnode *node = vg_wnode_next(&task->skipped);

    for (; node != &task->skipped && i > 0; i--)
        node = vg_wnode_next(node);
    return node != &task->skipped ? vg_waiter_of(node) : NULL;
}

/* ---- frames --------------------------------------------------------------------------------- */

const struct vg_future *vg_frame_of(const struct vg_future *fut)
{
    while (fut != NULL && fut->ops->kind != VG_KIND_ASYNC)
        fut = fut->up;
    return fut;
}

const struct vg_site *vg_site_of(const struct vg_future *fut)
{
    const struct vg_future *frame = vg_frame_of(fut);

    return frame != NULL ? ((const struct vg_async *)(const void *)frame)->at : NULL;
}

struct vg_future *vg_frame_background(const struct vg_future *frame, unsigned i)
{
    struct vg_future *fut = ((const struct vg_async *)(const void *)frame)->bg;

    for (; fut != NULL && i > 0; i--)
        fut = fut->next;
    return fut;
}

const struct vg_future *vg_fence_above(const struct vg_future *fut)
{
    const struct vg_future *fence = NULL;

    for (; fut != NULL; fut = fut->up) {
        if (fut->state == VG_PARKED)
            return fut;
        if (fut->ops->kind == VG_KIND_OPAQUE)
            fence = fut;
    }
    return fence;
}

void vg_thread_lock_taken(struct vg_resource *lock)
{
    struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;

    if (cx == NULL)
        return;
    cx->thread_locks++;
    cx->wary |= VG_WARY_ODD;
    vg_worker_of(cx)->thread_lock = lock;
}

/* One that an earlier poll has taken was reported then. */
void vg_thread_lock_given(struct vg_resource *lock)
{
    struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;

    (void)lock;
    if (cx != NULL && cx->thread_locks > 0)
        cx->thread_locks--;
}

void vg_thread_blocks(const struct vg_resource *lock, uint64_t owner)
{
    struct vg_pulse *pulse = vg_worker_here != NULL ? &vg_worker_here->pulse : NULL;

    if (pulse == NULL)
        return;
    vg_store(&pulse->blocks_owner, owner, relaxed);
    vg_store(&pulse->blocks_on, lock != NULL ? (lock->name != NULL ? lock->name : "") : NULL,
             relaxed);
}

uint64_t vg_task_id_here(const struct vg_cx *cx)
{
    return cx->id;
}

struct vg_owner vg_owner_here(const struct vg_future *leaf, struct vg_cx *cx)
{
    return (struct vg_owner){
        .task = vg_load(&cx->task->id, relaxed),
        .frame = vg_frame_of(leaf),
        .site = vg_site_of(leaf),
    };
}

void vg_wakes_begin(struct vg_resource *resource)
{
    struct vg_worker *worker = vg_worker_here;

    if (worker == NULL || worker->cx == NULL || worker->waking != NULL)
        return;
    worker->waking = resource;
    worker->cx->wary |= VG_WARY_WAKES;
}

void vg_wakes_end(struct vg_resource *resource)
{
    struct vg_worker *worker = vg_worker_here;

    if (worker == NULL || worker->cx == NULL || worker->waking != resource)
        return;
    worker->waking = NULL;
    worker->cx->wary &= (uint8_t)~VG_WARY_WAKES;
}

void vg_gave_here(void)
{
    struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;

    if (cx != NULL && cx->self != NULL)
        vg_carry_(cx->self, false);
}

struct vg_owner vg_owner_current(void)
{
    struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;

    return cx != NULL ? vg_owner_here(cx->self, cx) : (struct vg_owner){0};
}
