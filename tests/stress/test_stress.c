/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vigil/exec.h>
#include <vigil/probe.h>

#include "counting_alloc.h"
#include "threads.h"
#include "vg_fault.h"

#define SCRIBBLE(object) memset((object), 0xdd, sizeof *(object))

#include "arms.h"

/*
 * Everything at once, for the sanitizers: jobs that select, keep, park and lock on some workers, two threads
 * that wake them (also twice, and long after), one that cancels and inspects them. Memory is overwritten
 * as soon as it may be, and the library's fault points make the threads stumble where it hurts.
 */

enum { WAKERS = 2, LANES = 24, ARMS = 3, MUTEXES = 3, STALE = 64, ROUNDS = 40 };

/* One job after the other. */
struct lane {
    struct vg_spin guard;
    struct vg_handle job; /* to be cancelled by anybody, under the guard, unless it is */
    bool spared; /* as every other job is, however slow the machine: some reach their end */
    struct source source[ARMS];
    uint64_t counted; /* what its jobs have added to the mutexes' counters */
};

static struct stress {
    struct vg_exec *exec;
    struct lane lane[LANES];
    struct vg_mutex mutex[MUTEXES];
    uint64_t counter[MUTEXES]; /* under the mutex */
    unsigned jobs;             /* in each lane */
    VG_ATOMIC(int) stop;
} stress;

/* ---- a job ----------------------------------------------------------------------------------- */

struct job {
    VG_FRAME(int);
    struct lane *lane;
    unsigned random, round, i, mutex;
    struct arm arm[ARMS];
    union {
        struct {
            struct vg_select sel;
            struct vg_arm arm[ARMS];
        } select;
        struct {
            struct vg_join join;
            struct vg_future *child[1];
        } one;
        struct vg_yield yield;
    } u;
};

static bool chance(struct job *f, unsigned percent)
{
    return test_draw(&f->random) % 100 < percent;
}

/* At most one lock at a time, so that jobs cannot wait for each other in a circle. */
static struct vg_select *choose(struct job *f)
{
    const unsigned count = 1 + test_draw(&f->random) % ARMS;
    struct vg_arm arms[ARMS];
    bool locks = false;

    f->mutex = test_draw(&f->random) % MUTEXES;
    for (unsigned i = 0; i < count; i++) {
        enum kind kind = (enum kind)(test_draw(&f->random) % (locks ? LOCK : KINDS));
        arms[i].fut = arm_init(&f->arm[i], kind, &f->lane->source[i], &stress.mutex[f->mutex],
                               (uint64_t)test_draw(&f->random) * 41);
        arms[i].policy = (uint8_t)(test_draw(&f->random) % 3);
        arms[i].enabled = true;
        locks = locks || kind == LOCK;
    }
    return (chance(f, 25) ? vg_select_biased : vg_select)(&f->u.select.sel, f->u.select.arm, arms,
                                                          count);
}

/* What an arm that has ended, or never began, leaves to do; its memory is free afterwards. */
static void settle(struct job *f, struct arm *arm)
{
    if (arm->fut == NULL || arm_lives(arm))
        return;
    if (arm_has_lock(arm)) {
        stress.counter[f->mutex]++;
        f->lane->counted++;
        vg_unlock(&stress.mutex[f->mutex]);
    }
    if (arm->kind == TASK) {
        if (test_draw(&f->random) % 2)
            vg_task_cancel(&arm->u.task.handle);
        vg_task_release(&arm->u.task.handle);
    }
    SCRIBBLE(arm);
    arm->fut = NULL;
}

VG_ASYNC(job)
{
    VG_BEGIN(f);
    int rc;
    for (f->round = 0; f->round < ROUNDS && !vg_cancelled(&f->fut); f->round++) {
        VG_AWAIT(rc, choose(f));
        CHECK(rc >= 0 || rc == -ECANCELED);
        SCRIBBLE(&f->u);
        for (unsigned i = 0; i < ARMS; i++)
            settle(f, &f->arm[i]);
        if (chance(f, 30))
            VG_AWAIT(rc, vg_yield(&f->u.yield)); /* kept ones go on meanwhile */
        for (f->i = 0; f->i < ARMS; f->i++) {
            settle(f, &f->arm[f->i]);
            if (f->arm[f->i].fut == NULL)
                continue;
            vg_join(&f->u.one.join, f->u.one.child, &f->arm[f->i].fut, 1);
            if (chance(f, 50))
                VG_AWAIT(rc, &f->u.one.join);
            else
                VG_AWAIT_CANCEL(rc, &f->u.one.join);
            SCRIBBLE(&f->u);
            settle(f, &f->arm[f->i]);
            CHECK(f->arm[f->i].fut == NULL);
        }
    }
    VG_RETURN(vg_cancelled(&f->fut));
}

static struct job *job(struct job *f, struct lane *lane, unsigned random)
{
    VG_SETUP(f, job);
    f->lane = lane;
    f->random = random;
    for (unsigned i = 0; i < ARMS; i++)
        f->arm[i].fut = NULL;
    return f;
}

/* ---- who spawns them ------------------------------------------------------------------------- */

struct driver {
    VG_FRAME(int);
    struct lane *lane;
    unsigned random, i;
    struct vg_task_wait wait;
};

static int hand_out(struct lane *lane, bool spared, unsigned random)
{
    int rc;

    vg_spin_lock(&lane->guard);
    lane->spared = spared;
    rc = VG_SPAWN(stress.exec, &lane->job, job, lane, random);
    vg_spin_unlock(&lane->guard);
    return rc;
}

static void take_back(struct lane *lane)
{
    struct vg_handle handle;

    vg_spin_lock(&lane->guard);
    handle = lane->job;
    lane->job.task = NULL;
    vg_spin_unlock(&lane->guard);
    if (lane->spared)
        CHECK_EQ(VG_TASK_RET(&handle, struct job), 0);
    vg_task_release(&handle);
}

VG_ASYNC(driver)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < stress.jobs; f->i++) {
        CHECK_EQ(hand_out(f->lane, f->i % 2, test_draw(&f->random)), 0);
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->lane->job));
        CHECK_EQ(rc, 0);
        take_back(f->lane);
    }
    VG_RETURN(0);
}

static struct driver *driver(struct driver *f, struct lane *lane, unsigned random)
{
    VG_SETUP(f, driver);
    f->lane = lane;
    f->random = random;
    return f;
}

/* ---- threads outside ------------------------------------------------------------------------- */

static void wake_something(unsigned *random, struct vg_waker *stale)
{
    struct source *source =
        &stress.lane[test_draw(random) % LANES].source[test_draw(random) % ARMS];
    struct vg_waker waker;

    if (test_draw(random) % 2) {
        event_set(&source->event);
        return;
    }
    if (test_draw(random) % 8 == 0) {
        event_poke(&source->event);
        return;
    }
    waker = board_happens(&source->board);
    vg_waker_wake(waker);
    if (test_draw(random) % 2)
        vg_waker_wake(waker);
    stale[test_draw(random) % STALE] = waker;
    vg_waker_wake(stale[test_draw(random) % STALE]);
}

static void run_waker(unsigned id)
{
    unsigned random = id + 1, n = 0;
    struct vg_waker stale[STALE] = {{NULL, 0}};

    while (!vg_load(&stress.stop, relaxed)) {
        wake_something(&random, stale);
        if (++n % 16 == 0)
            vg_os_yield();
    }
}

static bool inspect(struct vg_task *task, void *arg)
{
    struct vg_task_info info;

    vg_task_info(task, &info);
    CHECK(info.name != NULL);
    if (!vg_inspect_begin(task))
        return true;
    CHECK(vg_task_root(task)->ops->name != NULL);
    for (unsigned i = 0; i < ARMS && vg_task_owed(task, i) != NULL; i++)
        ++*(unsigned *)arg;
    vg_inspect_end(task);
    return true;
}

static void run_canceller(void)
{
    unsigned random = 99, owed = 0;

    while (!vg_load(&stress.stop, relaxed)) {
        struct lane *lane = &stress.lane[test_draw(&random) % LANES];
        vg_spin_lock(&lane->guard);
        if (lane->job.task != NULL && !lane->spared && test_draw(&random) % 4 == 0)
            vg_task_cancel(&lane->job);
        vg_spin_unlock(&lane->guard);
        if (test_draw(&random) % 4 == 0)
            vg_exec_each_task(stress.exec, inspect, &owed);
        usleep(test_draw(&random) % 1000);
    }
}

static void run_thread(int id)
{
    if (id < WAKERS)
        run_waker((unsigned)id);
    else
        run_canceller();
}

static void *threads_main(void *arg)
{
    (void)arg;
    test_threads(WAKERS + 1, run_thread);
    return NULL;
}

/* ---- all together ---------------------------------------------------------------------------- */

#if VG_FAULTS
static int stumble(const char *name)
{
    static _Thread_local unsigned random;

    if (random == 0)
        random = (unsigned)(uintptr_t)&random | 1;
    if (strcmp(name, "slots") == 0 || strcmp(name, "thread") == 0)
        return 0;
    switch (test_draw(&random) % 64) {
    case 0:
        usleep(test_draw(&random) % 200);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        vg_os_yield();
        break;
    default:
        break;
    }
    return 0;
}
#endif

static void run_stress(unsigned workers, bool healing, unsigned jobs)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_os_thread threads = {.run = threads_main};
    struct vg_handle handle[LANES];
    uint64_t counted = 0, counters = 0;
    unsigned i;

    memset(&stress, 0, sizeof stress);
    stress.jobs = jobs;
    for (i = 0; i < MUTEXES; i++)
        vg_mutex_init(&stress.mutex[i], "stress");
    config.workers = workers;
    config.alloc = &test_alloc;
    config.no_healing = !healing;
    CHECK_EQ(vg_exec_open(&stress.exec, &config), 0);
    CHECK_EQ(vg_os_thread_start(&threads, "threads"), 0);
    for (i = 0; i < LANES; i++)
        CHECK_EQ(VG_SPAWN(stress.exec, &handle[i], driver, &stress.lane[i], i), 0);
    for (i = 0; i < LANES; i++)
        while (!vg_task_done(&handle[i]))
            usleep(1000);
    vg_store(&stress.stop, 1, relaxed);
    vg_os_thread_join(&threads);

    for (i = 0; i < LANES; i++) {
        vg_task_release(&handle[i]);
        counted += stress.lane[i].counted;
    }
    CHECK_EQ(vg_exec_close(stress.exec, VG_SEC(30)), 0);
    for (i = 0; i < MUTEXES; i++) {
        counters += stress.counter[i];
        vg_mutex_fini(&stress.mutex[i]);
    }
    CHECK_EQ(counters, counted);
    CHECK(counted > 0);
    test_count((uint64_t)jobs * LANES, "stress jobs");
}

static unsigned amount(void)
{
    return test_long() ? 400 : 20;
}

TEST(jobs_that_select_keep_park_and_lock_end_and_count_right)
{
#if VG_FAULTS
    vg_fault_install(stumble);
#endif
    FOR_WORKERS (workers)
        run_stress(workers, true, amount());
}

TEST(jobs_end_and_count_right_without_healing)
{
#if VG_FAULTS
    vg_fault_install(stumble);
#endif
    FOR_WORKERS (workers)
        run_stress(workers, false, amount());
}

TEST(jobs_end_and_count_right_at_full_speed)
{
    FOR_WORKERS (workers)
        run_stress(workers, true, amount() * 2);
}
