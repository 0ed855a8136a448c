/* SPDX-License-Identifier: MIT */
/*
 * Forks that are made into tasks: their owner joins them while a thief takes them. Each is run once, the join returns when it has
 * been, with its result, and its task is freed once.
 */
#include <string.h>

#include "worker.h"

#include "explore.h"

enum { WORKERS = 2, SLOTS = 4 };

struct slot {
    struct vg_task task;
    char frame[128] __attribute__((aligned(16)));
    struct mc_bell bell; /* of the state word of a job in it */
    int used, freed;
};

__thread struct vg_worker *vg_worker_here;

static struct vg_exec exec;
static struct vg_worker workers[WORKERS];
static struct slot slots[SLOTS];
static bool nests;
static int inner_runs;

/* ---- what forks ask of an executor ------------------------------------------------------------ */

struct vg_task *vg_slab_alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache, size_t size)
{
    (void)slabs, (void)cache;
    MC_ASSERT(size <= sizeof slots->frame);
    for (int i = 0; i < SLOTS; i++)
        if (!slots[i].used) {
            slots[i].used = 1;
            slots[i].task.exec = &exec;
            return &slots[i].task;
        }
    mc_fail(MC_ASSERTION, "out of slots");
}

/* Slots stay what they are; frames do not. */
void vg_slab_free(struct vg_slabs *slabs, struct vg_slab_cache *cache, struct vg_task *task)
{
    struct slot *slot = (struct slot *)(void *)task;

    (void)slabs, (void)cache;
    MC_ASSERT(slot->freed++ == 0);
    mc_free(slot->frame, sizeof slot->frame);
}

void vg_enqueue(struct vg_exec *owner, struct vg_task *task, enum vg_place_in_queue where)
{
    MC_ASSERT(owner == &exec && where == VG_QUEUE_SCOPE);
    MC_ASSERT(vg_deque_push_owner(&vg_worker_here->deque, task));
}

void vg_enqueue_here(struct vg_worker *here, struct vg_task *task, enum vg_place_in_queue where)
{
    vg_enqueue(here->exec, task, where);
}

/* Nobody sleeps here. */
void vg_idle_ring(struct vg_exec *owner)
{
    (void)owner;
}

static struct mc_bell *bell_of(const void *word)
{
    return &slots[((const char *)word - (const char *)slots) / (long)sizeof *slots].bell;
}

void vg_os_wait(VG_ATOMIC(uint32_t) *word, uint32_t expected, uint64_t deadline)
{
    (void)deadline;
    if (vg_load(word, relaxed) == expected)
        mc_bell_wait(bell_of(word));
}

void vg_os_wake(VG_ATOMIC(uint32_t) *word, int count)
{
    (void)count;
    mc_bell_ring(bell_of(word));
}

void vg_future_init(struct vg_future *fut, const struct vg_ops *ops)
{
    *fut = (struct vg_future){.ops = ops};
}

uint64_t vg_now(void)
{
    return 1;
}

uint64_t vg_exec_now(const struct vg_exec *owner)
{
    (void)owner;
    return 1;
}

/* ---- workers ---------------------------------------------------------------------------------- */

static void run_task(struct vg_task *task)
{
    struct vg_cx *const cx = &vg_worker_here->context;

    cx->task = task;
    MC_ASSERT(task->root->ops->poll(task->root, cx).ready);
    vg_task_unref(task);
}

static void thief(struct vg_worker *victim, int times)
{
    struct vg_task *task = NULL;

    while (times-- > 0)
        if (vg_deque_steal_any(&victim->deque, &task) == VG_STEAL_GOT)
            run_task(task);
}

/* What is left of the queue after the poll. */
static void drain(void)
{
    struct vg_task *task;

    while ((task = vg_deque_take_owner(&vg_worker_here->deque)) != NULL)
        run_task(task);
}

/* ---- functions -------------------------------------------------------------------------------- */

struct work {
    int input, result, runs;
    struct work *inner;
};

static void run(void *arg)
{
    struct work *work = arg;
    struct vg_fork fork;

    VG_RD(&work->input);
    VG_WR(&work->runs);
    MC_ASSERT(work->runs++ == 0);
    if (work->inner != NULL) {
        VG_WR(&work->inner->input);
        work->inner->input = 1;
        vg_fork(&fork, run, work->inner);
        vg_fork_join(&fork);
        VG_RD(&work->inner->result);
        MC_ASSERT(work->inner->result == 2);
        inner_runs += work->inner->runs;
    }
    VG_WR(&work->result);
    work->result = work->input + 1;
}

static void check(struct work *work)
{
    VG_RD(&work->result);
    MC_ASSERT(work->result == 2 && work->runs == 1);
}

static struct work works[3];

static void fork_and_join(int count)
{
    struct vg_fork fork[2];

    for (int i = 0; i < count; i++) {
        VG_WR(&works[i].input);
        works[i].input = 1;
        vg_fork(&fork[i], run, &works[i]);
        MC_ASSERT(vg_worker_here->forks.promoted == (uint32_t)i + 1);
    }
    for (int i = count - 1; i >= 0; i--) {
        vg_fork_join(&fork[i]);
        check(&works[i]);
    }
    MC_ASSERT(vg_worker_here->forks.top == 0 && vg_worker_here->forks.promoted == 0);
}

/* ---- models ----------------------------------------------------------------------------------- */

static void init(void)
{
    memset(&exec, 0, sizeof exec);
    memset(workers, 0, sizeof workers);
    memset(slots, 0, sizeof slots);
    for (int i = 0; i < SLOTS; i++)
        vg_task_init_slot(&slots[i].task);
    memset(works, 0, sizeof works);
    inner_runs = 0;
    nests = false;
    exec.workers = workers;
    exec.workers_count = WORKERS;
    exec.exact = true; /* gives away whenever it can */
    vg_store(&exec.idle.word, 1u, relaxed);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].exec = &exec;
        workers[i].index = i;
        vg_deque_init(&workers[i].deque);
    }
    vg_worker_here = NULL;
    mc_thread_local(&vg_worker_here);
}

static void work(int id, int forks)
{
    vg_worker_here = &workers[id];
    if (id == 0)
        fork_and_join(forks);
    else
        thief(&workers[0], forks);
    drain();
}

static void all_freed(void)
{
    for (int i = 0; i < SLOTS; i++)
        MC_ASSERT(slots[i].used == slots[i].freed);
    for (unsigned i = 0; i < WORKERS; i++)
        MC_ASSERT(vg_deque_empty_any(&workers[i].deque));
    MC_ASSERT(inner_runs == (nests ? 1 : 0));
}

static void one(int id)
{
    work(id, 1);
}
MC_MODEL(fork_taken, .threads = 2, .init = init, .thread = one, .final = all_freed);

static void two(int id)
{
    work(id, 2);
}
MC_MODEL(fork_two_taken, .threads = 2, .init = init, .thread = two, .final = all_freed);

/* Whoever runs the fork makes one in it, which the join that waits may run. */
static void init_nested(void)
{
    init();
    nests = true;
    works[0].inner = &works[1];
}
MC_MODEL(fork_helped, .threads = 2, .init = init_nested, .thread = one, .final = all_freed);
