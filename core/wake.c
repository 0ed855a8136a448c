/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/future.h>

#include "armed.h"
#include "slot.h"
#include "task.h"
#include "vg_fault.h"
#include "worker.h"

/* Counts it among those that wait for what others hold, or no longer. */
static void hold(struct vg_waiter *waiter, struct vg_task *task, uint32_t more)
{
    waiter->flags ^= VG_W_HELD;
    vg_store(&task->held, vg_load(&task->held, relaxed) + more, relaxed);
    if (vg_worker_here != NULL)
        vg_count(&vg_worker_here->counts.held, (uint64_t)(int32_t)more);
}

void vg_unarmed(struct vg_waiter *waiter, struct vg_task *task)
{
    vg_store(&task->armed, vg_load(&task->armed, relaxed) - 1, relaxed);
    if (waiter->flags & VG_W_HELD)
        hold(waiter, task, UINT32_MAX);
}

static inline void check_free(const struct vg_waiter *waiter, const struct vg_future *fut)
{
    if (VG_UNLIKELY((uintptr_t)waiter % 16 != 0))
        vg_panic("the waiter of %s is not aligned to 16 bytes", fut->ops->name);
    if (VG_UNLIKELY(waiter->flags & (VG_W_ARMED | VG_W_OWED)))
        vg_panic("the waiter of %s is armed twice", fut->ops->name);
}

void vg_arm(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx)
{
    check_free(waiter, fut);
    waiter->task = cx->task;
    waiter->fut = fut;
    waiter->woken_at = 0;
    waiter->woken_by = 0;
    waiter->woken_from = NULL;
    waiter->hops = 0;
    waiter->queued = 0;
    waiter->flags = VG_W_ARMED | (waiter->flags & VG_W_SLOT);
    vg_mark_armed(waiter);
    vg_store(&cx->task->armed, vg_load(&cx->task->armed, relaxed) + 1, relaxed);
    if (fut->ops->is_held)
        hold(waiter, cx->task, 1);
    cx->armings++;
}

/* Puts a collected or kicked waiter on one of the task's lists. */
static void owe(struct vg_task *task, struct vg_wnode *list, struct vg_waiter *waiter)
{
    if (waiter->flags & VG_W_ARMED)
        vg_unarmed(waiter, task);
    waiter->flags = (uint8_t)((waiter->flags & ~VG_W_ARMED) | VG_W_OWED);
    waiter->seq = task->takes;
    vg_wlist_append(list, &waiter->node);
}

void vg_task_renew(struct vg_task *task, struct vg_wnode *list)
{
    struct vg_wnode *node;

    for (node = vg_wnode_next(list); node != list; node = vg_wnode_next(node))
        vg_waiter_of(node)->seq = task->takes;
    vg_wlist_splice(&task->ready, list);
}

void vg_task_unskip(struct vg_task *task)
{
    vg_task_renew(task, &task->skipped);
}

/* A fired slot whose future ended before its waiter arrived. */
static void collect_orphan(struct vg_task *task, struct vg_waiter *waiter)
{
    task->inflight--;
    vg_slot_recycle((struct vg_slot *)(void *)waiter);
}

void vg_task_take_seen(struct vg_task *task, uintptr_t seen, struct vg_cx *cx)
{
    struct vg_wnode *node = vg_word_take_seen(&task->word, &task->base, seen), *next;

    for (; node != NULL; node = next) {
        struct vg_waiter *waiter = vg_waiter_of(node);

        next = vg_wnode_next(node);
        if (VG_UNLIKELY(node == &task->cancel)) {
            task->asked = true;
            cx->wary |= VG_WARY_ODD;
            vg_wlist_append(&task->ready, node);
        } else if (VG_UNLIKELY(waiter->fut == NULL)) {
            collect_orphan(task, waiter);
        } else {
            owe(task, &task->ready, waiter);
        }
    }
}

void vg_disarm(struct vg_waiter *waiter, struct vg_cx *cx)
{
    if (VG_LIKELY(!(waiter->flags & (VG_W_ARMED | VG_W_OWED)))) { /* its wake has been visited */
        waiter->flags &= VG_W_SLOT;
        return;
    }
    /* Woken, but not collected: it is on the stack, for the source has finished its push. */
    if (waiter->flags & VG_W_ARMED && waiter->woken_at != 0) {
        (void)VG_FAULT("disarm");
        vg_task_take(cx->task, cx);
    }
    if (waiter->flags & VG_W_OWED) {
        vg_record_wait(waiter, cx); /* answered, but not by a visit of its own */
        vg_wlist_remove(&waiter->node);
        vg_mark_spent(waiter);
    } else if (waiter->flags & VG_W_ARMED) {
        vg_unarmed(waiter, cx->task);
        vg_mark_spent(waiter);
    }
    waiter->flags &= VG_W_SLOT;
}

void vg_kick(struct vg_waiter *waiter, struct vg_cx *cx)
{
    VG_ASSERT(!(waiter->flags & VG_W_SLOT)); /* its wakers would push it again */
    if (waiter->flags & VG_W_ARMED && waiter->woken_at == 0)
        owe(cx->task, &cx->task->ready, waiter);
}

void vg_progress(struct vg_cx *cx)
{
    cx->progress++;
}

bool vg_coop(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx)
{
    if (VG_LIKELY(cx->budget-- > 0)) {
        cx->progress++;
        return true;
    }
    cx->cut = true;
    cx->wary |= VG_WARY_END;
    vg_worker_of(cx)->refused++;
    vg_worker_of(cx)->refused_fut = fut;
    vg_defer(waiter, fut, cx);
    return false;
}

bool vg_spend_(const struct vg_future *fut, struct vg_cx *cx)
{
    if (VG_UNLIKELY(cx->budget <= 0 || vg_cancelled(fut)))
        return false;
    cx->budget--;
    cx->progress++;
    return true;
}

void vg_defer(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx)
{
    const uint8_t flags = waiter->flags & VG_W_SLOT;

    check_free(waiter, fut);
    vg_defer_unused(waiter, fut, cx);
    waiter->flags |= flags;
}

/* A wake that is made for a reason ends the row: something has got on, or came from outside. */
static uint8_t hops_of(const struct vg_cx *cx)
{
    if (cx->progress > 0)
        return 0;
    return cx->hops < UINT8_MAX ? (uint8_t)(cx->hops + 1) : UINT8_MAX;
}

/* Who wakes, and when: a worker's clock is that of its poll's begin. */
static void stamp(struct vg_waiter *waiter, const struct vg_worker *worker)
{
    const struct vg_cx *cx = worker != NULL ? worker->cx : NULL;

    if (cx != NULL) {
        waiter->woken_at = cx->now;
        waiter->woken_by = cx->id;
        waiter->woken_from = vg_site_of(cx->self);
        waiter->hops = hops_of(cx);
    } else if (worker != NULL && !worker->parked) {
        waiter->woken_at = worker->now;
    } else {
        waiter->woken_at = vg_exec_now(waiter->task->exec);
    }
    if (waiter->woken_at == 0)
        waiter->woken_at = 1;
}

static void count_wake(struct vg_worker *worker, enum vg_push push)
{
    enum vg_wake_kind kind = worker->cx != NULL ? VG_WAKE_TASK_FIRST : VG_WAKE_DRIVER_FIRST;

    if (push == VG_PUSH_NOTED)
        kind = worker->cx != NULL ? VG_WAKE_TASK_COALESCED : VG_WAKE_DRIVER_COALESCED;
    vg_count(&worker->counts.wakes[kind], 1);
}

struct vg_notice vg_waiter_push(struct vg_waiter *waiter)
{
    struct vg_worker *const worker = vg_worker_here;
    struct vg_task *const task = waiter->task;
    enum vg_push push;
    uint64_t now;

    if (VG_UNLIKELY(waiter->woken_at != 0))
        vg_panic("the waiter of %s is woken twice for one arming", waiter->fut->ops->name);
    stamp(waiter, worker);
    now = waiter->woken_at;
    if (worker != NULL && worker->cx != NULL && worker->cx->task == task) {
        owe(task, &task->ready, waiter); /* by the very poll that will visit it */
        vg_count(&worker->counts.wakes[VG_WAKE_SELF], 1);
        return (struct vg_notice){NULL};
    }
    (void)VG_FAULT("push");
    push = vg_word_push(&task->word, &waiter->node);
    if (worker != NULL)
        count_wake(worker, push);
    if (push != VG_PUSH_ENQUEUE)
        return (struct vg_notice){NULL};
    /* From here on the caller owns the task, and the waiter is not its any more. */
    vg_store(&task->woken_at, now, relaxed);
    return (struct vg_notice){task};
}

struct vg_notice vg_wake(struct vg_waiter *waiter)
{
    vg_check_armed(waiter);
    return vg_waiter_push(waiter);
}

void vg_notify(struct vg_notice notice)
{
    (void)VG_FAULT("notify");
    if (notice.task != NULL)
        vg_enqueue(notice.task->exec, notice.task, VG_QUEUE_WARM);
}
