/* SPDX-License-Identifier: MIT */
#include <vigil/probe.h>

#include "task.h"
#include "vg_fault.h"
#include "worker.h"

/* How a poll ends: the task has finished, or suspends; and what is to be told to whom before. */

/* Tells each leaf, once for each wake, that its wake was held and not answered. */
static VG_COLD void pass_over(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_probe *const probe = task->exec->probe;
    struct vg_wnode *node;

    task->untold = false;
    for (node = vg_wnode_next(&task->skipped); node != &task->skipped; node = vg_wnode_next(node)) {
        struct vg_waiter *waiter = vg_waiter_of(node);
        struct vg_passed passed = {.task = task, .waiter = waiter, .pass = VG_PASS_NONE};

        if (waiter->flags & VG_W_TOLD)
            continue;
        waiter->flags |= VG_W_TOLD;
        if (waiter->fut->ops->passed_over != NULL)
            passed.pass = waiter->fut->ops->passed_over(waiter->fut, cx);
        if (probe != NULL)
            probe->passed_over(probe, vg_worker_of(cx)->index, &passed, cx->now);
    }
}

/* The oldest wake that was passed over; 0: none. */
static uint64_t oldest_owed(const struct vg_task *task)
{
    const struct vg_wnode *node;
    uint64_t oldest = 0, at;

    for (node = vg_wnode_next(&task->skipped); node != &task->skipped; node = vg_wnode_next(node)) {
        at = ((const struct vg_waiter *)(const void *)node)->woken_at;
        if (at != 0 && (oldest == 0 || at < oldest)) /* 0: it was cancelled, not woken */
            oldest = at;
    }
    return oldest;
}

static VG_COLD void update_owed(struct vg_cx *cx, bool owing)
{
    struct vg_task *const task = cx->task;

    vg_store(&task->owed_since, oldest_owed(task), relaxed);
    if (owing != task->owing)
        vg_count(&vg_worker_of(cx)->counts.owing, owing ? 1 : UINT64_MAX);
    task->owing = owing;
}

/* Publishes since when the task owes a poll to something that was woken. */
static inline void publish_owed(struct vg_cx *cx)
{
    const bool owing = !vg_wlist_empty(&cx->task->skipped);

    if (VG_UNLIKELY(owing || cx->task->owing))
        update_owed(cx, owing);
}

static void check_empty(const struct vg_task *task)
{
    if (vg_load(&task->armed, relaxed) > 0 || !vg_wlist_empty(&task->later) ||
        !vg_wlist_empty(&task->skipped) || !vg_wlist_empty(&task->ready))
        vg_panic("%s has ended, but a future below it is still armed: a leaf must vg_disarm() its "
                 "waiter before it is ready",
                 vg_load(&task->name, relaxed));
}

/* Gives the task back, unless it was woken meanwhile. */
static enum vg_poll_end give_back(struct vg_task *task)
{
    bool idle;

    (void)VG_FAULT("end");
    idle = vg_word_end(&task->word, &task->base);
    if (idle)
        (void)VG_FAULT("ended");
    return idle ? VG_END_IDLE : VG_END_REQUEUE;
}

static VG_COLD void finish_warily(struct vg_cx *cx)
{
    if (cx->cut)
        vg_worker_of(cx)->refused = 0;
    publish_owed(cx);
    vg_cx_clear(cx);
}

enum vg_poll_end vg_poll_finish(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_exec *const exec = task->exec;

    if (task->asked)
        vg_task_take_cancel_back(task);
    check_empty(task);
    if (vg_is_wary_at_end(cx))
        finish_warily(cx);
    if (task->inflight > 0) /* a waker is about to push one of our slots: stay until it has */
        return give_back(task);
    vg_word_finish(&task->word);
    vg_task_leave(task); /* it may be gone */
    /* Release: pairs with vg_exec_live(). */
    vg_store(&vg_worker_of(cx)->counts.finished,
             vg_load(&vg_worker_of(cx)->counts.finished, relaxed) + 1, release);
    if (VG_UNLIKELY(vg_load(&exec->phase, relaxed) != VG_PHASE_RUNNING))
        vg_exec_task_ended(exec);
    return VG_END_DONE;
}

static void report_fruitless(const struct vg_cx *cx, uint32_t visits)
{
    struct vg_probe *const probe = cx->task->exec->probe;
    const struct vg_fruitless fruitless = {
        .task = cx->task,
        .fut = cx->spinner,
        .self = cx->spins_itself,
        .visits = visits,
        .spun = cx->spun,
        .began = cx->began,
        .ended = vg_exec_now(cx->task->exec),
    };

    if (probe != NULL && probe->fruitless != NULL)
        probe->fruitless(probe, vg_worker_of(cx)->index, &fruitless);
}

/* Counts visits that came to nothing. Whoever spins uses up its poll with that: then the progress that others
 * in the same task make does not count for it. */
static void note_progress(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    uint32_t visits = vg_load(&task->fruitless, relaxed);

    if (VG_LIKELY(cx->spun == 0 || (cx->progress > 0 && cx->spun < VG_VISITS_MAX / 2))) {
        if (VG_UNLIKELY(visits > 0))
            vg_store(&task->fruitless, 0u, relaxed);
        task->spins = false;
        return;
    }
    visits = visits < UINT32_MAX - cx->spun ? visits + cx->spun : UINT32_MAX;
    vg_store(&task->fruitless, visits, relaxed);
    task->spins = true;
    if (VG_UNLIKELY(visits >= VG_FRUITLESS_MIN))
        report_fruitless(cx, visits);
}

/* Nothing can wake this task: whatever it waits for has no way to tell. */
static bool is_unarmed(const struct vg_task *task)
{
    return vg_load(&task->armed, relaxed) == 0 && task->inflight == 0 &&
           vg_wlist_empty(&task->skipped);
}

static VG_COLD void report_unarmed(struct vg_cx *cx, bool hangs)
{
    struct vg_probe *const probe = cx->task->exec->probe;
    const struct vg_unarmed unarmed = {.task = cx->task, .fut = cx->unarmed, .hangs = hangs};

    if (probe != NULL && probe->unarmed != NULL)
        probe->unarmed(probe, vg_worker_of(cx)->index, &unarmed, cx->now);
}

/* What a poll has to tell others before its task suspends. */
static VG_COLD void see_to(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_probe *const probe = task->exec->probe;

    /* A poll that stopped for its budget has decided nothing; but it may do so only once in a row. */
    task->cut = cx->cut && !task->cut;
    if (VG_UNLIKELY(task->untold && !task->cut))
        pass_over(cx);
    publish_owed(cx);
    note_progress(cx);
    if (VG_UNLIKELY(cx->cut))
        vg_record_refused(cx);
    if (task->fences > 0 && probe != NULL && probe->suspended != NULL)
        probe->suspended(probe, vg_worker_of(cx)->index, task, cx->now);
    if (cx->thread_locks > 0 && probe != NULL && probe->lock_across != NULL)
        probe->lock_across(probe, vg_worker_of(cx)->index, task, vg_worker_of(cx)->thread_lock,
                           cx->now);
}

static VG_COLD enum vg_poll_end suspend_warily(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    bool more, hangs;

    see_to(cx);
    more = !vg_wlist_empty(&task->later) || !vg_wlist_empty(&task->ready);
    hangs = !more && is_unarmed(task);
    if (hangs || cx->unarmed != NULL)
        report_unarmed(cx, hangs);
    vg_cx_clear(cx);
    if (!more)
        return give_back(task);
    if (!vg_wlist_empty(&task->ready))
        vg_count(&vg_worker_of(cx)->counts.cuts, 1);
    vg_task_renew(task, &task->later);
    return VG_END_REQUEUE;
}

enum vg_poll_end vg_poll_suspend(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;

    if (vg_is_wary_at_end(cx))
        return suspend_warily(cx);
    if (!vg_wlist_empty(&task->later)) {
        vg_wlist_splice(&task->ready, &task->later); /* without fences there is nothing to renew */
        return VG_END_REQUEUE;
    }
    return VG_UNLIKELY(is_unarmed(task)) ? suspend_warily(cx) : give_back(task);
}
