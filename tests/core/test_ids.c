/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "task.h"

/* The numbers of tasks: odd, and none is used twice. */

struct brief {
    VG_FRAME(int);
    uint64_t *id;
};

VG_ASYNC(brief)
{
    VG_BEGIN(f);
    *f->id = vg_load(&vg_cx->task->id, relaxed);
    VG_RETURN(0);
}

static struct brief *brief(struct brief *f, uint64_t *id)
{
    VG_SETUP(f, brief);
    f->id = id;
    return f;
}

TEST(a_slot_that_is_used_again_and_again_never_repeats_an_id)
{
    struct rig rig;
    uint64_t last = 0, id = 0;

    rig_open(&rig);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK_EQ(VG_SPAWN(rig.exec, NULL, brief, &id), 0);
        rig_run(&rig);
        CHECK_EQ(id % 2, 1);
        CHECK(id > last);
        last = id;
    }
    rig_close(&rig);
}

TEST(an_id_does_not_depend_on_what_the_slot_has_held)
{
    struct rig rig;
    struct brief *frame[2];
    uint64_t id[2] = {0};

    rig_open(&rig);
    for (unsigned i = 0; i < 2; i++) {
        frame[i] = vg_task_alloc(rig.exec, sizeof *frame[i]);
        CHECK(frame[i] != NULL);
    }
    /* However often either was used, their counts might have become equal. */
    vg_store(&vg_task_of_frame(frame[1])->id, vg_load(&vg_task_of_frame(frame[0])->id, relaxed),
             relaxed);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(vg_spawn_at(&brief(frame[i], &id[i])->fut, NULL, VG_HERE), 0);
    rig_run(&rig);
    CHECK_EQ(id[0] % 2, 1);
    CHECK_EQ(id[1] % 2, 1);
    CHECK(id[0] != id[1]);
    rig_close(&rig);
}

/* Spawns one from its worker. */
struct parent {
    VG_FRAME(int);
    uint64_t *id;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), NULL, brief, f->id), 0);
    VG_RETURN(0);
}

static struct parent *parent(struct parent *f, uint64_t *id)
{
    VG_SETUP(f, parent);
    f->id = id;
    return f;
}

TEST(workers_and_threads_outside_do_not_give_the_same_id)
{
    struct rig rig;
    uint64_t id[3] = {0};

    rig_open_config(&rig, 2, NULL, true);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, brief, &id[2]), 0); /* the first from outside */
    rig_run(&rig);
    for (unsigned i = 0; i < 2; i++) { /* and the first from each worker */
        CHECK_EQ(VG_SPAWN(rig.exec, NULL, parent, &id[i]), 0);
        for (unsigned n = 0; id[i] == 0 && n < 10; n++)
            (void)vg_exec_step(rig.exec, i);
        CHECK_EQ(id[i] % 2, 1);
        rig_run(&rig);
    }
    CHECK(id[0] != id[1]);
    CHECK(id[0] != id[2]);
    CHECK(id[1] != id[2]);
    rig_close(&rig);
}
