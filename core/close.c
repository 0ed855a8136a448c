/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/exec.h>

#include <stdio.h>

#include "worker.h"

/* How often the closer looks again for tasks that slipped in while it closed. */
#define LOOK_AGAIN_NS VG_MSEC(10)

enum { LISTED_MAX = 16 };

void vg_exec_task_ended(struct vg_exec *exec)
{
    vg_fetch_add(&exec->ended, 1u, acq_rel); /* pairs with the closer's load */
    vg_os_wake(&exec->ended, 1);
}

static bool cancel_one(struct vg_task *task, void *arg)
{
    (void)arg;
    if (vg_task_try_ref(task)) {
        (void)vg_task_ask_cancel(task);
        vg_task_unref(task);
    }
    return true;
}

static void drain(struct vg_exec *exec, uint64_t deadline)
{
    struct vg_driver *const driver = exec->driver;
    uint64_t now;
    uint32_t ended;

    while (ended = vg_load(&exec->ended, acquire), vg_exec_live(exec) > 0) {
        now = vg_exec_now(exec);
        if (now >= deadline)
            return;
        vg_slab_each(&exec->slabs, cancel_one, NULL);
        if (driver->ops->step == NULL)
            vg_os_wait(&exec->ended, ended,
                       deadline - now < LOOK_AGAIN_NS ? deadline : now + LOOK_AGAIN_NS);
        else if (!driver->ops->step(driver, exec))
            return;
    }
}

/* The workers have stopped: every frame may be read. */
static bool list_one(struct vg_task *task, void *arg)
{
    const struct vg_place *place = vg_load(&task->place, relaxed);
    unsigned *listed = arg;
    const struct vg_site *site;
    const struct vg_future *fut = task->root;
    struct vg_future *child;

    if (!(vg_load(&task->id, relaxed) & 1) || vg_load(&task->joiner, relaxed) == VG_JOINED)
        return true;
    while (fut->ops->kind == VG_KIND_ASYNC && (child = fut->ops->child(fut, 0)) != NULL &&
           child->state == VG_RUNNING && child->ops->kind == VG_KIND_ASYNC)
        fut = child;
    site = vg_site_of(fut);
    fprintf(stderr, "vigil:   task %s", vg_load(&task->name, relaxed));
    if (place != NULL)
        fprintf(stderr, ", spawned at %s:%d", place->file, place->line);
    if (site != NULL)
        fprintf(stderr, ", awaits %s at %s:%d", site->expr, site->file, site->line);
    fputc('\n', stderr);
    return ++*listed < LISTED_MAX;
}

static void report_left(struct vg_exec *exec, uint64_t left)
{
    unsigned listed = 0;

    fprintf(stderr, "vigil: %s closes with %llu tasks that did not end in time\n", exec->name,
            (unsigned long long)left);
    vg_slab_each(&exec->slabs, list_one, &listed);
}

/* The workers have stopped. */
static bool check_handle(struct vg_task *task, void *arg)
{
    (void)arg;
    if (vg_load(&task->id, acquire) & 1 && vg_load(&task->joiner, acquire) == VG_JOINED &&
        vg_load(&task->refs, acquire) > 0)
        vg_panic("the handle of %s, which has ended, was not released before vg_exec_close()",
                 vg_load(&task->name, relaxed));
    return true;
}

/* A thread in vg_block_on() whose future will not end any more. */
static bool release_thread(struct vg_task *task, void *arg)
{
    const uintptr_t joiner = vg_load(&task->joiner, relaxed);

    (void)arg;
    if (vg_load(&task->id, acquire) & 1 && joiner & VG_JOINER_THREAD)
        vg_block_release((VG_ATOMIC(uint32_t) *)(joiner & ~VG_JOINER_THREAD), VG_BLOCK_LEFT);
    return true;
}

int vg_exec_close(struct vg_exec *exec, uint64_t drain_ns)
{
    const uint64_t now = vg_exec_now(exec);
    uint64_t left;

    if (vg_worker_here != NULL && vg_worker_here->exec == exec)
        vg_panic("a task closes the executor that it runs on");
    vg_store(&exec->phase, VG_PHASE_CLOSING, release);
    drain(exec, drain_ns < VG_NEVER - now ? now + drain_ns : VG_NEVER);
    vg_exec_stop_workers(exec);
    left = vg_exec_live(exec);
    if (left > 0 && !exec->quiet)
        report_left(exec, left);
    if (left > 0)
        vg_slab_each(&exec->slabs, release_thread, NULL);
    /* Pairs with the releases of those who leave: nobody comes any more, or rings a worker. */
    while (vg_load(&exec->guests, acquire) > 0)
        vg_os_yield();
    if (left == 0)
        vg_slab_each(&exec->slabs, check_handle, NULL);
    vg_exec_destroy(exec, left > 0);
    return left > INT32_MAX ? INT32_MAX : (int)left;
}
