/* SPDX-License-Identifier: MIT */
#include <vigil/mutex.h>

#include "holder.h"

/*
 * A task starts to lock (op1), prefers not to wait longer than 500 ms, and locks the same mutex
 * again by another future (op2). Another task holds it for the first 5 seconds. What becomes of op1
 * when its select ends decides whether the program can end.
 */

struct impatient {
    VG_FRAME(int);
    struct scene *scene;
    enum vg_policy policy;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct holder op1, op2;
};

static struct vg_arm op1_arm(struct impatient *f)
{
    switch (f->policy) {
    case VG_POLICY_KEEP:
        return VG_KEEP(&f->op1);
    case VG_POLICY_PARK:
        return VG_PARK(&f->op1);
    default:
        return VG_CANCEL(&f->op1);
    }
}

VG_ASYNC(impatient)
{
    VG_BEGIN(f);
    holder(&f->op1, f->scene, 1, 0, 1000);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, op1_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    CHECK_EQ(f->rc, 1);
    VG_AWAIT(f->rc, holder(&f->op2, f->scene, 2, 0, 1000));
    VG_AWAIT(f->rc, &f->op1);
    VG_RETURN(f->op2.ret);
}

static struct impatient *impatient(struct impatient *f, struct scene *scene, enum vg_policy policy)
{
    VG_SETUP(f, impatient);
    f->scene = scene;
    f->policy = policy;
    return f;
}

struct program {
    VG_FRAME(int);
    struct scene *scene;
    enum vg_policy policy;
    int rc;
    struct vg_handle handle;
    struct vg_task_wait wait;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    struct impatient impatient;
};

VG_ASYNC(program)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->handle, holder, f->scene, 0, 0, 5000), 0);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    VG_AWAIT(f->ret,
             vg_timeout(&f->timeout, VG_SEC(10), impatient(&f->impatient, f->scene, f->policy)));
    VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle));
    vg_task_release(&f->handle);
    VG_RETURN(f->ret);
}

static struct program *program(struct program *f, struct scene *scene, enum vg_policy policy)
{
    VG_SETUP(f, program);
    f->scene = scene;
    f->policy = policy;
    return f;
}

/* Healing by the executor, overridden by the mutex, or not. */
enum healing { EXEC_ON, EXEC_OFF, MUTEX_ON, MUTEX_OFF };

static void run(struct scene *scene, struct program *root, uint64_t seed, enum vg_policy policy,
                enum healing healing)
{
    scene_open(scene, seed, 1 + (unsigned)(seed % 4), healing == EXEC_ON || healing == MUTEX_OFF);
    if (healing == MUTEX_ON || healing == MUTEX_OFF)
        vg_mutex_set_healing(&scene->mutex, healing == MUTEX_ON);
    world_run(&scene->world, &program(root, scene, policy)->fut);
    CHECK_DIARY(&scene->diary, 0, 0, 0);
}

static void check_ends_by_its_deadline(enum healing healing)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct program root;
        run(&scene, &root, seed, VG_POLICY_PARK, healing);
        CHECK_EQ(root.ret, -ETIMEDOUT);
        CHECK_EQ(root.impatient.op1.ret, -ECANCELED);
        CHECK_EQ(root.impatient.op2.ret, -ECANCELED);
        CHECK_EQ(scene.diary.count, 1);
        CHECK_EQ(world_ms(&scene.world), 10010);
        scene_close(&scene);
    }
}

static void check_is_healed(enum healing healing)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct program root;
        run(&scene, &root, seed, VG_POLICY_PARK, healing);
        CHECK_EQ(root.ret, 0);
        CHECK_EQ(scene.diary.count, 3);
        CHECK_DIARY(&scene.diary, 1, 2, 5000);
        CHECK_DIARY(&scene.diary, 2, 1, 6000);
        CHECK_EQ(world_ms(&scene.world), 7000);
        scene_close(&scene);
    }
}

TEST(a_cancelled_op1_leaves_the_mutex_to_op2)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct program root;
        run(&scene, &root, seed, VG_POLICY_CANCEL, EXEC_ON);
        CHECK_EQ(root.ret, 0);
        CHECK_EQ(root.impatient.op1.ret, -ECANCELED);
        CHECK_EQ(scene.diary.count, 2);
        CHECK_DIARY(&scene.diary, 1, 2, 5000);
        CHECK_EQ(world_ms(&scene.world), 6000);
        scene_close(&scene);
    }
}

TEST(a_kept_op1_runs_first_although_nobody_awaits_it)
{
    FOR_SEEDS (seed, 100) {
        struct scene scene;
        struct program root;
        run(&scene, &root, seed, VG_POLICY_KEEP, EXEC_OFF);
        CHECK_EQ(root.ret, 0);
        CHECK_EQ(scene.diary.count, 3);
        CHECK_DIARY(&scene.diary, 1, 1, 5000);
        CHECK_DIARY(&scene.diary, 2, 2, 6000);
        CHECK_EQ(world_ms(&scene.world), 7000);
        scene_close(&scene);
    }
}

TEST(a_parked_op1_is_passed_over_and_gets_the_mutex_when_it_is_awaited)
{
    check_is_healed(EXEC_ON);
}

TEST(a_parked_op1_hangs_the_program_without_healing)
{
    check_ends_by_its_deadline(EXEC_OFF);
}

TEST(a_mutex_heals_although_its_executor_does_not)
{
    check_is_healed(MUTEX_ON);
}

TEST(a_mutex_does_not_heal_although_its_executor_does)
{
    check_ends_by_its_deadline(MUTEX_OFF);
}
