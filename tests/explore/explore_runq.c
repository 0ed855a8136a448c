/* SPDX-License-Identifier: MIT */
/* The run queue: every task is run once, whoever steals, and in order of arrival at each worker. */
#define VG_RUNQ_SIZE 4
#include "runq.h"

#include "explore.h"

struct vg_task {
    int payload, runs, number;
};

enum { TASKS = 5, WORKERS = 3 };

static struct vg_runq queues[WORKERS];
static struct vg_task tasks[TASKS];
static uint32_t start; /* first index */

static void init_at(uint32_t index)
{
    start = index;
    for (int i = 0; i < WORKERS; i++) {
        vg_store(&queues[i].head, start, relaxed);
        vg_store(&queues[i].tail, start, relaxed);
    }
    for (int i = 0; i < TASKS; i++)
        tasks[i] = (struct vg_task){.number = i};
}

static void init(void)
{
    for (int i = 0; i < WORKERS; i++)
        vg_runq_init(&queues[i]);
    init_at(0);
}

/* Indices wrap in the middle of the run. */
static void init_before_wrap(void)
{
    init_at(UINT32_MAX - 1);
}

static int run(struct vg_task *task)
{
    VG_RD(&task->payload);
    MC_ASSERT(task->payload == 1);
    VG_WR(&task->runs);
    MC_ASSERT(task->runs++ == 0);
    return task->number;
}

static void drain(int worker, int last)
{
    struct vg_task *task;

    while ((task = vg_runq_pop_owner(&queues[worker]))) {
        int number = run(task);
        MC_ASSERT(number > last);
        last = number;
    }
}

/* More than fit at once, so that slots are used again while a thief copies them. */
static void owner(int pushes)
{
    for (int i = 0; i < pushes; i++) {
        VG_WR(&tasks[i].payload);
        tasks[i].payload = 1;
        while (!vg_runq_push_owner(&queues[0], &tasks[i])) {
            struct vg_task *task = vg_runq_pop_owner(&queues[0]);
            if (task)
                run(task);
        }
    }
    drain(0, -1);
}

static void thief(int worker, int victim)
{
    struct vg_task *task = vg_runq_steal_half_any(&queues[victim], &queues[worker]);

    if (task)
        drain(worker, run(task));
}

static void one_thief(int id)
{
    if (id == 0)
        owner(TASKS);
    else
        thief(1, 0);
}

static void stolen_from_in_turn(int id)
{
    if (id == 0)
        owner(3);
    else
        thief(id, id - 1);
}

static void ran(int count)
{
    for (int i = 0; i < count; i++)
        MC_ASSERT(tasks[i].runs == 1);
    for (int i = 0; i < WORKERS; i++) {
        MC_ASSERT(vg_runq_empty_any(&queues[i]));
        MC_ASSERT(vg_runq_length_any(&queues[i]) == 0);
    }
}

static void all_ran(void)
{
    ran(TASKS);
}

static void three_ran(void)
{
    ran(3);
}

MC_MODEL(runq_one_thief, .threads = 2, .init = init, .thread = one_thief, .final = all_ran);
MC_MODEL(runq_index_wraps, .threads = 2, .init = init_before_wrap, .thread = one_thief,
         .final = all_ran);
MC_MODEL(runq_stolen_from_in_turn, .threads = 3, .init = init, .thread = stolen_from_in_turn,
         .final = three_ran);
