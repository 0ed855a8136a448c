/* SPDX-License-Identifier: MIT */
#include <vigil/exec.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vg_fault.h"
#include "vg_mix.h"
#include "vg_spin.h"
#include "worker.h"

/* On the worker's thread. Pinned first, so that its memory is near where it runs. */
static int begin(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;
    int rc = 0;

    if (exec->cpus_count > 0 &&
        !exec->exact) /* on the simulator all workers are the caller's thread */
        rc = vg_os_pin(exec->cpus[worker->index % exec->cpus_count]);
    if (rc == 0)
        rc = vg_worker_setup(worker);
    if (rc >= 0 && exec->worker_started != NULL)
        exec->worker_started(exec->worker_arg, worker->index);
    return rc;
}

static void end(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;

    if (exec->worker_stops != NULL)
        exec->worker_stops(exec->worker_arg, worker->index);
    vg_worker_teardown(worker);
}

__attribute__((used)) struct vg_exec *vg_execs;
static struct vg_spin execs_guard;

static void enlist(struct vg_exec *exec)
{
    vg_spin_lock(&execs_guard);
    exec->next = vg_execs;
    exec->link = &vg_execs;
    if (exec->next != NULL)
        exec->next->link = &exec->next;
    vg_execs = exec;
    vg_spin_unlock(&execs_guard);
}

static void delist(struct vg_exec *exec)
{
    vg_spin_lock(&execs_guard);
    *exec->link = exec->next;
    if (exec->next != NULL)
        exec->next->link = exec->link;
    vg_spin_unlock(&execs_guard);
}

static void *worker_main(void *arg)
{
    struct vg_worker *worker = arg;
    struct vg_exec *const exec = worker->exec;
    const int rc = begin(worker);

    vg_store(&worker->pulse.thread, vg_os_thread_id(), relaxed);
    if (rc < 0)
        vg_store(&exec->start_error, rc, relaxed);
    /* Release: the setup, for vg_exec_open(). */
    vg_fetch_add(&exec->ready, 1u, acq_rel);
    vg_os_wake(&exec->ready, 1);
    if (rc < 0)
        return NULL;
    vg_worker_run(worker);
    end(worker);
    return NULL;
}

static void init_worker(struct vg_exec *exec, unsigned index, uint64_t seed)
{
    struct vg_worker *worker = &exec->workers[index];

    worker->exec = exec;
    worker->index = index;
    worker->rng = vg_mix(seed + index + 1) | 1;
    worker->thread = (struct vg_os_thread){.run = worker_main, .arg = worker};
    vg_deque_init(&worker->deque);
    vg_runq_init(&worker->runq);
}

/* The executor and everything of fixed size that belongs to it. */
static struct vg_exec *allocate(const struct vg_config *config, unsigned workers)
{
    const struct vg_alloc alloc = config->alloc != NULL ? *config->alloc : vg_alloc_default;
    struct vg_exec *exec = alloc.alloc(alloc.self, sizeof *exec, VG_LINE);
    const size_t size = sizeof *exec->workers * workers;

    if (exec == NULL)
        return NULL;
    memset(exec, 0, sizeof *exec);
    exec->alloc = alloc;
    exec->workers_count = workers;
    exec->workers_size = size;
    exec->workers = alloc.alloc(alloc.self, size, VG_LINE);
    if (exec->workers == NULL) {
        alloc.free(alloc.self, exec, sizeof *exec, VG_LINE);
        return NULL;
    }
    memset(exec->workers, 0, size);
    return exec;
}

static void release(struct vg_exec *exec)
{
    const struct vg_alloc alloc = exec->alloc;

    delist(exec);
    vg_slots_release(exec);
    vg_slabs_release(&exec->slabs);
    if (exec->own_driver != NULL)
        alloc.free(alloc.self, exec->own_driver, sizeof *exec->own_driver, VG_LINE);
    alloc.free(alloc.self, exec->workers, exec->workers_size, VG_LINE);
    alloc.free(alloc.self, exec, sizeof *exec, VG_LINE);
}

static int choose_driver(struct vg_exec *exec, struct vg_driver *driver)
{
    exec->driver = driver;
    exec->exact = driver != NULL && driver->ops->step != NULL;
    if (driver != NULL)
        return 0;
    exec->own_driver = exec->alloc.alloc(exec->alloc.self, sizeof *exec->own_driver, VG_LINE);
    if (exec->own_driver == NULL)
        return -ENOMEM;
    exec->driver = vg_driver_futex(exec->own_driver);
    return 0;
}

static void configure(struct vg_exec *exec, const struct vg_config *config)
{
    const uint64_t seed = config->seed != 0 ? config->seed : vg_os_random();
    unsigned i;

    exec->probe = config->probe;
    exec->sites = config->sites;
    exec->sites_end = config->sites_end;
    exec->heals = !config->no_healing;
    exec->quiet = config->quiet;
    exec->budget = config->budget == 0 ? VG_BUDGET : (int)config->budget;
    exec->cpus = config->cpus;
    exec->cpus_count = config->cpus != NULL ? config->cpus_count : 0;
    exec->worker_started = config->worker_started;
    exec->worker_stops = config->worker_stops;
    exec->worker_arg = config->worker_arg;
    exec->exact_clock = config->exact_clock;
    snprintf(exec->name, sizeof exec->name, "%s", config->name != NULL ? config->name : "vigil");
    vg_slabs_init(&exec->slabs, &exec->alloc, exec);
    vg_inject_init(&exec->inject);
    vg_idle_init(&exec->idle, exec->workers_count);
    for (i = 0; i < exec->workers_count; i++)
        init_worker(exec, i, seed);
}

/* The clock is the driver's. Before any worker runs: they look at each other's timers. */
static void init_wheels(struct vg_exec *exec)
{
    unsigned i;

    for (i = 0; i < exec->workers_count; i++)
        vg_wheel_init(&exec->workers[i].wheel, vg_exec_now(exec));
}

/* On one thread: workers of a stepped driver. */
static int start_stepped(struct vg_exec *exec)
{
    unsigned i;
    int rc = 0;

    for (i = 0; i < exec->workers_count && rc >= 0; i++) {
        rc = begin(&exec->workers[i]);
        exec->started += rc >= 0;
    }
    vg_worker_here = NULL;
    return rc;
}

static int start_threads(struct vg_exec *exec)
{
    uint32_t ready;
    unsigned i;
    int rc = 0;

    for (i = 0; i < exec->workers_count && rc >= 0; i++) {
        char name[32];

        snprintf(name, sizeof name, "%s-%u", exec->name, i);
        rc = VG_FAULT("thread") ? -EAGAIN : vg_os_thread_start(&exec->workers[i].thread, name);
        exec->started += rc >= 0;
    }
    /* Pairs with the addition in worker_main(). */
    while ((ready = vg_load(&exec->ready, acquire)) < exec->started)
        vg_os_wait(&exec->ready, ready, VG_NEVER);
    return rc < 0 ? rc : vg_load(&exec->start_error, relaxed);
}

void vg_exec_stop_workers(struct vg_exec *exec)
{
    const bool stepped = exec->driver->ops->step != NULL;
    unsigned i;

    vg_store(&exec->phase, VG_PHASE_QUIT, release);
    for (i = 0; i < exec->started && !stepped; i++)
        if (vg_idle_notify_worker(&exec->idle, i))
            exec->driver->ops->unpark(exec->driver, i);
    for (i = 0; i < exec->started; i++) {
        if (stepped) {
            vg_worker_here = &exec->workers[i];
            end(&exec->workers[i]);
        } else {
            vg_os_thread_join(&exec->workers[i].thread);
        }
    }
    vg_inject_close(&exec->inject);
}

void vg_exec_destroy(struct vg_exec *exec, bool left)
{
    if (exec->probe != NULL && exec->probe->detach != NULL)
        exec->probe->detach(exec->probe); /* it may use the clock until then */
    exec->driver->ops->close(exec->driver);
    if (left) {
        /* Sources of wakes may still find its tasks, and their way to it and its clock. */
        exec->driver = vg_driver_gone();
        return;
    }
    release(exec);
}

static int attach(struct vg_exec *exec)
{
    struct vg_probe *const probe = exec->probe;
    const int rc = probe != NULL && probe->attach != NULL
                       ? probe->attach(probe, exec, exec->workers_count)
                       : 0;

    for (unsigned i = 0; i < exec->workers_count && rc >= 0; i++)
        exec->workers[i].waits =
            probe != NULL && probe->waits != NULL ? probe->waits(probe, i) : NULL;
    return rc;
}

int vg_exec_open(struct vg_exec **out, const struct vg_config *config)
{
    const unsigned workers = config->workers != 0 ? config->workers : vg_os_cpus();
    struct vg_exec *exec;
    int rc;

    *out = NULL;
    if (config->workers > VG_WORKERS_MAX || config->budget > INT32_MAX)
        return -EINVAL;
    exec = allocate(config, workers < VG_WORKERS_MAX ? workers : VG_WORKERS_MAX);
    if (exec == NULL)
        return -ENOMEM;
    configure(exec, config);
    enlist(exec);
    rc = choose_driver(exec, config->driver);
    if (rc < 0)
        goto fail_driver;
    rc = exec->driver->ops->open(exec->driver, exec->workers_count);
    if (rc < 0)
        goto fail_driver;
    init_wheels(exec);
    rc = attach(exec);
    if (rc < 0)
        goto fail_probe;
    rc = exec->driver->ops->step != NULL ? start_stepped(exec) : start_threads(exec);
    if (rc < 0)
        goto fail_start;
    *out = exec;
    return 0;

fail_start:
    vg_exec_stop_workers(exec);
    vg_exec_destroy(exec, false);
    return rc;
fail_probe:
    exec->driver->ops->close(exec->driver);
fail_driver:
    release(exec);
    return rc;
}

enum vg_step vg_exec_step(struct vg_exec *exec, unsigned index)
{
    struct vg_worker *const worker = &exec->workers[index];
    struct vg_worker *const before = vg_worker_here;
    enum vg_step step;

    vg_worker_here = worker;
    if (worker->dozing)
        vg_worker_rise(worker);
    step = vg_worker_step(worker);
    worker->dozing = step == VG_STEP_IDLE;
    if (worker->dozing && !vg_worker_doze(worker))
        step = VG_STEP_RAN; /* its last look has found something */
    vg_worker_here = before;
    return step;
}
