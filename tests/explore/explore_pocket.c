/* SPDX-License-Identifier: MIT */
/* The private slot: every task is run once, by its owner or by a thief that was let in. */
#include "pocket.h"

#include "explore.h"

struct vg_task {
    int payload, runs;
};

enum { TASKS = 3 };

static struct vg_pocket pocket;
static struct vg_task tasks[TASKS];

static void init(void)
{
    vg_store(&pocket.task, NULL, relaxed);
    vg_store(&pocket.open, 0u, relaxed);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = (struct vg_task){0};
}

static void run(struct vg_task *task)
{
    if (task == NULL)
        return;
    VG_RD(&task->payload);
    MC_ASSERT(task->payload == 1);
    VG_WR(&task->runs);
    task->runs++;
}

/* What a put displaces is run at once, in place of the queue that it goes to. */
static void owner(void)
{
    for (int i = 0; i < TASKS; i++) {
        VG_WR(&tasks[i].payload);
        tasks[i].payload = 1;
        run(vg_pocket_put_owner(&pocket, &tasks[i]));
        if (i == 1)
            run(vg_pocket_take_owner(&pocket));
    }
    run(vg_pocket_take_owner(&pocket));
}

static void observed(int id)
{
    if (id == 0) {
        owner();
    } else {
        (void)vg_pocket_open_any(&pocket);
        run(vg_pocket_steal_any(&pocket));
    }
}

static void all_run_once(void)
{
    MC_ASSERT(vg_pocket_empty_owner(&pocket));
    for (int i = 0; i < TASKS; i++)
        MC_ASSERT(tasks[i].runs == 1);
}

MC_MODEL(pocket_one_thief, .threads = 2, .init = init, .thread = observed, .final = all_run_once);
MC_MODEL(pocket_two_thieves, .threads = 3, .init = init, .thread = observed, .final = all_run_once);
