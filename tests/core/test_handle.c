/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Handles: waiting for a task, cancelling it, letting it go. */

struct worker_ {
    VG_FRAME(int);
    struct event *event;
    int result;
    struct event_wait wait;
};

VG_ASYNC(worker_)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    VG_RETURN(rc < 0 ? rc : f->result);
}

static struct worker_ *worker_(struct worker_ *f, struct event *event, int result)
{
    VG_SETUP(f, worker_);
    f->event = event;
    f->result = result;
    return f;
}

struct watcher {
    VG_FRAME(int);
    struct vg_handle *handle;
    struct vg_task_wait wait;
};

VG_ASYNC(watcher)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, vg_task_wait(&f->wait, f->handle));
    VG_RETURN(rc < 0 ? rc : VG_TASK_RET(f->handle, struct worker_));
}

static struct watcher *watcher(struct watcher *f, struct vg_handle *handle)
{
    VG_SETUP(f, watcher);
    f->handle = handle;
    return f;
}

TEST(a_wait_ends_with_its_task)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    CHECK(!rig_done(&rig, 1));
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 1, struct watcher), 7);
    rig_close(&rig);
}

TEST(a_wait_for_a_task_that_has_ended_does_not_wait)
{
    struct rig rig;
    struct event event = {.set = true};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    rig_spawn(&rig, watcher, &rig.task[0]); /* as often as one likes */
    CHECK_EQ(rig_polls(&rig, 1), 1);
    CHECK_EQ(RIG_RET(&rig, 1, struct watcher), 7);
    CHECK_EQ(RIG_RET(&rig, 2, struct watcher), 7);
    rig_close(&rig);
}

TEST(cancelling_a_wait_does_not_cancel_the_task)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    vg_task_cancel(&rig.task[1]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 1, struct watcher), -ECANCELED);
    CHECK(!rig_done(&rig, 0));
    rig_spawn(&rig, watcher, &rig.task[0]); /* the place is free again */
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 2, struct watcher), 7);
    rig_close(&rig);
}

TEST(a_wait_that_is_cancelled_when_its_task_has_ended_has_ended_well)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    event_set(&event);
    vg_task_cancel(&rig.task[1]); /* is queued behind the task it waits for */
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 1, struct watcher), 7);
    rig_close(&rig);
}

TEST(a_cancelled_task_ends_and_its_wait_with_it)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    vg_task_cancel(&rig.task[0]);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct worker_), -ECANCELED);
    CHECK_EQ(RIG_RET(&rig, 1, struct watcher), -ECANCELED);
    rig_close(&rig);
}

TEST(a_second_wait_for_a_task_panics)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    rig_spawn(&rig, watcher, &rig.task[0]);
    CHECK_PANICS("two waits for one task", rig_spawn(&rig, watcher, &rig.task[0]));
    event_set(&event);
    rig_run(&rig);
    rig_close(&rig);
}

TEST(the_result_of_a_task_that_runs_cannot_be_read)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    CHECK_PANICS("the result of worker_ is read before it has ended", vg_task_frame(&rig.task[0]));
    event_set(&event);
    rig_run(&rig);
    rig_close(&rig);
}

TEST(a_task_whose_handle_is_released_goes_on)
{
    struct rig rig;
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 7);
    vg_task_release(&rig.task[0]);
    CHECK(rig.task[0].task == NULL);
    vg_task_release(&rig.task[0]); /* of nothing */
    rig.tasks = 0;
    CHECK_EQ(vg_exec_live(rig.exec), 1);
    CHECK(event.waiter != NULL);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    rig_close(&rig);
}

TEST(a_frame_can_be_read_until_its_handle_is_released)
{
    struct rig rig;
    struct event event = {.set = true};
    struct vg_task *first;

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 1);
    first = rig.task[0].task;
    rig_spawn(&rig, worker_, &event, 2);
    CHECK_EQ(RIG_RET(&rig, 0, struct worker_), 1);
    CHECK(rig.task[1].task != first);
    vg_task_release(&rig.task[1]);
    rig.tasks = 1;
    rig_spawn(&rig, worker_, &event, 3);
    CHECK_EQ(RIG_RET(&rig, 0, struct worker_), 1);
    rig_close(&rig);
}

TEST(a_task_that_uses_the_memory_of_another_has_an_identity_of_its_own)
{
    struct rig rig;
    struct event event = {.set = true};
    struct vg_task_info first, second;
    struct vg_task *task;

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 1);
    task = rig.task[0].task;
    vg_task_info(task, &first);
    vg_task_release(&rig.task[0]);
    rig.tasks = 0;
    rig_spawn(&rig, worker_, &event, 2);
    CHECK(rig.task[0].task == task);
    vg_task_info(task, &second);
    CHECK(first.id != second.id);
    CHECK_STR(second.name, "worker_");
    CHECK_STR(second.spawned->file, "test_handle.c");
    rig_close(&rig);
}

TEST(a_task_in_the_memory_of_a_cancelled_one_can_be_cancelled)
{
    struct rig rig;
    struct event event = {.set = false};
    struct vg_task *task;

    rig_open(&rig);
    rig_spawn(&rig, worker_, &event, 1);
    task = rig.task[0].task;
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    vg_task_release(&rig.task[0]);
    rig.tasks = 0;
    rig_spawn(&rig, worker_, &event, 2);
    CHECK(rig.task[0].task == task);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct worker_), -ECANCELED);
    rig_close(&rig);
}
