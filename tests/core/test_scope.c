/* SPDX-License-Identifier: MIT */
#include "kids.h"

/* Scopes: the wait, results, failures, cancelling. */

TEST(a_scope_ends_when_its_children_have)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    const struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, well, KIDS, VG_SCOPE_CANCEL, NULL);
    for (int i = 0; i < KIDS; i++) {
        CHECK(!rig_done(&rig, 0));
        CHECK_EQ(rig_polls(&rig, 0), 1);
        event_set(&event[i]);
        rig_run(&rig);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), 0);
    CHECK_EQ(rig_polls(&rig, 0), 2); /* one wake for all of them */
    f = vg_task_frame(&rig.task[0]);
    for (int i = 0; i < KIDS; i++)
        CHECK_EQ(f->out[i], well[i]);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    rig_close(&rig);
}

TEST(a_scope_without_children_does_not_wait)
{
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, parent, NULL, well, 0, VG_SCOPE_CANCEL, NULL);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), 0);
    CHECK_EQ(rig_polls(&rig, 0), 1);
    rig_close(&rig);
}

TEST(children_that_ended_before_the_wait_are_not_waited_for)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = true}, {.set = true}, {.set = true}, {.set = true}};
    struct event before = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, parent, event, well, KIDS, VG_SCOPE_CANCEL, &before);
    CHECK_EQ(vg_exec_live(rig.exec), 1);
    event_set(&before);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), 0);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    rig_close(&rig);
}

TEST(the_first_failure_cancels_the_other_children)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    static const int ill[KIDS] = {1, -EIO, 3, 4};
    const struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, ill, KIDS, VG_SCOPE_CANCEL, NULL);
    event_set(&event[0]);
    event_set(&event[1]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), -EIO);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->out[0], 1);
    CHECK_EQ(f->out[2], -ECANCELED);
    CHECK_EQ(f->out[3], -ECANCELED);
    rig_close(&rig);
}

TEST(a_failure_before_the_wait_cancels_when_it_begins)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    static const int ill[KIDS] = {-EIO, 2, 3, 4};
    struct event before = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, parent, event, ill, KIDS, VG_SCOPE_CANCEL, &before);
    event_set(&event[0]);
    rig_run(&rig);
    CHECK_EQ(vg_exec_live(rig.exec), KIDS);
    event_set(&before);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), -EIO);
    rig_close(&rig);
}

TEST(a_scope_that_lets_all_run_reports_the_first_failure)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    static const int ill[KIDS] = {-EPIPE, -EIO, 3, 4};
    const struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, ill, KIDS, VG_SCOPE_ALL, NULL);
    event_set(&event[1]);
    rig_run(&rig);
    event_set(&event[0]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    event_set(&event[2]);
    event_set(&event[3]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), -EIO);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->out[3], 4);
    rig_close(&rig);
}

TEST(a_cancelled_parent_cancels_its_children_and_waits_for_them)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    const struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, well, KIDS, VG_SCOPE_CANCEL, NULL);
    event_set(&event[0]);
    rig_run(&rig);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), -ECANCELED);
    f = vg_task_frame(&rig.task[0]);
    CHECK_EQ(f->out[0], 1);
    for (int i = 1; i < KIDS; i++)
        CHECK_EQ(f->out[i], -ECANCELED);
    rig_close(&rig);
}

TEST(a_parent_that_is_cancelled_while_it_awaits_something_else_cancels_its_children)
{
    struct rig rig;
    struct event event[KIDS] = {{.set = false}};
    struct event before = {.set = false};
    const struct parent *f;

    rig_open(&rig);
    rig_spawn(&rig, parent, event, well, KIDS, VG_SCOPE_ALL, &before);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), -ECANCELED);
    f = vg_task_frame(&rig.task[0]);
    for (int i = 0; i < KIDS; i++)
        CHECK_EQ(f->out[i], -ECANCELED);
    rig_close(&rig);
}
