/* SPDX-License-Identifier: MIT */
#include "deque.h"

#include "threads.h"

struct vg_task {
    uint32_t number, check;
    VG_ATOMIC(uint32_t) runs;
};

enum { TASKS = 200000, THIEVES = 3 };

static struct vg_deque deque;
static struct vg_task tasks[TASKS];
static VG_ATOMIC(int) owner_done;

static void reset(void)
{
    vg_deque_init(&deque);
    vg_store(&owner_done, 0, relaxed);
    for (uint32_t i = 0; i < TASKS; i++) {
        tasks[i].number = tasks[i].check = 0;
        vg_store(&tasks[i].runs, 0, relaxed);
    }
}

static void run(struct vg_task *task)
{
    if (!task)
        return;
    CHECK_EQ(task->check, ~task->number);
    CHECK_EQ(vg_fetch_add(&task->runs, 1u, relaxed), 0);
}

TEST(the_owner_takes_the_newest_and_thieves_the_oldest)
{
    struct vg_task *task = NULL;

    vg_deque_init(&deque);
    CHECK(vg_deque_empty_any(&deque));
    CHECK(!vg_deque_take_owner(&deque));
    CHECK_EQ(vg_deque_steal_any(&deque, &task), VG_STEAL_EMPTY);
    for (int i = 0; i < 3; i++)
        CHECK(vg_deque_push_owner(&deque, &tasks[i]));
    CHECK(!vg_deque_empty_any(&deque));
    CHECK_EQ(vg_deque_take_owner(&deque), &tasks[2]);
    CHECK_EQ(vg_deque_steal_any(&deque, &task), VG_STEAL_GOT);
    CHECK_EQ(task, &tasks[0]);
    CHECK_EQ(vg_deque_take_owner(&deque), &tasks[1]);
    CHECK(!vg_deque_take_owner(&deque));
    CHECK(vg_deque_empty_any(&deque));
}

TEST(an_owner_without_thieves_takes_the_newest)
{
    vg_deque_init(&deque);
    CHECK(!vg_deque_take_alone(&deque));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < VG_DEQUE_CAPACITY; i++)
            CHECK(vg_deque_push_owner(&deque, &tasks[i]));
        for (int i = VG_DEQUE_CAPACITY; i > 0; i--)
            CHECK_EQ(vg_deque_take_alone(&deque), &tasks[i - 1]);
        CHECK(!vg_deque_take_alone(&deque));
        CHECK(vg_deque_empty_any(&deque));
    }
}

TEST(a_full_deque_refuses_and_goes_on_after_a_take)
{
    vg_deque_init(&deque);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < VG_DEQUE_CAPACITY; i++)
            CHECK(vg_deque_push_owner(&deque, &tasks[i]));
        CHECK(!vg_deque_push_owner(&deque, &tasks[0]));
        CHECK_EQ(vg_deque_take_owner(&deque), &tasks[VG_DEQUE_CAPACITY - 1]);
        CHECK(vg_deque_push_owner(&deque, &tasks[0]));
        CHECK_EQ(vg_deque_take_owner(&deque), &tasks[0]);
        for (int i = VG_DEQUE_CAPACITY - 2; i >= 0; i--)
            CHECK_EQ(vg_deque_take_owner(&deque), &tasks[i]);
    }
}

static void own(void)
{
    unsigned random = 1;

    for (uint32_t i = 0; i < TASKS;) {
        for (unsigned k = test_draw(&random) % 4; k > 0 && i < TASKS; k--, i++) {
            tasks[i].number = i;
            tasks[i].check = ~i;
            if (!vg_deque_push_owner(&deque, &tasks[i]))
                break;
        }
        for (unsigned k = test_draw(&random) % 4; k > 0; k--)
            run(vg_deque_take_owner(&deque));
    }
    while (!vg_deque_empty_any(&deque))
        run(vg_deque_take_owner(&deque));
    /* Pairs with the load in steal(): the thieves end after the last element is gone. */
    vg_store(&owner_done, 1, release);
}

static void steal(void)
{
    while (!vg_load(&owner_done, acquire)) {
        struct vg_task *task = NULL;

        if (vg_deque_steal_any(&deque, &task) == VG_STEAL_GOT)
            run(task);
        else
            vg_os_yield();
    }
}

static void own_or_steal(int id)
{
    if (id == 0)
        own();
    else
        steal();
}

TEST(every_task_is_run_once_by_owner_or_thief)
{
    reset();
    test_threads(1 + THIEVES, own_or_steal);
    for (uint32_t i = 0; i < TASKS; i++)
        CHECK_EQ(vg_load(&tasks[i].runs, relaxed), 1);
}
