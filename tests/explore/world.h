/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_EXPLORE_WORLD_H
#define VIGIL_TESTS_EXPLORE_WORLD_H

#include "task.h"
#include "vg_spin.h"
#include "worker.h"

#include "explore.h"

/*
 * What is left of an executor when wakes and polls are what matters: tasks that are the library's own, polled by its
 * own vg_task_poll(), each with a run queue of one place that some of the model's threads serve.
 */

struct world_task {
    struct vg_task task;
    char frame[256] __attribute__((aligned(16))); /* where the library looks for one */
    struct mc_bell runnable;
    int queued, polled, over; /* by the model only: in the queue, being polled, has ended */
};

/* In init(): no workers run, no tasks are there. */
void world_init(void);

/* Makes a task that is ready for its first poll. */
void world_spawn(struct world_task *task, struct vg_future *root);

/* The same by the library's own vg_task_start(), for models that have task.c among their sources. */
void world_start(struct world_task *task, struct vg_future *root, unsigned refs);

struct vg_worker *world_worker(int worker);

/* The thread becomes a worker and polls this task whenever it is runnable, until it has ended. */
void world_work(int worker, struct world_task *task);

/* The task a future's cx or waiter belongs to. */
struct world_task *world_task_of(struct vg_task *task);

/* An event that happens once: a leaf under a lock, as <vigil/future.h> prescribes. */
struct world_event {
    struct vg_future fut;
    struct vg_waiter waiter;
    struct vg_spin guard;
    int happened;
};

struct world_event *world_event(struct world_event *event);
void world_happen(struct world_event *event);

#endif
