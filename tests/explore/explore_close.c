/* SPDX-License-Identifier: MIT */
/*
 * The end of an executor: a thread outside wakes its last task, which runs and ends, while another thread closes it. The task is run
 * first, and the memory goes when nobody is in it any more: neither the worker nor the thread that woke.
 */
#include <string.h>

#include "quiet_driver.h"

static struct vg_exec exec;
static struct vg_worker worker;
static struct vg_driver driver;
static struct vg_task job;
static struct mc_bell left;
static int polled, destroyed; /* by the model only */

/* ---- what a worker asks of its driver, its timers and its tasks ---------------------------------- */

static unsigned driver_turn(struct vg_driver *d, unsigned index)
{
    (void)d, (void)index;
    return 0;
}

static const struct vg_driver_ops driver_ops = {QUIET_DRIVER, .turn = driver_turn};

uint64_t vg_exec_now(const struct vg_exec *owner)
{
    (void)owner;
    return 1;
}

enum vg_poll_end vg_task_poll(struct vg_worker *here, struct vg_task *task)
{
    MC_ASSERT(task == &job && polled++ == 0);
    /* As at the end of vg_poll_finish(). */
    vg_store(&here->counts.finished, vg_load(&here->counts.finished, relaxed) + 1, release);
    if (vg_load(&exec.phase, relaxed) != VG_PHASE_RUNNING)
        vg_exec_task_ended(&exec);
    return VG_END_DONE;
}

/* ---- what the closer asks for --------------------------------------------------------------------- */

uint64_t vg_exec_live(const struct vg_exec *owner)
{
    (void)owner;
    return 1 - vg_load(&worker.counts.finished, acquire);
}

/* The closer looks again after a while in any case. */
void vg_os_wait(VG_ATOMIC(uint32_t) *word, uint32_t expected, uint64_t deadline)
{
    (void)deadline;
    if (vg_load(word, relaxed) == expected)
        vg_pause();
}

void vg_os_wake(VG_ATOMIC(uint32_t) *word, int count)
{
    (void)word, (void)count;
}

void vg_os_yield(void)
{
    vg_pause();
}

void vg_exec_stop_workers(struct vg_exec *owner)
{
    vg_store(&owner->phase, VG_PHASE_QUIT, release);
    mc_bell_ring(&doorbells[0]);
    mc_bell_wait(&left); /* joins it */
}

void vg_exec_destroy(struct vg_exec *owner, bool leaves)
{
    MC_ASSERT(!leaves && polled == 1);
    /* What others use of it: from the phase to the first of those who may sleep. */
    mc_free(&owner->phase, offsetof(struct vg_exec, idle) - offsetof(struct vg_exec, phase));
    mc_free(&owner->idle.guard, sizeof owner->idle.guard);
    mc_free(&owner->idle.word, sizeof owner->idle.word);
    mc_free(&owner->idle.parkers[0], sizeof owner->idle.parkers[0]);
    destroyed++;
}

/* The task cannot be cancelled. */
void vg_slab_each(struct vg_slabs *slabs, bool (*visit)(struct vg_task *task, void *arg), void *arg)
{
    (void)slabs, (void)visit, (void)arg;
}

bool vg_task_try_ref(struct vg_task *task)
{
    (void)task;
    mc_fail(MC_ASSERTION, "there are no tasks to walk");
}

bool vg_task_ask_cancel(struct vg_task *task)
{
    (void)task;
    mc_fail(MC_ASSERTION, "there are no tasks to walk");
}

void vg_task_unref(struct vg_task *task)
{
    (void)task;
    mc_fail(MC_ASSERTION, "there are no tasks to walk");
}

void vg_block_release(VG_ATOMIC(uint32_t) *word, uint32_t how)
{
    (void)word, (void)how;
    mc_fail(MC_ASSERTION, "nobody blocks");
}

const struct vg_site *vg_site_of(const struct vg_future *fut)
{
    (void)fut;
    return NULL;
}

/* ---- the model -------------------------------------------------------------------------------------- */

static void init(void)
{
    memset(&exec, 0, sizeof exec);
    memset(&worker, 0, sizeof worker);
    polled = destroyed = 0;
    driver.ops = &driver_ops;
    exec.driver = &driver;
    exec.exact = true;
    exec.workers = &worker;
    exec.workers_count = 1;
    vg_inject_init(&exec.inject);
    vg_idle_init(&exec.idle, 1);
    worker.exec = &exec;
    worker.rng = 1;
    vg_deque_init(&worker.deque);
    vg_runq_init(&worker.runq);
    vg_store(&worker.wheel.next, VG_NEVER, relaxed);
    vg_worker_here = NULL;
    mc_thread_local(&vg_worker_here);
}

static void closing(int id)
{
    if (id == 0) {
        MC_ASSERT(vg_worker_setup(&worker) == 0);
        vg_worker_run(&worker);
        vg_worker_teardown(&worker);
        mc_bell_ring(&left);
    } else if (id == 1) {
        vg_enqueue(&exec, &job,
                   VG_QUEUE_BACK); /* as vg_notify() does, with a task that it has just woken */
    } else {
        MC_ASSERT(vg_exec_close(&exec, VG_NEVER) == 0);
    }
}

static void gone(void)
{
    MC_ASSERT(destroyed == 1);
}
MC_MODEL(close_while_woken, .threads = 3, .init = init, .thread = closing, .final = gone);
