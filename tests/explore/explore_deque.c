/* SPDX-License-Identifier: MIT */
/* The deque: every task pushed is run once, by the owner or a thief, who sees what the pusher wrote. */
#define VG_DEQUE_CAPACITY 2
#include "deque.h"

#include "explore.h"

struct vg_task {
    int payload, runs;
};

enum { TASKS = 3 };

static struct vg_deque deque;
static struct vg_task tasks[TASKS];

static void init(void)
{
    vg_deque_init(&deque);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = (struct vg_task){0, 0};
}

static void run(struct vg_task *task)
{
    if (!task)
        return;
    VG_RD(&task->payload);
    MC_ASSERT(task->payload == 1);
    VG_WR(&task->runs);
    MC_ASSERT(task->runs++ == 0);
}

/* Fills the deque, takes one while thieves are at it, and empties it at the end. */
static void owner(int tasks_to_push)
{
    struct vg_task *task;

    for (int i = 0; i < tasks_to_push;) {
        VG_WR(&tasks[i].payload);
        tasks[i].payload = 1;
        if (vg_deque_push_owner(&deque, &tasks[i]))
            i++;
        else
            run(vg_deque_take_owner(&deque));
        if (i == 2)
            run(vg_deque_take_owner(&deque));
    }
    while ((task = vg_deque_take_owner(&deque)))
        run(task);
}

static void thief(void)
{
    struct vg_task *task = NULL;

    if (vg_deque_steal_any(&deque, &task) == VG_STEAL_GOT)
        run(task);
}

static void one_thief(int id)
{
    if (id == 0) {
        owner(TASKS);
    } else {
        thief();
        thief();
    }
}

static void two_thieves(int id)
{
    if (id == 0)
        owner(TASKS);
    else
        thief();
}

static void final(void)
{
    for (int i = 0; i < TASKS; i++)
        MC_ASSERT(tasks[i].runs == 1);
    MC_ASSERT(vg_deque_empty_any(&deque));
}

MC_MODEL(deque_one_thief, .threads = 2, .init = init, .thread = one_thief, .final = final);
MC_MODEL(deque_two_thieves, .threads = 3, .init = init, .thread = two_thieves, .final = final);

/* The index of the owner passes the thief's at both ends of its range of remainders. */
static void init_far(void)
{
    init();
    vg_store(&deque.top, INT64_C(0x7fffffff), relaxed);
    vg_store(&deque.bottom, INT64_C(0x7fffffff), relaxed);
}
MC_MODEL(deque_past_32_bits, .threads = 2, .init = init_far, .thread = one_thief, .final = final);
