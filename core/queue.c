/* SPDX-License-Identifier: MIT */
#include "vg_fault.h"
#include "vg_spin.h"
#include "worker.h"

/*
 * Where a runnable task goes, and which runs next.
 *
 * Order of a worker's choice: the private slot (pocket.h), at most LIFO_CAP times in a row; children, newest
 * first; the ring and, behind it, the overflow list; the injection queue. Every AGING-th task comes from
 * the injection queue, and every AGING-th from the ring, before all others, so that none waits for ever.
 */

enum { LIFO_CAP = 3, AGING = 64, OVERFLOW_BATCH = 128 };

static __attribute__((noinline)) void overflow_push(struct vg_worker *worker, struct vg_task *task)
{
    struct vg_overflow *const overflow = &worker->overflow;

    vg_count(&worker->counts.overflowed, 1);
    vg_spin_lock(&overflow->guard);
    vg_fifo_push(&overflow->list, &task->link);
    vg_store(&overflow->length, (uint32_t)overflow->list.length, relaxed);
    vg_spin_unlock(&overflow->guard);
}

struct vg_task *vg_overflow_take(struct vg_overflow *overflow, struct vg_runq *into)
{
    struct vg_link *link;
    struct vg_task *task = NULL;
    unsigned n, most;

    /* A hint: whoever overlooks a new task here is told by its push's notice. */
    if (vg_load(&overflow->length, relaxed) == 0)
        return NULL;
    vg_spin_lock(&overflow->guard);
    most = (unsigned)(overflow->list.length + 1) / 2;
    most = most < OVERFLOW_BATCH ? most : OVERFLOW_BATCH;
    for (n = 0; n < most && (link = vg_fifo_pop(&overflow->list)) != NULL; n++) {
        if (task == NULL) {
            task = VG_LINK_OWNER(link, struct vg_task, link);
        } else if (!vg_runq_push_owner(into, VG_LINK_OWNER(link, struct vg_task, link))) {
            vg_fifo_push(&overflow->list, link); /* cannot happen on an empty ring */
            break;
        }
    }
    vg_store(&overflow->length, (uint32_t)overflow->list.length, relaxed);
    vg_spin_unlock(&overflow->guard);
    return task;
}

/* First in, first out: once something is on the overflow list, what comes later goes behind it. */
static inline void push_back(struct vg_worker *worker, struct vg_task *task)
{
    worker->filled = true;
    if (vg_load(&worker->overflow.length, relaxed) > 0 || !vg_runq_push_owner(&worker->runq, task))
        overflow_push(worker, task);
}

/* True: work has become visible to thieves. */
static bool push_warm(struct vg_worker *worker, struct vg_task *task)
{
    struct vg_task *const displaced = vg_pocket_put_owner(&worker->pocket, task);

    worker->filled = true;
    if (displaced == NULL)
        return false;
    push_back(worker, displaced);
    return true;
}

void vg_idle_ring(struct vg_exec *exec)
{
    const int worker = vg_idle_notify(&exec->idle);

    if (worker < 0)
        return;
    vg_count_shared();
    exec->driver->ops->unpark(exec->driver, (unsigned)worker);
}

/* From the worker that has pushed: when it is the only one, nobody else could come. */
static void ring_others(struct vg_worker *worker)
{
    if (!worker->alone)
        vg_idle_ring(worker->exec);
}

/* From outside. As soon as it is pushed the task may end, and with it all reason for the executor to
 * stay; therefore it counts those who are here. */
static void inject(struct vg_exec *exec, struct vg_task *task)
{
    vg_fetch_add(&exec->guests, 1u, acq_rel);
    vg_fetch_add(&exec->outside.injected, 1, relaxed); /* a pure counter */
    /* Refused: the workers have left; the task stays, and was reported. */
    if (vg_inject_push(&exec->inject, &task->link))
        vg_idle_ring(exec);
    /* The last access to the executor. Release: pairs with the acquire in vg_exec_close(). */
    vg_fetch_sub(&exec->guests, 1u, acq_rel);
}

static unsigned count_queued(struct vg_worker *worker)
{
    return vg_runq_length_any(&worker->runq) + vg_load(&worker->overflow.length, relaxed) +
           !vg_pocket_empty_owner(&worker->pocket) + vg_deque_length_any(&worker->deque) +
           !vg_inject_empty(&worker->exec->inject);
}

/* More than this worker is about to run, and more than it is done with in a moment. */
static bool has_to_share(struct vg_worker *worker)
{
    const unsigned queued = count_queued(worker);

    return queued > 1 &&
           (worker->exec->exact || (queued / worker->stride + 1) * worker->burst >= VG_SHARE_NS);
}

static __attribute__((noinline)) void share_among_others(struct vg_worker *worker)
{
    if (worker->exec->probe == NULL || has_to_share(worker))
        vg_idle_ring(worker->exec);
}

/* A poll has put something where others may find it. Without an observer, who would see that the poll does not end, they are
 * told at once. */
static inline void share(struct vg_worker *worker)
{
    if (!worker->alone)
        share_among_others(worker);
}

void vg_share_gathered(struct vg_worker *worker)
{
    worker->gathers = false;
    if (!worker->alone && has_to_share(worker))
        vg_idle_ring(worker->exec);
}

/* A worker with a single task wakes nobody for it, and one of many that take turns tells of them when the clock is read. */
void vg_requeue(struct vg_worker *worker, struct vg_task *task)
{
    const bool tells = !worker->alone && !vg_worker_is_stale(worker) && vg_has_queued(worker);

    push_back(worker, task);
    if (tells)
        share(worker);
}

static void push_child(struct vg_worker *worker, struct vg_task *task)
{
    worker->filled = true;
    if (!vg_deque_push_owner(&worker->deque, task))
        push_back(worker, task);
    share(worker);
}

void vg_share_oldest(struct vg_worker *worker)
{
    const int64_t oldest = vg_deque_oldest_any(&worker->deque);

    if (oldest < 0 || oldest != worker->oldest) {
        worker->oldest = oldest;
        worker->oldest_since = worker->now;
    } else if (worker->now >= worker->oldest_since + VG_STUCK_NS) {
        worker->oldest_since = worker->now;
        ring_others(worker);
    }
}

void vg_enqueue_here(struct vg_worker *worker, struct vg_task *task, enum vg_place_in_queue where)
{
    if (where == VG_QUEUE_SCOPE) {
        push_child(worker, task);
        return;
    }
    if (where == VG_QUEUE_WARM && worker->cx != NULL) {
        if (!push_warm(worker, task))
            return;
    } else {
        push_back(worker, task);
    }
    if (!worker->gathers)
        share(worker);
}

void vg_enqueue(struct vg_exec *exec, struct vg_task *task, enum vg_place_in_queue where)
{
    struct vg_worker *const worker = vg_worker_here;

    if (VG_LIKELY(worker != NULL && worker->exec == exec))
        vg_enqueue_here(worker, task, where);
    else
        inject(exec, task);
}

static struct vg_task *take_injected(struct vg_worker *worker)
{
    struct vg_link *link =
        vg_inject_empty(&worker->exec->inject) ? NULL : vg_inject_take(&worker->exec->inject);
    struct vg_link *const first = link, *next;

    if (first == NULL)
        return NULL;
    vg_count_shared();
    vg_count(&worker->counts.injected, 1);
    for (link = vg_link_next(first); link != NULL; link = next) {
        next = vg_link_next(link);
        vg_count(&worker->counts.injected, 1);
        push_back(worker, VG_LINK_OWNER(link, struct vg_task, link));
    }
    /* Between the inbox and the ring nobody could see them: who was woken for them may sleep again. */
    if (vg_link_next(first) != NULL)
        ring_others(worker);
    return VG_LINK_OWNER(first, struct vg_task, link);
}

/*
 * Keeps the ring full while there is an overflow list. A list of tasks that are in no cache is slow to walk, so it is
 * walked one by one, while tasks run, and the next is fetched meanwhile. Two at a time, for thieves take of the ring too.
 */
static void top_up(struct vg_worker *worker)
{
    struct vg_overflow *const overflow = &worker->overflow;
    struct vg_link *link;
    unsigned n;

    vg_spin_lock(&overflow->guard);
    for (n = 0; n < 2 && vg_runq_has_room_owner(&worker->runq); n++) {
        link = vg_fifo_pop(&overflow->list);
        if (link == NULL)
            break;
        (void)vg_runq_push_owner(&worker->runq, VG_LINK_OWNER(link, struct vg_task, link));
    }
    if (overflow->list.first != NULL)
        __builtin_prefetch(overflow->list.first);
    vg_store(&overflow->length, (uint32_t)overflow->list.length, relaxed);
    vg_spin_unlock(&overflow->guard);
}

static struct vg_task *take_fifo(struct vg_worker *worker)
{
    struct vg_task *task =
        worker->alone ? vg_runq_pop_alone(&worker->runq) : vg_runq_pop_owner(&worker->runq);

    if (VG_UNLIKELY(vg_load(&worker->overflow.length, relaxed) > 0))
        top_up(worker);
    vg_task_expect(vg_runq_peek_owner(&worker->runq));
    return task != NULL ? task : vg_overflow_take(&worker->overflow, &worker->runq);
}

static struct vg_task *take_warm(struct vg_worker *worker)
{
    struct vg_task *task = worker->alone ? vg_pocket_take_alone(&worker->pocket)
                                         : vg_pocket_take_owner(&worker->pocket);

    if (task == NULL)
        return NULL;
    if (worker->lifo_run++ < LIFO_CAP || VG_FAULT("lifo"))
        return task;
    vg_requeue(worker, task);
    return NULL;
}

static struct vg_task *take_child(struct vg_worker *worker)
{
    return worker->alone ? vg_deque_take_alone(&worker->deque)
                         : vg_deque_take_owner(&worker->deque);
}

/* The turn of the injection queue, or of the ring. */
static __attribute__((noinline)) struct vg_task *take_aged(struct vg_worker *worker)
{
    worker->aged_tick = worker->tick;
    worker->aged_ring = !worker->aged_ring;
    if (!worker->aged_ring)
        return take_injected(worker);
    return VG_FAULT("lifo") ? NULL : take_fifo(worker);
}

static struct vg_task *pick_own(struct vg_worker *worker)
{
    struct vg_task *task = take_warm(worker);

    if (task != NULL)
        return task;
    worker->lifo_run = 0;
    task = take_child(worker);
    return task != NULL ? task : take_fifo(worker);
}

struct vg_task *vg_pick_next(struct vg_worker *worker)
{
    struct vg_task *task = NULL;

    worker->tick++;
    if (VG_UNLIKELY(worker->tick - worker->aged_tick >= AGING / 2)) {
        task = take_aged(worker);
        if (task != NULL)
            worker->lifo_run = 0;
    }
    if (task == NULL && VG_LIKELY(worker->filled))
        task = pick_own(worker);
    return task != NULL ? task : take_injected(worker);
}

bool vg_work_anywhere(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    unsigned i;

    if (!vg_pocket_empty_owner(&worker->pocket) || !vg_inject_empty(&exec->inject))
        return true;
    for (i = 0; i < exec->workers_count; i++)
        if (i == worker->index ? vg_has_stealable(worker) : vg_worth_stealing(&exec->workers[i]))
            return true;
    return false;
}

void vg_exec_rescue(struct vg_exec *exec, unsigned worker)
{
    struct vg_worker *const stuck = &exec->workers[worker];

    const bool pocketed = !VG_FAULT("rescue") && vg_pocket_open_any(&stuck->pocket);

    /* Who slept already when a timer was set there does not know of it. */
    if (pocketed || vg_has_stealable(stuck) || vg_is_overdue(stuck, vg_exec_now(exec)))
        vg_idle_ring(exec);
}
