/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/probe.h>

#include "armed.h"
#include "record.h"
#include "start.h"
#include "task.h"
#include "vg_fault.h"
#include "worker.h"

/*
 * One poll of a task: visit each waiter that was woken, in the order of the wakes. A visit polls the waiter's
 * leaf and, as long as something ends, whoever waits for it.
 */

static VG_COLD void skip(struct vg_task *task, struct vg_waiter *waiter)
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
static VG_COLD bool is_fenced(struct vg_future *fut, struct vg_future **gate)
{
    for (*gate = NULL; fut != NULL; fut = fut->up) {
        if (fut->state == VG_PARKED)
            return true;
        if (fut->ops->kind == VG_KIND_OPAQUE)
            *gate = fut;
    }
    return false;
}

/* A kept child has ended: nobody waits for it, but its frame has it on a list. */
static VG_COLD void end_kept(struct vg_future *fut, struct vg_cx *cx)
{
    vg_future_unlist(fut);
    vg_future_finish(fut, cx);
}

/* Polls the node and, as long as it ends, whoever waits for it. Returns the one that has not ended; NULL: all have. */
static inline struct vg_future *climb(struct vg_future *node, struct vg_cx *cx)
{
    while (node != NULL) {
        cx->self = node;
        if (!node->ops->poll(node, cx).ready)
            break;
        if (VG_UNLIKELY(node->state != VG_RUNNING)) {
            end_kept(node, cx);
            node = NULL;
            break;
        }
        vg_future_finish(node, cx);
        node = node->up;
    }
    cx->self = NULL;
    return node;
}

static void climb_from_gate(struct vg_future *gate, struct vg_cx *cx)
{
    struct vg_future *up = NULL;

    gate->seq = ++cx->task->takes;
    cx->rootdown = true;
    cx->self = gate;
    if (gate->ops->poll(gate, cx).ready) {
        if (gate->state == VG_RUNNING)
            up = gate->up;
        else
            vg_future_unlist(gate);
        vg_future_finish(gate, cx);
    }
    cx->rootdown = false;
    cx->self = NULL;
    (void)climb(up, cx);
}

/* Whether the gate's last entry is among those after the wake was taken. The counter wraps. */
static bool entered_since(const struct vg_future *gate, const struct vg_waiter *waiter,
                          const struct vg_task *task)
{
    return gate->seq - waiter->seq - 1 < task->takes - waiter->seq;
}

/* A wake of its own, or at the end of a long row of such, has led to nothing. */
static VG_COLD void note_spin(const struct vg_future *leaf, bool self, struct vg_cx *cx)
{
    cx->wary |= VG_WARY_ODD;
    cx->spun++;
    cx->spinner = leaf; /* nothing has ended, so it is still there */
    cx->spins_itself = self;
}

/* Counts a visit. `row` is that of its cause; `progress` as it was before; `leaf` is used only if nothing has come of it. */
static inline void count_visit(VG_ATOMIC(uint64_t) *row, uint32_t progress,
                               const struct vg_future *leaf, struct vg_cx *cx)
{
    const bool got_on = cx->progress != progress;
    const bool self = row == vg_worker_of(cx)->counts.visits[VG_CAUSE_SELF];

    vg_count(&row[got_on ? VG_OUTCOME_READY : VG_OUTCOME_PENDING], 1);
    if (VG_UNLIKELY(!got_on && (self || cx->hops >= VG_HOPS_IDLE)))
        note_spin(leaf, self, cx);
}

static inline VG_ATOMIC(uint64_t) *begin_visit(const struct vg_waiter *waiter, struct vg_cx *cx)
{
    struct vg_counts *const counts = &vg_worker_of(cx)->counts;

    cx->hops = waiter->hops;
    return counts->visits[waiter->woken_by == cx->id ? VG_CAUSE_SELF : VG_CAUSE_WAKE];
}

/* The waiter's leaf is left to the gate. */
static VG_COLD void visit_gate(struct vg_waiter *waiter, struct vg_future *gate, struct vg_cx *cx)
{
    VG_ATOMIC(uint64_t) *const row = begin_visit(waiter, cx);
    const struct vg_future *const leaf = waiter->fut;
    const uint32_t progress = cx->progress;

    climb_from_gate(gate, cx); /* from here on the waiter may be gone */
    count_visit(row, progress, leaf, cx);
}

/* It is being answered, by a poll that others concern, too, or after a wait that is out of the ordinary. */
static __attribute__((noinline)) void record(struct vg_waiter *waiter, struct vg_cx *cx)
{
    if (cx->now < waiter->woken_at) /* whoever woke it read the clock after us */
        cx->now = vg_worker_of(cx)->now = waiter->woken_at;
    vg_record_wait(waiter, cx);
}

static inline void visit_leaf(struct vg_waiter *waiter, struct vg_cx *cx)
{
    VG_ATOMIC(uint64_t) *const row = begin_visit(waiter, cx);
    const uint32_t progress = cx->progress;
    const struct vg_future *stopped;

    vg_wlist_remove(&waiter->node);
    waiter->flags &= VG_W_SLOT;
    vg_mark_spent(waiter);
    stopped = climb(waiter->fut, cx); /* from here on the waiter may be gone */
    count_visit(row, progress, stopped, cx);
}

/* A deadline: once behind the rest of its batch. */
static VG_COLD void put_behind(struct vg_task *task, struct vg_waiter *waiter)
{
    waiter->flags &= (uint8_t)~VG_W_LATE;
    vg_wlist_remove(&waiter->node);
    vg_wlist_append(&task->ready, &waiter->node);
}

void vg_task_take_cancel_back(struct vg_task *task)
{
    vg_wlist_remove(&task->cancel);
    task->asked = false;
}

static VG_COLD void pass_cancel_on(struct vg_cx *cx)
{
    vg_task_take_cancel_back(cx->task);
    vg_cancel(cx->task->root, cx);
}

static VG_COLD void visit_warily(struct vg_waiter *waiter, struct vg_cx *cx)
{
    struct vg_task *const task = cx->task;
    struct vg_future *gate = NULL;

    if (&waiter->node == &task->cancel) {
        pass_cancel_on(cx);
    } else if (waiter->flags & VG_W_LATE) {
        put_behind(task, waiter);
    } else if (task->fences > 0 && is_fenced(waiter->fut, &gate)) {
        skip(task, waiter);
    } else if (gate != NULL) {
        /* The leaf takes the waiter from there if the gate polls it. */
        skip(task, waiter);
        if (!entered_since(gate, waiter, task))
            visit_gate(waiter, gate, cx);
    } else {
        record(waiter, cx);
        visit_leaf(waiter, cx);
    }
}

static inline void visit(struct vg_waiter *waiter, struct vg_cx *cx)
{
    if (vg_is_wary(cx)) {
        visit_warily(waiter, cx);
    } else if (VG_UNLIKELY(waiter->flags & VG_W_LATE)) {
        put_behind(cx->task, waiter);
    } else {
        if (!vg_record_prompt(waiter, cx))
            record(waiter, cx);
        visit_leaf(waiter, cx);
    }
}

/* Work done in slices by a future that wakes itself is to be many polls, not a long one. */
static bool has_time_left(struct vg_cx *cx)
{
    cx->now = vg_worker_of(cx)->now = vg_exec_now(cx->task->exec);
    return cx->now < cx->began + VG_POLL_NS;
}

/* Whether this poll may make another visit, after so many. If a leaf was refused for want of budget, the next ones would be, too. */
static __attribute__((noinline)) bool may_go_on(struct vg_cx *cx, unsigned visits)
{
    if (visits < VG_VISITS_MAX && !cx->cut && (visits % 8 != 0 || has_time_left(cx)))
        return true;
    cx->cut = true;
    cx->wary |= VG_WARY_END;
    return false;
}

/* While the root is not done. */
static void drain(struct vg_cx *cx)
{
    struct vg_wnode *const ready = &cx->task->ready;
    unsigned visits = 0;

    if (vg_wlist_empty(ready))
        return;
    do {
        visit(vg_waiter_of(vg_wnode_next(ready)), cx);
    } while (!vg_wlist_empty(ready) && cx->task->root->state != VG_DONE && may_go_on(cx, ++visits));
}

static vg_poll start_root(struct vg_cx *cx)
{
    struct vg_future *const root = cx->task->root;

    return vg_is_plain_start(root, NULL, cx) ? vg_start_plainly(root, NULL, cx)
                                             : vg_poll_future(root, cx);
}

static VG_COLD void begin_warily(struct vg_cx *cx)
{
    const struct vg_task *const task = cx->task;
    struct vg_worker *const worker = vg_worker_of(cx);
    const bool odd = task->fences || task->asked || task->untold || task->owing || task->spins;

    cx->wary = odd ? VG_WARY_ODD : VG_WARY_END;
    if (vg_load(&task->fruitless, relaxed) < VG_FRUITLESS_MIN)
        return;
    vg_worker_read_clock(worker, VG_WORKER_RUN); /* whether these polls are short matters */
    cx->now = cx->began = worker->now;
}

static inline void begin(struct vg_cx *cx, struct vg_worker *worker, struct vg_task *task)
{
    worker->cx = cx;
    cx->task = task;
    cx->id = vg_load(&task->id, relaxed);
    cx->now = cx->began = worker->now;
    cx->budget = worker->exec->budget;
    cx->progress = 0;
    cx->hops = 0;
    if (VG_UNLIKELY(task->odd != 0))
        begin_warily(cx);
    vg_store(&task->polls, vg_load(&task->polls, relaxed) + 1, relaxed);
    vg_store(&task->woken_at, ~cx->now, relaxed);
}

enum vg_poll_end vg_task_poll(struct vg_worker *worker, struct vg_task *task)
{
    struct vg_cx *const cx = &worker->context;
    enum vg_poll_end end;

    begin(cx, worker, task);
    vg_task_take(task, cx);
    if (VG_LIKELY(task->root->state != VG_INIT) || !start_root(cx).ready)
        drain(cx);
    if (VG_UNLIKELY(worker->forks.top > 0))
        vg_panic("a poll ends with %u forks that were not joined", worker->forks.top);
    end = task->root->state == VG_DONE ? vg_poll_finish(cx) : vg_poll_suspend(cx);
    worker->cx = NULL;
    if (end == VG_END_REQUEUE)
        vg_store(&task->woken_at, worker->now, relaxed); /* queued, as of now */
    return end;
}
