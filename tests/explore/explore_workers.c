/* SPDX-License-Identifier: MIT */
/*
 * Two workers in the library's own loop: where tasks are queued, how they are found, stolen and slept for.
 * Some job ends only when another one has been done, so both workers are needed: no task may wait in a queue
 * while a worker sleeps.
 */
#include <string.h>

#include "quiet_driver.h"

enum { WORKERS = QUIET_WORKERS };

/* What the jobs do when they are polled. */
enum { FIRST, SECOND, NOTHING, SPAWNER, JOBS };

static struct vg_exec exec;
static struct vg_worker workers[WORKERS];
static struct vg_driver driver;
static struct vg_task jobs[JOBS];
static struct mc_bell first_begun, second_done, injected;
static enum vg_place_in_queue
    spawned_to;                /* by the spawner; it waits for `injected` if it spawns nothing */
static int spawns[3], spawned; /* if nothing, it waits until something was injected */
static bool spawner_waits;     /* for the second */
static int completions[2], completing;
static int expected, done, polled[JOBS]; /* by the model only */
static uint64_t asked;                   /* times that the clock was asked */

/* ---- what a worker asks of its driver, its timers and its tasks ---------------------------------- */

/* What completes in the first turn of worker 0. */
static unsigned driver_turn(struct vg_driver *d, unsigned worker)
{
    const int n = worker == 0 ? completing : 0;

    (void)d;
    completing -= n;
    for (int i = 0; i < n; i++)
        vg_enqueue(&exec, &jobs[completions[i]], VG_QUEUE_BACK);
    return (unsigned)n;
}

/* For who waits for a while: it is over at once. */
uint64_t vg_exec_now(const struct vg_exec *owner)
{
    (void)owner;
    return VG_MSEC(++asked);
}

static const struct vg_driver_ops driver_ops = {QUIET_DRIVER, .turn = driver_turn};

static void stop(void)
{
    vg_store(&exec.phase, VG_PHASE_QUIT, release);
    for (unsigned i = 0; i < WORKERS; i++)
        mc_bell_ring(&doorbells[i]);
}

static void spawn(void)
{
    if (spawned == 0)
        mc_bell_wait(&injected);
    for (int i = 0; i < spawned; i++)
        vg_enqueue(&exec, &jobs[spawns[i]], spawned_to);
}

enum vg_poll_end vg_task_poll(struct vg_worker *worker, struct vg_task *task)
{
    long job = task - jobs;

    MC_ASSERT(polled[job]++ == 0);
    worker->cx = &worker->context;
    if (job == FIRST) {
        mc_bell_ring(&first_begun);
        mc_bell_wait(&second_done);
    } else if (job == SECOND) {
        mc_bell_ring(&second_done);
    } else if (job == SPAWNER) {
        spawn();
        if (spawner_waits) {
            mc_bell_ring(&first_begun);
            mc_bell_wait(&second_done);
        }
    }
    worker->cx = NULL;
    if (++done == expected)
        stop();
    return VG_END_DONE;
}

/* ---- models ----------------------------------------------------------------------------------- */

static void init(int jobs_to_do)
{
    memset(&exec, 0, sizeof exec);
    memset(workers, 0, sizeof workers);
    memset(jobs, 0, sizeof jobs);
    memset(polled, 0, sizeof polled);
    expected = jobs_to_do;
    done = spawned = completing = 0;
    spawner_waits = false;
    asked = 0;
    driver.ops = &driver_ops;
    exec.driver = &driver;
    exec.exact = true; /* time stands still: nobody is to wait for it */
    exec.workers = workers;
    exec.workers_count = WORKERS;
    vg_inject_init(&exec.inject);
    vg_idle_init(&exec.idle, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].exec = &exec;
        workers[i].index = i;
        workers[i].rng = 1;
        vg_deque_init(&workers[i].deque);
        vg_runq_init(&workers[i].runq);
        vg_store(&workers[i].wheel.next, VG_NEVER, relaxed);
        mc_hint(&workers[i].pulse.step_ns);
        mc_hint(&workers[i].counts.polls);
    }
    workers[0].filled = true; /* as far as it knows: models fill its queues */
    vg_worker_here = NULL;
    mc_thread_local(&vg_worker_here);
}

static void work(int id)
{
    MC_ASSERT(vg_worker_setup(&workers[id]) == 0);
    vg_worker_run(&workers[id]);
}

static void all_done(void)
{
    MC_ASSERT(done == expected);
    for (unsigned i = 0; i < WORKERS; i++)
        MC_ASSERT(vg_pocket_empty_owner(&workers[i].pocket) && vg_runq_empty_any(&workers[i].runq));
}

static void init_injected(void)
{
    init(2);
}

static void from_outside(int id)
{
    if (id < WORKERS) {
        work(id);
    } else {
        vg_enqueue(&exec, &jobs[FIRST], VG_QUEUE_BACK);
        vg_enqueue(&exec, &jobs[SECOND], VG_QUEUE_BACK);
    }
}
MC_MODEL(workers_injected, .threads = 3, .init = init_injected, .thread = from_outside,
         .final = all_done);

/* A worker that is not searching takes all that came from outside, and keeps the rest. */
static void init_busy(void)
{
    init(3);
    MC_ASSERT(vg_runq_push_owner(&workers[0].runq, &jobs[SPAWNER]));
    workers[0].tick = 30;
    workers[0].aged_ring = true; /* after the next task it is the injection queue's turn */
}

static void while_busy(int id)
{
    if (id < WORKERS) {
        work(id);
    } else {
        vg_enqueue(&exec, &jobs[FIRST], VG_QUEUE_BACK);
        vg_enqueue(&exec, &jobs[SECOND], VG_QUEUE_BACK);
        mc_bell_ring(&injected);
    }
}
MC_MODEL(workers_injected_while_busy, .threads = 3, .init = init_busy, .thread = while_busy,
         .final = all_done);

static void init_spawned(enum vg_place_in_queue where, int first, int second)
{
    init(3);
    spawned_to = where;
    spawned = 2;
    spawns[0] = first;
    spawns[1] = second;
    MC_ASSERT(vg_runq_push_owner(&workers[0].runq, &jobs[SPAWNER]));
}

static void init_spawned_behind(void)
{
    init_spawned(VG_QUEUE_BACK, FIRST, SECOND);
}
MC_MODEL(workers_spawned_behind, .threads = 2, .init = init_spawned_behind, .thread = work,
         .final = all_done);

static void init_spawned_child(void)
{
    init_spawned(VG_QUEUE_SCOPE, SECOND, FIRST);
}
MC_MODEL(workers_spawned_child, .threads = 2, .init = init_spawned_child, .thread = work,
         .final = all_done);

/* The second displaces the first from the private slot, where thieves do not look. */
static void init_woken(void)
{
    init_spawned(VG_QUEUE_WARM, SECOND, FIRST);
}
MC_MODEL(workers_woken, .threads = 2, .init = init_woken, .thread = work, .final = all_done);

/* Behind what has overflowed, new tasks overflow too, and come into the ring when their worker has room. */
static void init_overflowing(void)
{
    init_spawned_behind();
    expected = 4;
    spawned = 3;
    spawns[2] = NOTHING;
    vg_store(&workers[0].overflow.length, 1, relaxed);
}
MC_MODEL(workers_overflowing, .threads = 2, .init = init_overflowing, .thread = work,
         .final = all_done);

/* What completes in one turn is announced when the turn is over. */
static void init_completed(void)
{
    init(2);
    exec.exact = false; /* what is short is not shared */
    completing = 2;
    completions[0] = FIRST;
    completions[1] = SECOND;
}
MC_MODEL(workers_completed, .threads = 2, .init = init_completed, .thread = work,
         .final = all_done);

/* One that completes alone is not, unless another task goes before it. */
static void init_completed_behind(void)
{
    init(2);
    exec.exact = false;
    completing = 1;
    completions[0] = SECOND;
    MC_ASSERT(vg_pocket_put_owner(&workers[0].pocket, &jobs[FIRST]) == NULL);
    workers[0].turned -= 1000; /* the driver's turn is due */
}
MC_MODEL(workers_completed_behind, .threads = 2, .init = init_completed_behind, .thread = work,
         .final = all_done);

/* Short polls are not shared; when one of them turns out long, an observer has what waits behind it rescued. */
static void init_rescued(void)
{
    init_completed();
}

static void rescued(int id)
{
    if (id == 0) {
        MC_ASSERT(vg_worker_setup(&workers[0]) == 0);
        workers[0].burst = 0;
        vg_worker_run(&workers[0]);
    } else if (id < WORKERS) {
        work(id);
    } else {
        mc_bell_wait(&first_begun);
        vg_exec_rescue(&exec, 0);
    }
}
MC_MODEL(workers_rescued, .threads = 3, .init = init_rescued, .thread = rescued, .final = all_done);

/* The one that it has woken itself, too. */
static void init_rescued_pocket(void)
{
    init(2);
    spawned_to = VG_QUEUE_WARM;
    spawned = 1;
    spawns[0] = SECOND;
    spawner_waits = true;
    MC_ASSERT(vg_runq_push_owner(&workers[0].runq, &jobs[SPAWNER]));
}

static void rescued_pocket(int id)
{
    if (id < WORKERS) {
        work(id);
    } else {
        mc_bell_wait(&first_begun);
        for (unsigned i = 0; i < WORKERS; i++) /* whichever it is */
            vg_exec_rescue(&exec, i);
    }
}
MC_MODEL(workers_rescued_pocket, .threads = 3, .init = init_rescued_pocket,
         .thread = rescued_pocket, .final = all_done);

/* The observer has opened the slot, and the poll ends after all: one of both runs what is in it. */
static void init_pocket_race(void)
{
    init_rescued_pocket();
    spawner_waits = false;
}

static void pocket_race(int id)
{
    if (id < WORKERS)
        work(id);
    else
        vg_exec_rescue(&exec, 0);
}
MC_MODEL(workers_pocket_race, .threads = 3, .init = init_pocket_race, .thread = pocket_race,
         .final = all_done);
