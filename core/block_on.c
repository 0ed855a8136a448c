/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/exec.h>

#include "worker.h"

void vg_block_release(VG_ATOMIC(uint32_t) *word, uint32_t how)
{
    /* Release: the task's results. Afterwards the word may be gone; waking an address nobody waits at is
     * harmless. */
    vg_store(word, how, release);
    vg_os_wake(word, 1);
}

static void wait_for_threads(VG_ATOMIC(uint32_t) *word)
{
    while (vg_load(word, acquire) == 0) /* pairs with vg_block_release() */
        vg_os_wait(word, 0, VG_NEVER);
}

/* Runs the world on this thread; false: it stands still. */
static bool step_until(struct vg_exec *exec, VG_ATOMIC(uint32_t) *word)
{
    while (vg_load(word, acquire) == 0)
        if (!exec->driver->ops->step(exec->driver, exec))
            return vg_load(word, acquire) != 0;
    return true;
}

static int block_on(struct vg_exec *exec, struct vg_future *fut)
{
    static const struct vg_place place = {__FILE__, "vg_block_on", __LINE__};
    _Alignas(16) VG_ATOMIC(uint32_t) word = 0;
    struct vg_task *task;
    int rc;

    if (vg_worker_here != NULL && vg_worker_here->exec == exec)
        vg_panic("a task blocks on the executor that it runs on");
    task = vg_task_new(exec, 0);
    if (task == NULL)
        return -ENOMEM;
    rc = vg_task_start_blocking(task, fut, (uintptr_t)&word | VG_JOINER_THREAD, &place);
    if (rc < 0) {
        vg_task_discard(vg_task_frame_of(task));
        return rc;
    }
    if (exec->driver->ops->step == NULL)
        wait_for_threads(&word);
    else if (!step_until(exec, &word))
        rc = -EDEADLK;
    if (vg_load(&word, relaxed) == VG_BLOCK_LEFT)
        rc = -ESHUTDOWN;
    else if (rc < 0)
        vg_store(&task->joiner, (uintptr_t)0,
                 relaxed); /* the world stands still: nobody else is there */
    vg_task_unref(task);
    return rc;
}

int vg_block_on(struct vg_exec *exec, struct vg_future *fut)
{
    int rc;

    /* See inject(): the task may end, and the executor be closed, while this thread is on its way out. */
    vg_fetch_add(&exec->guests, 1u, acq_rel);
    rc = block_on(exec, fut);
    vg_fetch_sub(&exec->guests, 1u, acq_rel);
    return rc;
}
