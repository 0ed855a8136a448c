/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/probe.h>

#include "armed.h"
#include "task.h"
#include "vg_fault.h"
#include "worker.h"

/*
 * One poll of a task: visit each waiter that was woken, in the order of the wakes. A visit polls the waiter's
 * leaf and, as long as something ends, whoever waits for it.
 */

static void skip(struct vg_task *task, struct vg_waiter *waiter)
{
    vg_wlist_remove(&waiter->node);
    vg_wlist_append(&task->skipped, &waiter->node);
    if (!(waiter->flags & VG_W_TOLD))
        task->untold = true;
}

/*
 * Looks for what keeps this wake from its leaf. True: a parked ancestor. Otherwise *gate is the outermost
 * opaque ancestor, if there is one.
 */
static bool is_fenced(struct vg_future *fut, struct vg_future **gate)
{
    for (*gate = NULL; fut != NULL; fut = fut->up) {
        if (fut->state == VG_PARKED)
            return true;
        if (fut->ops->kind == VG_KIND_OPAQUE)
            *gate = fut;
    }
    return false;
}

static vg_poll poll_node(struct vg_future *node, struct vg_cx *cx)
{
    vg_poll result;

    cx->self = node;
    result = node->ops->poll(node, cx);
    cx->self = NULL;
    return result;
}

/* Polls the node and, as long as it ends, whoever waits for it. */
static void climb(struct vg_future *node, struct vg_cx *cx)
{
    while (node != NULL && poll_node(node, cx).ready) {
        const bool awaited = node->state == VG_RUNNING;

        if (!awaited)
            vg_future_unlist(node);
        vg_future_finish(node, cx);
        node = awaited ? node->up : NULL;
    }
}

static void climb_from_gate(struct vg_future *gate, struct vg_cx *cx)
{
    struct vg_future *up = NULL;

    gate->seq = ++cx->task->takes;
    cx->rootdown = true;
    if (poll_node(gate, cx).ready) {
        if (gate->state == VG_RUNNING)
            up = gate->up;
        else
            vg_future_unlist(gate);
        vg_future_finish(gate, cx);
    }
    cx->rootdown = false;
    climb(up, cx);
}

/* Whether the gate's last entry is among those after the wake was taken. The counter wraps. */
static bool entered_since(const struct vg_future *gate, const struct vg_waiter *waiter,
                          const struct vg_task *task)
{
    return gate->seq - waiter->seq - 1 < task->takes - waiter->seq;
}

/* The answer to a wake: polls the node, on behalf of the leaf `fut` that was woken. */
static void answer(const struct vg_waiter *waiter, struct vg_future *node, struct vg_cx *cx,
                   void (*poll)(struct vg_future *node, struct vg_cx *cx))
{
    const bool self = waiter->woken_by == cx->id;
    const bool idly = self || waiter->hops >= VG_HOPS_IDLE;
    const uint32_t progress = cx->progress;
    const struct vg_future *const fut = waiter->fut;
    struct vg_counts *const counts = &cx->worker->counts;
    bool got_on;

    cx->hops = waiter->hops;
    poll(node, cx); /* from here on the waiter may be gone */
    got_on = cx->progress != progress;
    vg_count(&counts->visits[self ? VG_CAUSE_SELF : VG_CAUSE_WAKE]
                            [got_on ? VG_OUTCOME_READY : VG_OUTCOME_PENDING],
             1);
    if (VG_LIKELY(got_on || !idly))
        return;
    cx->spun++;
    cx->spinner = fut; /* nothing has ended, so it is still there */
    cx->spins_itself = self;
}

static void visit(struct vg_waiter *waiter, struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_future *gate;

    if (VG_UNLIKELY(waiter->flags & VG_W_LATE)) { /* once behind the rest of its batch */
        waiter->flags &= (uint8_t)~VG_W_LATE;
        vg_wlist_remove(&waiter->node);
        vg_wlist_append(&task->ready, &waiter->node);
        return;
    }
    if (VG_UNLIKELY(cx->now < waiter->woken_at)) /* whoever woke it read the clock after us */
        cx->now = cx->worker->now = waiter->woken_at;
    if (VG_UNLIKELY(task->fences > 0)) {
        if (is_fenced(waiter->fut, &gate)) {
            skip(task, waiter);
            return;
        }
        if (gate != NULL) {
            /* The leaf takes the waiter from there if the gate polls it. */
            skip(task, waiter);
            if (!entered_since(gate, waiter, task))
                answer(waiter, gate, cx, climb_from_gate);
            return;
        }
    }
    vg_record_wait(waiter, cx);
    vg_wlist_remove(&waiter->node);
    waiter->flags &= VG_W_SLOT;
    vg_mark_spent(waiter);
    answer(waiter, waiter->fut, cx, climb);
}

/* Work done in slices by a future that wakes itself is to be many polls, not a long one. */
static bool has_time_left(struct vg_cx *cx)
{
    cx->now = cx->worker->now = vg_exec_now(cx->task->exec);
    return cx->now < cx->began + VG_POLL_NS;
}

static void take_cancel_back(struct vg_task *task)
{
    vg_wlist_remove(&task->cancel);
    task->asked = false;
}

static void pass_cancel_on(struct vg_cx *cx)
{
    take_cancel_back(cx->task);
    vg_cancel(cx->task->root, cx);
}

static void drain(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    unsigned n;

    for (n = 0; n < VG_VISITS_MAX && task->root->state != VG_DONE; n++) {
        if (vg_wlist_empty(&task->ready))
            return;
        /* If a leaf was refused for want of budget, the next ones would be, too. */
        if (n > 0 && (VG_UNLIKELY(cx->cut) || (n % 8 == 0 && !has_time_left(cx))))
            break;
        if (VG_UNLIKELY(vg_wnode_next(&task->ready) == &task->cancel))
            pass_cancel_on(cx);
        else
            visit(vg_waiter_of(vg_wnode_next(&task->ready)), cx);
    }
    cx->cut = cx->cut || !vg_wlist_empty(&task->ready);
}

/* Tells each leaf, once for each wake, that its wake was held and not answered. */
static void pass_over(struct vg_cx *cx)
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
            probe->passed_over(probe, cx->worker->index, &passed, cx->now);
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

static void update_owed(struct vg_cx *cx, bool owing)
{
    struct vg_task *const task = cx->task;

    vg_store(&task->owed_since, oldest_owed(task), relaxed);
    if (owing != task->owing)
        vg_count(&cx->worker->counts.owing, owing ? 1 : UINT64_MAX);
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

static enum vg_poll_end finish(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_exec *const exec = task->exec;
    bool handed_over;

    if (VG_UNLIKELY(cx->cut))
        cx->worker->refused = 0;
    if (task->asked)
        take_cancel_back(task);
    check_empty(task);
    if (task->inflight > 0) /* a waker is about to push one of our slots: stay until it has */
        return give_back(task);
    publish_owed(cx);
    vg_word_finish(&task->word);
    handed_over = vg_task_report_done(task);
    /* Release: pairs with vg_exec_live(). */
    vg_store(&cx->worker->counts.finished, vg_load(&cx->worker->counts.finished, relaxed) + 1,
             release);
    if (!handed_over)
        vg_task_unref(task);
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
        probe->fruitless(probe, cx->worker->index, &fruitless);
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
        return;
    }
    visits = visits < UINT32_MAX - cx->spun ? visits + cx->spun : UINT32_MAX;
    vg_store(&task->fruitless, visits, relaxed);
    if (VG_UNLIKELY(visits >= VG_FRUITLESS_MIN))
        report_fruitless(cx, visits);
}

/* Nothing can wake this task: whatever it waits for has no way to tell. */
static bool is_unarmed(const struct vg_task *task)
{
    return vg_load(&task->armed, relaxed) == 0 && task->inflight == 0 &&
           vg_wlist_empty(&task->skipped);
}

static void report_unarmed(struct vg_cx *cx, bool hangs)
{
    struct vg_probe *const probe = cx->task->exec->probe;
    const struct vg_unarmed unarmed = {.task = cx->task, .fut = cx->unarmed, .hangs = hangs};

    if (probe != NULL && probe->unarmed != NULL)
        probe->unarmed(probe, cx->worker->index, &unarmed, cx->now);
}

static enum vg_poll_end suspend(struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_probe *const probe = task->exec->probe;
    bool more, hangs;

    /* A poll that stopped for its budget has decided nothing; but it may do so only once in a row. */
    task->cut = cx->cut && !task->cut;
    if (VG_UNLIKELY(task->untold && !task->cut))
        pass_over(cx);
    publish_owed(cx);
    note_progress(cx);
    if (VG_UNLIKELY(cx->cut))
        vg_record_refused(cx);
    if (VG_UNLIKELY(task->fences > 0 && probe != NULL && probe->suspended != NULL))
        probe->suspended(probe, cx->worker->index, task, cx->now);
    if (VG_UNLIKELY(cx->thread_locks > 0 && probe != NULL && probe->lock_across != NULL))
        probe->lock_across(probe, cx->worker->index, task, cx->worker->thread_lock, cx->now);
    more = !vg_wlist_empty(&task->later) || !vg_wlist_empty(&task->ready);
    hangs = !more && is_unarmed(task);
    if (VG_UNLIKELY(hangs || cx->unarmed != NULL))
        report_unarmed(cx, hangs);
    if (more) {
        if (VG_UNLIKELY(!vg_wlist_empty(&task->ready)))
            vg_count(&cx->worker->counts.cuts, 1);
        vg_task_renew(task, &task->later);
        return VG_END_REQUEUE;
    }
    return give_back(task);
}

enum vg_poll_end vg_task_poll(struct vg_worker *worker, struct vg_task *task)
{
    struct vg_cx cx = {.task = task,
                       .worker = worker,
                       .id = vg_load(&task->id, relaxed),
                       .now = worker->now,
                       .began = worker->now,
                       .budget = worker->exec->budget};
    enum vg_poll_end end;

    if (VG_UNLIKELY(vg_load(&task->fruitless, relaxed) >= VG_FRUITLESS_MIN)) {
        vg_worker_read_clock(worker, VG_WORKER_RUN); /* whether these polls are short matters */
        cx.now = cx.began = worker->now;
    }
    worker->cx = &cx;
    vg_store(&task->polls, vg_load(&task->polls, relaxed) + 1, relaxed);
    vg_store(&task->woken_at, ~cx.now, relaxed);
    vg_task_take(task);
    if (VG_UNLIKELY(task->root->state == VG_INIT))
        (void)vg_poll_future(task->root, &cx);
    drain(&cx);
    if (VG_UNLIKELY(worker->forks.top > 0))
        vg_panic("a poll ends with %u forks that were not joined", worker->forks.top);
    end = task->root->state == VG_DONE ? finish(&cx) : suspend(&cx);
    worker->cx = NULL;
    if (end == VG_END_REQUEUE)
        vg_store(&task->woken_at, cx.now, relaxed); /* queued, as of now */
    return end;
}
