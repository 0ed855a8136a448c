/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_TASK_H
#define VIGIL_CORE_TASK_H

#include <string.h>

#include <vigil/exec.h>
#include <vigil/probe.h>

#include "link.h"
#include "vg_atomic.h"
#include "word.h"

/*
 * A task: the header of a slab slot that holds the root frame behind it. Slots are type-stable, so that an
 * observer may read the atomic members of any slot at any time; everything else belongs to whoever owns the
 * task (flag S of the word).
 *
 * word        See word.h. A free slot holds CO.
 * id          Odd while the slot holds a task: (spawns counted by the spawning worker << 7 | its number, 64 for
 *             threads outside) << 1 | 1. Even in a free slot. Stored last by spawn (release), so that whoever
 *             walks the slabs (acquire) finds name and place of that task or of a later one.
 * refs        The task itself, which gives its reference up when it has finished, and the handle if there
 *             is one; 0 in a free slot. Whoever drops the last frees the slot. Spawn stores it last (release), so
 *             that vg_task_try_ref() (acquire) finds a task that is whole.
 * joiner      NULL, the waiter of the one vg_task_wait(), or JOINED once the task has finished. The wait
 *             arms and disarms by compare-and-swap from and to NULL; the finish exchanges it for JOINED.
 *             With THREAD it is the futex of a thread in vg_block_on(). With SCOPE it is the scope that the
 *             task is a child of; the finish stores JOINED, and from then on the reference is the scope's.
 * cancelled   0, then 1 for ever: who sets it pushes `cancel`, which is no waiter, on the task.
 * woken_at    Stamp of the push that found the task idle; once its poll has begun, the complement of when that was, until
 *             it is pushed again.
 * owed_since  Stamp of the oldest wake that the last poll left unanswered; 0 if there is none.
 * armed       Waiters and slots from which a wake may still come. Written by the owner; an observer's look at it
 *             counts only if it owns the task.
 * held        Of these, the ones of leaves with vg_ops.is_held. Likewise.
 * fruitless   Visits in a row that came to nothing (<vigil/probe.h>). Written by the owner.
 */
struct vg_task {
    /* woken, and polled */
    VG_ATOMIC(uintptr_t) word;
    uintptr_t base; /* see word.h */
    VG_ATOMIC(uint64_t) id;
    VG_ATOMIC(uint64_t) woken_at;
    VG_ATOMIC(uint64_t) polls;
    struct vg_future *root; /* in the slot, or the caller's of vg_block_on() */
    VG_ATOMIC(uint32_t) refs;
    VG_ATOMIC(uint32_t) armed;
    union {
        struct {
            uint32_t fences : 27; /* parked children and live opaque futures */
            bool asked : 1;       /* `cancel` is on `ready` */
            bool untold : 1;      /* `skipped` has waiters whose leaves were not told so */
            bool cut : 1;         /* the last poll stopped for its budget */
            bool owing : 1;       /* counted as such by its worker */
            bool spins : 1;       /* `fruitless` is not 0 */
        };
        uint32_t odd; /* not 0: any of these; its polls take nothing for granted */
    };
    uint32_t takes; /* orders takes against entries of opaque futures */

    /* likewise */
    struct vg_wnode ready; /* woken, to be visited in this poll */
    struct vg_wnode later; /* to be visited in the next poll */
    struct vg_exec *exec;
    struct vg_link link; /* in overflow lists, the injection queue and lists of free slots */
    uint32_t inflight;   /* fired slots without a future, not collected yet */
    VG_ATOMIC(uint32_t) held;
    VG_ATOMIC(uint32_t) fruitless; /* visits in a row that came to nothing */
    VG_ATOMIC(uint8_t) cancelled;
    uint8_t class; /* of the slab */

    /* the rest */
    struct vg_wnode cancel __attribute__((aligned(16)));
    struct vg_wnode skipped; /* woken, but below a parked or an opaque future */
    VG_ATOMIC(uintptr_t) joiner;
    VG_ATOMIC(const char *) name;             /* for observers; written by spawn */
    VG_ATOMIC(const struct vg_place *) place; /* likewise */
    VG_ATOMIC(uint64_t) owed_since;
};

#if !VG_DEBUG
_Static_assert(sizeof(struct vg_task) == 192, "three cache lines");
#endif

/* Where the frame begins behind the header. */
#define VG_TASK_HEADER ((sizeof(struct vg_task) + 15) & ~(size_t)15)

/*
 * The task is next. Where there are many, none of them is in the cache: what a poll touches of its header, the first two
 * lines, and the start of its frame are fetched while another one runs. NULL: there is no next. It is not followed.
 */
static inline void vg_task_expect(const struct vg_task *task)
{
    enum { LINE = 64, FRAME = 3 * LINE }; /* of a small frame, all */
    const char *const header = (const char *)task;

    if (task == NULL)
        return;
    __builtin_prefetch(header, 1);
    __builtin_prefetch(header + LINE, 1);
    for (size_t at = 0; at < FRAME; at += LINE)
        __builtin_prefetch(header + sizeof *task + at, 1);
}

/* The same for a free slot, of which a spawn touches all. */
static inline void vg_slot_expect(const struct vg_task *task)
{
    __builtin_prefetch(&task->cancel, 1);
    vg_task_expect(task);
}

#define VG_JOINED ((uintptr_t)1)
#define VG_JOINER_THREAD ((uintptr_t)2)
#define VG_JOINER_SCOPE ((uintptr_t)4)

/*
 * What a poll carries down to the futures it reaches. Each worker has one (vg_worker_of()), for all its polls: a poll begins by setting the first
 * group, and finds the second as it was at first, all 0, for a wary poll clears it at its end.
 */
struct vg_cx {
    struct vg_task *task;
    uint64_t id; /* of the task, which may be gone when it tells of its end */
    uint64_t now;
    uint64_t began; /* when this poll began */
    int budget;
    uint32_t progress; /* futures that have ended, or said that they had got on */
    uint8_t hops;      /* of the wake that is being answered: see vg_waiter */

    bool spins_itself;
    bool rootdown; /* below an opaque future: running children are polled, not adopted */
    bool cut;      /* the budget ran out */
    uint8_t wary;  /* VG_WARY_*: 0: nothing is out of the ordinary */
    uint32_t
        spun; /* visits that came to nothing, by wakes that came from nowhere else; the last: */
    const struct vg_future *spinner;
    const struct vg_future *unarmed; /* began in this poll, and nothing can wake it; NULL: none */
    uint32_t thread_locks; /* of the thread, taken in this poll; see vg_worker.thread_lock */

    uint32_t armings;       /* so far, in all polls */
    struct vg_future *self; /* the future being polled: `up` of the children it polls */
};

/*
 * Nearly all polls have nothing to do with fences, skipped wakes, used-up budgets, spinning futures, unarmed ones and locks
 * of the thread. They make one test, of `wary`, where each of these would want one of its own.
 * ODD    one of these concerns this poll; set by what brings it about, until the poll ends
 * WAKES  a primitive is waking its waiters: see vg_wakes_begin()
 * END    something is to be seen to when the poll ends, and not before: its budget was used up, or that of the last one
 */
enum { VG_WARY_ODD = 1, VG_WARY_WAKES = 2, VG_WARY_END = 4 };

static inline bool vg_is_wary(const struct vg_cx *cx)
{
    return VG_UNLIKELY((cx->wary & (VG_WARY_ODD | VG_WARY_WAKES)) != 0);
}

static inline bool vg_is_wary_at_end(const struct vg_cx *cx)
{
    return VG_UNLIKELY(cx->wary != 0);
}

/* At the end of a wary poll. */
static inline void vg_cx_clear(struct vg_cx *cx)
{
    cx->spins_itself = cx->rootdown = cx->cut = false;
    cx->wary = 0;
    cx->spun = cx->thread_locks = 0;
    cx->spinner = cx->unarmed = NULL;
}

/* Nobody has a reason any more, after so many tasks that woke each other to no effect. A pipeline is shorter. */
enum { VG_HOPS_IDLE = 16 };

/* What one poll may do: operations that need not wait, visits, and how long it may go on making these. */
enum { VG_BUDGET = 128, VG_VISITS_MAX = 256, VG_POLL_NS = 1000000 };

/* ---- lists of waiters: circular, with a sentinel in the task --------------------------------- */

static inline void vg_wlist_init(struct vg_wnode *head)
{
    head->next = (uintptr_t)head;
    head->prev = head;
}

static inline struct vg_wnode *vg_wnode_next(const struct vg_wnode *node)
{
    return (struct vg_wnode *)node->next;
}

static inline bool vg_wlist_empty(const struct vg_wnode *head)
{
    return vg_wnode_next(head) == head;
}

static inline void vg_wlist_append(struct vg_wnode *head, struct vg_wnode *node)
{
    node->next = (uintptr_t)head;
    node->prev = head->prev;
    head->prev->next = (uintptr_t)node;
    head->prev = node;
}

static inline void vg_wlist_remove(struct vg_wnode *node)
{
    node->prev->next = node->next;
    vg_wnode_next(node)->prev = node->prev;
}

/* Moves all of `from` behind all of `to`. */
static inline void vg_wlist_splice(struct vg_wnode *to, struct vg_wnode *from)
{
    if (vg_wlist_empty(from))
        return;
    to->prev->next = from->next;
    vg_wnode_next(from)->prev = to->prev;
    from->prev->next = (uintptr_t)to;
    to->prev = from->prev;
    vg_wlist_init(from);
}

static inline struct vg_waiter *vg_waiter_of(struct vg_wnode *node)
{
    return (struct vg_waiter *)(void *)node;
}

/* ---- task.c -------------------------------------------------------------------------------- */

struct vg_worker;

/* A slot that was never used. */
static inline void vg_task_init_slot(struct vg_task *task)
{
    memset(task, 0, sizeof *task);
    vg_wlist_init(&task->ready);
    vg_wlist_init(&task->later);
    vg_wlist_init(&task->skipped);
    vg_store(&task->word, (uintptr_t)VG_WORD_CO, relaxed);
    vg_store(&task->id, 0, relaxed);
}

struct vg_task *vg_task_of_frame(void *frame);
void *vg_task_frame_of(struct vg_task *task);

/* A task whose root is elsewhere; NULL: no memory. */
struct vg_task *vg_task_new(struct vg_exec *exec, size_t frame_size);

/* Makes the task owned and hands it to a run queue. -ESHUTDOWN: the executor is closing; nothing changed. */
int vg_task_start(struct vg_task *task, struct vg_future *root, unsigned refs,
                  const struct vg_place *place);
void vg_task_unref(struct vg_task *task);

/* The same if there is no other reference; false: there is, and nothing has been done. */
VG_MUST_USE bool vg_task_unref_only(struct vg_task *task);

/* The same for a root that is not in the slot, with the thread that waits for it. */
int vg_task_start_blocking(struct vg_task *task, struct vg_future *root, uintptr_t joiner,
                           const struct vg_place *place);

/* A reference to whatever task is in the slot; false: none is. From any thread. */
bool vg_task_try_ref(struct vg_task *task);

/* The same for a child of a scope: joiner says of which. There is no other reference than the task's own. */
int vg_task_start_child(struct vg_task *task, struct vg_future *root, uintptr_t joiner,
                        const struct vg_place *place);

/* Tells whoever waits for the task that it has finished, and gives up the task's own reference; to a scope, which takes it. */
void vg_task_leave(struct vg_task *task);

/* scope.c: the same for the child of a scope, whose reference it takes. */
void vg_scope_leave(struct vg_task *task, uintptr_t joiner);

/* block_on.c: lets the thread go on that waits at this futex: its future is done, or left over. */
enum { VG_BLOCK_DONE = 1, VG_BLOCK_LEFT = 2 };
void vg_block_release(VG_ATOMIC(uint32_t) *word, uint32_t how);

/* ---- poll.c -------------------------------------------------------------------------------- */

enum vg_poll_end {
    VG_END_IDLE,    /* the task is not ours any more */
    VG_END_REQUEUE, /* it has more to do; still ours */
    VG_END_DONE,    /* it has finished, and may be gone */
};

enum vg_poll_end vg_task_poll(struct vg_worker *worker, struct vg_task *task);

/* The task will not be asked to cancel any more. */
void vg_task_take_cancel_back(struct vg_task *task);

/* poll_end.c: the root is done; or it is not. */
enum vg_poll_end vg_poll_finish(struct vg_cx *cx);
enum vg_poll_end vg_poll_suspend(struct vg_cx *cx);

/* record.c: tells the probe how long this wake waited: it is being answered. */
void vg_record_wait(const struct vg_waiter *waiter, const struct vg_cx *cx);

/* Tells the probe of the leaves that this poll had no budget for. */
void vg_record_refused(const struct vg_cx *cx);

/* Moves what was pushed on the task to its `ready` list; `seen` is what vg_word_look() has just said. */
void vg_task_take_seen(struct vg_task *task, uintptr_t seen, struct vg_cx *cx);

/* The same; often there is nothing. */
static inline void vg_task_take(struct vg_task *task, struct vg_cx *cx)
{
    const uintptr_t seen = vg_word_look(&task->word);

    if (seen != task->base)
        vg_task_take_seen(task, seen, cx);
}

/* ---- wake.c -------------------------------------------------------------------------------- */

/* A parked child is polled again: what was skipped is examined anew. */
void vg_task_unskip(struct vg_task *task);

/* Has a list's waiters visited as if they were woken now, whatever opaque futures were entered before. */
void vg_task_renew(struct vg_task *task, struct vg_wnode *list);

/* Has the leaf polled in the task's next poll, as if its waiter was armed, and woken by this poll at once. */
void vg_defer(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx);

/* The same for a waiter that has never been used. */
static inline void vg_defer_unused(struct vg_waiter *waiter, struct vg_future *fut,
                                   struct vg_cx *cx)
{
    waiter->task = cx->task;
    waiter->fut = fut;
    waiter->woken_at = cx->now != 0 ? cx->now : 1;
    waiter->woken_by = cx->id;
    waiter->woken_from = NULL;
    waiter->seq = cx->task->takes;
    waiter->queued = 0;
    waiter->flags = VG_W_OWED;
    waiter->hops = 0;
    waiter->pad = 0;
    vg_wlist_append(&cx->task->later, &waiter->node);
    cx->armings++;
}

/* An armed waiter is not any more: no wake will come from it, or one has. By the owner. */
void vg_unarmed(struct vg_waiter *waiter, struct vg_task *task);

/* vg_wake() without the check that the waiter is armed: the future of a fired slot may have ended. */
VG_MUST_USE struct vg_notice vg_waiter_push(struct vg_waiter *waiter);

struct vg_slot;
void vg_slot_recycle(struct vg_slot *slot); /* waker.c: of a slot whose waiter was collected */

/* ---- future.c ------------------------------------------------------------------------------ */

/* The future has just returned ready. */
void vg_future_finish(struct vg_future *fut, struct vg_cx *cx);

/* A parked child, or a live opaque future, more. */
static inline void vg_fence_added(struct vg_cx *cx)
{
    cx->task->fences++;
    cx->wary |= VG_WARY_ODD;
}

/* Polls it as the child of the future being polled. */
vg_poll vg_future_enter(struct vg_future *fut, struct vg_cx *cx);

/* A future without children is pending after its first poll, and has armed nothing. */
void vg_note_unarmed(const struct vg_future *fut, struct vg_cx *cx);

/* Takes a kept or parked child off its frame's list. */
void vg_future_unlist(struct vg_future *fut);

#endif
