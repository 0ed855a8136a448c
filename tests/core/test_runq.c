/* SPDX-License-Identifier: MIT */
#include "runq.h"

#include "threads.h"

struct vg_task {
    uint32_t number, check;
    VG_ATOMIC(uint32_t) runs;
};

enum { TASKS = 200000, WORKERS = 4 };

static struct vg_runq queues[WORKERS];
static struct vg_task tasks[TASKS];
static VG_ATOMIC(uint32_t) ran;

static void fill(struct vg_runq *runq, int count)
{
    vg_runq_init(runq);
    for (int i = 0; i < count; i++)
        CHECK(vg_runq_push_owner(runq, &tasks[i]));
}

TEST(tasks_leave_in_the_order_they_came)
{
    fill(&queues[0], 3);
    CHECK_EQ(vg_runq_length_any(&queues[0]), 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(vg_runq_pop_owner(&queues[0]), &tasks[i]);
    CHECK(!vg_runq_pop_owner(&queues[0]));
    CHECK(vg_runq_empty_any(&queues[0]));
}

TEST(a_full_ring_refuses)
{
    fill(&queues[0], VG_RUNQ_SIZE);
    CHECK(!vg_runq_push_owner(&queues[0], &tasks[0]));
    CHECK_EQ(vg_runq_length_any(&queues[0]), VG_RUNQ_SIZE);
    CHECK_EQ(vg_runq_pop_owner(&queues[0]), &tasks[0]);
    CHECK(vg_runq_push_owner(&queues[0], &tasks[0]));
}

TEST(a_thief_takes_half_rounded_up_the_oldest_first)
{
    for (uint32_t count = 0; count <= VG_RUNQ_SIZE; count++) {
        uint32_t half = count - count / 2;

        fill(&queues[0], (int)count);
        vg_runq_init(&queues[1]);
        CHECK_EQ(vg_runq_steal_half_any(&queues[0], &queues[1]), count ? &tasks[0] : NULL);
        CHECK_EQ(vg_runq_length_any(&queues[0]), count - half);
        for (uint32_t i = 1; i < half; i++)
            CHECK_EQ(vg_runq_pop_owner(&queues[1]), &tasks[i]);
        CHECK(!vg_runq_pop_owner(&queues[1]));
    }
}

TEST(a_thief_takes_no_more_than_it_has_room_for)
{
    for (uint32_t room = 0; room < 5; room++) {
        fill(&queues[0], VG_RUNQ_SIZE);
        fill(&queues[1], (int)(VG_RUNQ_SIZE - room));
        CHECK_EQ(vg_runq_steal_half_any(&queues[0], &queues[1]), &tasks[0]);
        CHECK_EQ(vg_runq_length_any(&queues[1]), VG_RUNQ_SIZE);
        CHECK_EQ(vg_runq_length_any(&queues[0]), VG_RUNQ_SIZE - room - 1);
    }
}

TEST(indices_wrap)
{
    vg_store(&queues[0].head, UINT32_MAX - 1, relaxed);
    vg_store(&queues[0].tail, UINT32_MAX - 1, relaxed);
    for (int i = 0; i < 8; i++)
        CHECK(vg_runq_push_owner(&queues[0], &tasks[i]));
    CHECK_EQ(vg_runq_length_any(&queues[0]), 8);
    vg_runq_init(&queues[1]);
    CHECK_EQ(vg_runq_steal_half_any(&queues[0], &queues[1]), &tasks[0]);
    for (int i = 1; i < 4; i++)
        CHECK_EQ(vg_runq_pop_owner(&queues[1]), &tasks[i]);
    for (int i = 4; i < 8; i++)
        CHECK_EQ(vg_runq_pop_owner(&queues[0]), &tasks[i]);
}

static void run(struct vg_task *task)
{
    CHECK_EQ(task->check, ~task->number);
    CHECK_EQ(vg_fetch_add(&task->runs, 1u, relaxed), 0);
    vg_fetch_add(&ran, 1u, relaxed);
}

static bool drain(int id)
{
    struct vg_task *task;
    bool some = false;

    for (; (task = vg_runq_pop_owner(&queues[id])); some = true)
        run(task);
    return some;
}

/* The first produces, in bursts, and runs what the others leave; they steal from it and each other. */
static void produce(uint32_t i)
{
    tasks[i].number = i;
    tasks[i].check = ~i;
    while (!vg_runq_push_owner(&queues[0], &tasks[i]))
        drain(0);
    if (i % 97 == 0)
        drain(0);
}

static void worker(int id)
{
    unsigned random = (unsigned)id;

    for (uint32_t i = 0; id == 0 && i < TASKS; i++)
        produce(i);
    while (vg_load(&ran, relaxed) < TASKS) {
        unsigned victim = test_draw(&random) % WORKERS;
        struct vg_task *task = NULL;

        if (drain(id))
            continue;
        if (victim != (unsigned)id)
            task = vg_runq_steal_half_any(&queues[victim], &queues[id]);
        if (task)
            run(task);
        else
            vg_os_yield();
    }
}

TEST(every_task_is_run_once_whoever_steals_it)
{
    vg_store(&ran, 0, relaxed);
    for (int i = 0; i < WORKERS; i++)
        vg_runq_init(&queues[i]);
    for (uint32_t i = 0; i < TASKS; i++)
        vg_store(&tasks[i].runs, 0, relaxed);
    test_threads(WORKERS, worker);
    for (uint32_t i = 0; i < TASKS; i++)
        CHECK_EQ(vg_load(&tasks[i].runs, relaxed), 1);
}
