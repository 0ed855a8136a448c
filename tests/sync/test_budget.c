/* SPDX-License-Identifier: MIT */
#include <vigil/oneshot.h>

#include "task.h"
#include "world.h"

/*
 * A poll that is cut short by its budget has not decided about the wakes it holds. Here such a poll
 * holds the grant of a parked lock, and its frame comes to that lock in its next poll: the grant
 * must not have been taken back in between.
 */

struct busy {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_oneshot go;
    bool looping, finished;
    int i, rc;
    VG_ARMS(2) sel;
    struct vg_mutex other;
    struct vg_lock lock, loop;
    struct vg_sleep nap;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->lock, &f->scene->mutex)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_oneshot_recv(&f->recv, &f->go));
    f->looping = true;
    for (f->i = 0; f->i < VG_BUDGET + VG_BUDGET / 2; f->i++) {
        VG_AWAIT(f->rc, vg_lock(&f->loop, &f->other));
        vg_unlock(&f->other);
    }
    f->looping = false;
    VG_AWAIT(f->rc, &f->lock);
    vg_unlock(&f->scene->mutex);
    f->finished = true;
    VG_RETURN(0);
}

static struct busy *busy(struct busy *f, struct scene *scene)
{
    VG_SETUP(f, busy);
    f->scene = scene;
    f->looping = f->finished = false;
    vg_mutex_init(&f->other, "other");
    vg_oneshot_init(&f->go, "go");
    return f;
}

struct observer {
    VG_FRAME(int);
    struct scene *scene;
    struct busy *busy;
    int looks, rc;
    struct vg_sleep nap;
    struct vg_yield yield;
};

static void check_granted(const struct busy *busy)
{
    struct vg_wait wait;

    CHECK(busy->lock.fut.ops->waits(&busy->lock.fut, &wait));
    CHECK_EQ(wait.state, VG_WAIT_GRANTED);
    CHECK(!vg_trylock(&busy->scene->mutex));
}

/* One worker: while this runs, the busy task is between two polls. */
VG_ASYNC(observer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    vg_unlock(&f->scene->mutex);
    CHECK_EQ(vg_oneshot_send(&f->busy->go, NULL), 0);
    while (!f->busy->finished) {
        if (f->busy->looping) {
            check_granted(f->busy);
            f->looks++;
        }
        VG_AWAIT(f->rc, vg_yield(&f->yield));
    }
    VG_RETURN(f->looks);
}

static struct observer *observer(struct observer *f, struct scene *scene, struct busy *busy)
{
    VG_SETUP(f, observer);
    f->scene = scene;
    f->busy = busy;
    f->looks = 0;
    return f;
}

TEST(a_poll_cut_short_by_its_budget_revokes_nothing)
{
    FOR_SEEDS (seed, 50) {
        struct scene scene;
        struct vg_handle handle;
        struct busy *frame;
        struct observer root;
        scene_open(&scene, seed, 1, true);
        CHECK(vg_trylock(&scene.mutex));
        frame = vg_task_alloc(scene.world.exec, sizeof *frame);
        CHECK(frame != NULL);
        CHECK_EQ(vg_spawn_at(&busy(frame, &scene)->fut, &handle, VG_HERE), 0);
        world_run(&scene.world, &observer(&root, &scene, frame)->fut);
        CHECK(root.ret > 0);
        vg_task_release(&handle);
        scene_close(&scene);
    }
}
