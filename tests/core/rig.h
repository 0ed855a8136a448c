/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_RIG_H
#define VIGIL_TESTS_CORE_RIG_H

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/probe.h>
#include <vigil/time.h>

#include "event.h"
#include "harness.h"
#include "sim.h"

/*
 * One worker that runs when the test says so, on a clock that stands still unless the test moves it.
 * What the test does between two runs comes from outside, as if from another thread.
 *
 *     struct rig rig;
 *     rig_open(&rig);
 *     rig_spawn(&rig, waiter, &event);
 *     event_set(&event);
 *     rig_run(&rig);
 *     CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
 *     rig_close(&rig);
 */

enum { RIG_TASKS = 8, RIG_STEPS = 100000 };

struct rig {
    struct sim sim;
    struct vg_exec *exec;
    struct vg_handle task[RIG_TASKS];
    unsigned tasks;
};

static inline void rig_open_config(struct rig *rig, unsigned workers, struct vg_probe *probe,
                                   bool healing)
{
    struct vg_config config;

    memset(rig, 0, sizeof *rig);
    sim_open(&rig->sim, 1, workers);
    rig->sim.limits.drift_ns = 0;
    rig->sim.faults.spurious = 0;
    config = sim_config(&rig->sim);
    config.probe = probe;
    config.no_healing = !healing;
    CHECK_EQ(vg_exec_open(&rig->exec, &config), 0);
}

static inline void rig_open(struct rig *rig)
{
    rig_open_config(rig, 1, NULL, true);
}

/* Until every worker is idle; time stands still. */
static inline void rig_run(struct rig *rig)
{
    unsigned steps = 0, idle = 0, i;

    for (i = 0; idle < vg_exec_workers(rig->exec); i = (i + 1) % vg_exec_workers(rig->exec)) {
        idle = vg_exec_step(rig->exec, i) == VG_STEP_IDLE ? idle + 1 : 0;
        if (++steps > RIG_STEPS)
            FAIL("no rest after %d steps", RIG_STEPS);
    }
}

/* Lets time pass, and what falls due in it run. */
static inline void rig_pass(struct rig *rig, uint64_t ns)
{
    const uint64_t end = sim_now(&rig->sim) + ns;
    uint64_t next;

    rig_run(rig);
    while ((next = vg_exec_next_deadline(rig->exec)) <= end) {
        CHECK(next > sim_now(&rig->sim));
        rig->sim.now = next;
        rig_run(rig);
    }
    rig->sim.now = end;
    rig_run(rig);
}

/* Spawns a task, runs it until it waits, and keeps its handle. */
#define rig_spawn(rig, fn, ...)                                                                    \
    do {                                                                                           \
        CHECK((rig)->tasks < RIG_TASKS);                                                           \
        CHECK_EQ(VG_SPAWN((rig)->exec, &(rig)->task[(rig)->tasks], fn, ##__VA_ARGS__), 0);         \
        (rig)->tasks++;                                                                            \
        rig_run(rig);                                                                              \
    } while (0)

#define RIG_RET(rig, i, type) VG_TASK_RET(&(rig)->task[i], type)

static inline bool rig_done(const struct rig *rig, unsigned i)
{
    return vg_task_done(&rig->task[i]);
}

static inline uint64_t rig_polls(const struct rig *rig, unsigned i)
{
    struct vg_task_info info;

    vg_task_info(rig->task[i].task, &info);
    return info.polls;
}

/* Every task must have ended. */
static inline void rig_close(struct rig *rig)
{
    unsigned i;

    for (i = 0; i < rig->tasks; i++) {
        CHECK(vg_task_done(&rig->task[i]));
        vg_task_release(&rig->task[i]);
    }
    CHECK_EQ(vg_exec_close(rig->exec, VG_SEC(5)), 0);
    sim_close(&rig->sim);
}

/* What a test does to memory that is free again: late accesses read this. */
#define SCRIBBLE(object) memset((object), 0xdd, sizeof *(object))

#endif
