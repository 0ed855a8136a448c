/* SPDX-License-Identifier: MIT */
#include <vigil/exec.h>

#include <errno.h>

#include "task.h"
#include "worker.h"

/*
 * Waiting for a task, cancelling it, letting it go. See task.h for `joiner`, `cancelled` and `refs`.
 */

static void release_joiner(struct vg_task *task)
{
    /* Release: the frame's results, for the acquire of whoever sees JOINED. Acquire: the waiter. */
    const uintptr_t joiner = vg_xchg(&task->joiner, VG_JOINED, acq_rel);
    struct vg_notice notice;

    if (joiner == 0)
        return;
    if (joiner & VG_JOINER_THREAD) {
        vg_block_release((VG_ATOMIC(uint32_t) *)(joiner & ~VG_JOINER_THREAD), VG_BLOCK_DONE);
        return;
    }
    notice = vg_wake((struct vg_waiter *)joiner);
    if (notice.task != NULL) /* on top of its other children: see ARCHITECTURE.md */
        vg_enqueue(notice.task->exec, notice.task, VG_QUEUE_SCOPE);
}

void vg_task_leave(struct vg_task *task)
{
    const uintptr_t joiner = vg_load(&task->joiner, relaxed); /* a scope is set by the spawn */

    if (joiner & VG_JOINER_SCOPE) {
        vg_scope_leave(task, joiner);
        return;
    }
    if (joiner == 0 && vg_task_unref_only(task)) /* nobody waits, or will */
        return;
    release_joiner(task);
    vg_task_unref(task);
}

bool vg_task_done(const struct vg_handle *handle)
{
    /* Pairs with the exchange in release_joiner(). */
    return vg_load(&handle->task->joiner, acquire) == VG_JOINED;
}

static vg_poll start_wait(struct vg_task_wait *wait, struct vg_cx *cx)
{
    uintptr_t none = 0;

    if (wait->fut.flags & VG_F_CANCEL) {
        wait->ret = -ECANCELED;
        return VG_READY;
    }
    /* Pairs with the exchange in release_joiner(). */
    if (vg_load(&wait->task->joiner, acquire) == VG_JOINED)
        return (vg_poll){vg_coop(&wait->waiter, &wait->fut, cx)};
    vg_arm(&wait->waiter, &wait->fut, cx);
    /* Release: the waiter, for the task that finishes. Acquire: its results, if it just has. */
    if (vg_cas(&wait->task->joiner, &none, (uintptr_t)&wait->waiter, acq_rel, acquire))
        return VG_PENDING;
    if (none != VG_JOINED)
        vg_panic("two waits for one task");
    vg_disarm(&wait->waiter, cx);
    return VG_READY;
}

static vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_task_wait *wait = (struct vg_task_wait *)(void *)fut;

    if (wait->waiter.task == NULL)
        return start_wait(wait, cx);
    if (wait->waiter.flags & VG_W_ARMED)
        return VG_PENDING;
    vg_disarm(&wait->waiter, cx);
    wait->ret = wait->waiter.woken_at != 0 ? 0 : -ECANCELED;
    return VG_READY;
}

static void wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_task_wait *wait = (struct vg_task_wait *)(void *)fut;
    uintptr_t joiner = (uintptr_t)&wait->waiter;

    /* Lost to release_joiner(): the wake is coming. */
    if (wait->waiter.flags & VG_W_ARMED &&
        vg_cas(&wait->task->joiner, &joiner, (uintptr_t)0, acq_rel, relaxed))
        vg_kick(&wait->waiter, cx);
}

static const struct vg_resource_ops resource_ops = {.kind = "task"};
static struct vg_resource the_end = {.ops = &resource_ops, .name = "end"};

static bool wait_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_task_wait *self = (const struct vg_task_wait *)(const void *)fut;

    *wait = (struct vg_wait){
        .resource = &the_end,
        .want = 1,
        .state = VG_WAIT_QUEUED,
        .by = VG_BY_TASK,
        .task = vg_load(&self->task->id, relaxed),
    };
    return true;
}

static const struct vg_ops wait_ops = {
    .poll = wait_poll,
    .cancel = wait_cancel,
    .waits = wait_waits,
    .is_held = true,
    .name = "task_wait",
    .size = sizeof(struct vg_task_wait),
    .kind = VG_KIND_LEAF,
};

struct vg_task_wait *vg_task_wait(struct vg_task_wait *wait, const struct vg_handle *handle)
{
    VG_ASSERT(handle->task != NULL);
    vg_future_init(&wait->fut, &wait_ops);
    wait->ret = 0;
    wait->task = handle->task;
    wait->waiter.task = NULL;
    wait->waiter.flags = 0;
    return wait;
}

void *vg_task_frame(const struct vg_handle *handle)
{
    if (!vg_task_done(handle))
        vg_panic("the result of %s is read before it has ended",
                 vg_load(&handle->task->name, relaxed));
    return handle->task->root;
}

bool vg_task_ask_cancel(struct vg_task *task)
{
    /* Acquire and release: the one who sets it goes on to push the waiter. */
    if (vg_xchg(&task->cancelled, (uint8_t)1, acq_rel) != 0)
        return false;
    if (vg_word_push(&task->word, &task->cancel) != VG_PUSH_ENQUEUE)
        return true;
    vg_store(&task->woken_at, vg_exec_now(task->exec), relaxed);
    vg_enqueue(task->exec, task, VG_QUEUE_BACK);
    return true;
}

void vg_task_cancel(const struct vg_handle *handle)
{
    VG_ASSERT(handle->task != NULL);
    (void)vg_task_ask_cancel(handle->task);
}

void vg_task_release(struct vg_handle *handle)
{
    if (handle->task != NULL)
        vg_task_unref(handle->task);
    handle->task = NULL;
}
