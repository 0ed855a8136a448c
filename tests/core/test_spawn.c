/* SPDX-License-Identifier: MIT */
#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Starting tasks: from outside, from inside, without memory, too late. */

struct note {
    VG_FRAME(int);
    unsigned *ran;
    struct vg_exec **current;
    unsigned char ballast[64];
};

VG_ASYNC(note)
{
    VG_BEGIN(f);
    ++*f->ran;
    if (f->current != NULL)
        *f->current = vg_exec_current();
    VG_RETURN((int)*f->ran);
}

static struct note *note(struct note *f, unsigned *ran, struct vg_exec **current)
{
    VG_SETUP(f, note);
    f->ran = ran;
    f->current = current;
    return f;
}

TEST(a_task_does_not_run_before_its_worker_comes_to_it)
{
    struct rig rig;
    struct vg_exec *current = NULL;
    unsigned ran = 0;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, note, &ran, &current), 0);
    CHECK_EQ(ran, 0);
    CHECK_EQ(vg_exec_live(rig.exec), 1);
    rig_run(&rig);
    CHECK_EQ(ran, 1);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    CHECK_EQ(current, rig.exec);
    CHECK(vg_exec_current() == NULL);
    rig_close(&rig);
}

/* ---- from inside ----------------------------------------------------------------------------- */

enum { CHILDREN = 1000 };

struct parent {
    VG_FRAME(int);
    unsigned *ran;
    unsigned i;
    bool detached;
    struct vg_task_wait wait;
    struct vg_handle handle[CHILDREN];
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    int rc = 0;
    for (unsigned i = 0; i < CHILDREN && rc == 0; i++)
        rc = VG_SPAWN(vg_exec_current(), f->detached ? NULL : &f->handle[i], note, f->ran, NULL);
    CHECK_EQ(rc, 0);
    CHECK_EQ(*f->ran, 0);
    if (f->detached)
        VG_RETURN(0);
    for (f->i = 0; f->i < CHILDREN; f->i++) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        CHECK(VG_TASK_RET(&f->handle[f->i], struct note) > 0);
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static struct parent *parent(struct parent *f, unsigned *ran, bool detached)
{
    VG_SETUP(f, parent);
    f->ran = ran;
    f->detached = detached;
    return f;
}

TEST(a_task_spawns_more_than_any_queue_holds_and_awaits_them)
{
    struct rig rig;
    unsigned ran = 0;

    rig_open(&rig);
    rig_spawn(&rig, parent, &ran, false);
    CHECK_EQ(RIG_RET(&rig, 0, struct parent), 0);
    CHECK_EQ(ran, CHILDREN);
    rig_close(&rig);
}

TEST(a_task_spawns_more_than_any_queue_holds_and_leaves_them)
{
    struct rig rig;
    unsigned ran = 0;

    rig_open(&rig);
    rig_spawn(&rig, parent, &ran, true);
    CHECK_EQ(ran, CHILDREN);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    rig_close(&rig);
}

/* ---- memory ---------------------------------------------------------------------------------- */

TEST(frames_of_any_size_are_aligned)
{
    struct rig rig;

    rig_open(&rig);
    for (size_t size = sizeof(struct note); size < 1u << 21; size = size * 5 / 4) {
        unsigned ran = 0;
        struct note *f = vg_task_alloc(rig.exec, size);
        CHECK(f != NULL);
        CHECK_EQ((uintptr_t)f % 16, 0);
        memset(f, 0x11, size);
        CHECK_EQ(vg_spawn_at(&note(f, &ran, NULL)->fut, NULL, VG_HERE), 0);
        rig_run(&rig);
        CHECK_EQ(ran, 1);
    }
    rig_close(&rig);
}

TEST(a_frame_that_is_not_spawned_can_be_given_back)
{
    struct rig rig;
    void *f, *again;

    rig_open(&rig);
    f = vg_task_alloc(rig.exec, 300);
    CHECK(f != NULL);
    vg_task_discard(f);
    again = vg_task_alloc(rig.exec, 300);
    CHECK(again != NULL);
    vg_task_discard(again);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    rig_close(&rig);
}

TEST(without_memory_nothing_is_spawned)
{
    struct rig rig;
    struct vg_handle handle = {(struct vg_task *)&rig}; /* to see that it is written */
    struct note frame;
    unsigned ran = 0;

    rig_open(&rig);
    test_alloc_fail_at(1);
    CHECK_EQ(VG_SPAWN(rig.exec, &handle, note, &ran, NULL), -ENOMEM);
    CHECK(handle.task == NULL);
    test_alloc_fail_at(1);
    CHECK_EQ(vg_block_on(rig.exec, &note(&frame, &ran, NULL)->fut), -ENOMEM);
    CHECK_EQ(ran, 0);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, note, &ran, NULL), 0);
    rig_run(&rig);
    CHECK_EQ(ran, 1);
    rig_close(&rig);
}

TEST(an_executor_opens_completely_or_not_at_all)
{
    for (uint64_t n = 1;; n++) {
        struct vg_config config = VG_CONFIG_INIT;
        struct vg_exec *exec = NULL;
        int rc;

        CHECK(n < 100);
        config.alloc = &test_alloc;
        config.workers = 2;
        test_alloc_fail_at(n);
        rc = vg_exec_open(&exec, &config);
        test_alloc_fail_at(0);
        if (rc == 0) {
            CHECK(n > 2); /* some did fail */
            CHECK_EQ(vg_exec_close(exec, 0), 0);
            return;
        }
        CHECK_EQ(rc, -ENOMEM);
        CHECK(exec == NULL);
        CHECK_EQ(test_alloc_live(), 0);
    }
}

TEST(too_many_workers_are_refused)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    config.workers = VG_WORKERS_MAX + 1;
    CHECK_EQ(vg_exec_open(&exec, &config), -EINVAL);
    CHECK(exec == NULL);
}

/* ---- two executors --------------------------------------------------------------------------- */

struct guest {
    VG_FRAME(int);
    struct vg_exec *other;
    struct vg_handle *handle;
    unsigned *ran;
    struct vg_exec **current;
    struct vg_task_wait wait;
};

VG_ASYNC(guest)
{
    VG_BEGIN(f);
    int rc = VG_SPAWN(f->other, f->handle, note, f->ran, f->current);
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_task_wait(&f->wait, f->handle));
    VG_RETURN(rc < 0 ? rc : VG_TASK_RET(f->handle, struct note));
}

static struct guest *guest(struct guest *f, struct vg_exec *other, struct vg_handle *handle,
                           unsigned *ran, struct vg_exec **current)
{
    VG_SETUP(f, guest);
    f->other = other;
    f->handle = handle;
    f->ran = ran;
    f->current = current;
    return f;
}

TEST(a_task_may_spawn_on_another_executor_and_wait_for_it)
{
    struct rig here, there;
    struct vg_exec *current = NULL;
    unsigned ran = 0;

    rig_open(&here);
    rig_open(&there);
    rig_spawn(&here, guest, there.exec, &there.task[0], &ran, &current);
    there.tasks = 1;
    CHECK(!rig_done(&here, 0));
    rig_run(&there);
    CHECK_EQ(current, there.exec);
    rig_run(&here);
    CHECK_EQ(RIG_RET(&here, 0, struct guest), 1);
    rig_close(&there);
    rig_close(&here);
}
