/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include "task.h"
#include "world.h"

/* VG_AWAIT_UNLESS, as channels use it: an await that makes no future, and is one all the same. */

enum { ROUNDS = 20 * VG_BUDGET };

/* Sends to itself and never waits. */
struct busy {
    VG_FRAME(int);
    unsigned i;
    uint32_t value, slots[1];
    int rc, again;
    struct vg_mpsc channel;
    struct vg_mpsc_send send;
    struct vg_receive receive;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < ROUNDS; f->i++) {
        VG_MPSC_SEND(f->rc, &f->send, &f->channel, &f->i);
        if (f->rc < 0)
            break;
        VG_MPSC_RECV(f->rc, &f->receive, &f->channel, &f->value);
        if (f->rc < 0)
            VG_RETURN(f->rc);
        CHECK_EQ(f->value, f->i);
    }
    if (f->rc < 0) /* there is room, but the frame is cancelled */
        VG_MPSC_SEND(f->again, &f->send, &f->channel, &f->i);
    VG_RETURN(f->rc);
}

static struct busy *busy(struct busy *f)
{
    VG_SETUP(f, busy);
    vg_mpsc_init(&f->channel, "own", f->slots, 1);
    return f;
}

/* Counts its turns while the other one runs. */
struct patient {
    VG_FRAME(int);
    int turns;
    struct vg_handle handle;
    struct vg_yield yield;
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle, busy), 0);
    for (f->turns = 0; !vg_task_done(&f->handle); f->turns++)
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    CHECK_EQ(VG_TASK_RET(&f->handle, struct busy), 0);
    vg_task_release(&f->handle);
    VG_RETURN(f->turns);
}

static struct patient *patient(struct patient *f)
{
    VG_SETUP(f, patient);
    return f;
}

TEST(what_is_always_ready_uses_up_the_budget_and_lets_others_run)
{
    struct world world;
    struct patient root;

    world_open(&world, 1, 1, true);
    world_run(&world, &patient(&root)->fut);
    CHECK(root.ret >= 2 * ROUNDS / VG_BUDGET - 2); /* two operations a round */
    world_close(&world);
}

static bool is_done(void *arg)
{
    return vg_task_done(arg);
}

TEST(in_a_cancelled_frame_nothing_is_attempted)
{
    struct world world;
    struct vg_handle handle;
    struct busy *frame;

    world_open(&world, 1, 1, true);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, busy), 0);
    vg_task_cancel(&handle);
    CHECK_EQ(sim_run(&world.sim, world.exec, is_done, &handle, VG_SEC(1)), 0);
    frame = vg_task_frame(&handle);
    CHECK_EQ(frame->ret, -ECANCELED);
    CHECK_EQ(frame->i, VG_BUDGET / 2); /* its first poll saw nothing of the cancel */
    CHECK_EQ(frame->again, -ECANCELED);
    CHECK_EQ(vg_mpsc_length(&frame->channel), 0);
    vg_task_release(&handle);
    world_close(&world);
}
