/* SPDX-License-Identifier: MIT */
#include <vigil/probe.h>

#include "world.h"

/* What instruments are told of a mutex. */

static bool owner_of(struct scene *scene, struct vg_owner *owner)
{
    struct vg_resource *resource = &scene->mutex.permits.resource;

    return resource->ops->owner(resource, owner);
}

static unsigned waiters_of(struct scene *scene)
{
    return scene->mutex.permits.resource.ops->waiters(&scene->mutex.permits.resource);
}

static bool ahead(struct scene *scene, const struct vg_lock *first, const struct vg_lock *second)
{
    return scene->mutex.permits.resource.ops->ahead(&scene->mutex.permits.resource, &first->fut,
                                                    &second->fut);
}

static struct vg_wait wait_of(const struct vg_lock *lock)
{
    struct vg_wait wait;

    CHECK(lock->fut.ops->waits(&lock->fut, &wait));
    return wait;
}

TEST(a_free_mutex_has_no_owner_and_a_thread_outside_is_an_unknown_one)
{
    struct scene scene = {.diary = {.count = 0}};
    struct vg_owner owner;

    vg_mutex_init(&scene.mutex, "scene");
    CHECK_STR(scene.mutex.permits.resource.ops->kind, "mutex");
    CHECK(!owner_of(&scene, &owner));
    CHECK(vg_trylock(&scene.mutex));
    CHECK(owner_of(&scene, &owner));
    CHECK_EQ(owner.task, 0);
    vg_unlock(&scene.mutex);
    CHECK(!owner_of(&scene, &owner));
}

struct owner_test {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_lock lock;
    struct vg_owner owner;
};

VG_ASYNC(owner_test)
{
    VG_BEGIN(f);
    for (f->ret = 0; f->ret < 3; f->ret++) {
        int rc;
        VG_AWAIT(rc, vg_lock(&f->lock, &f->scene->mutex));
        CHECK_EQ(rc, 0);
        CHECK(owner_of(f->scene, &f->owner));
        CHECK(f->owner.task != 0);
        CHECK_EQ(f->owner.frame, &f->fut);
        CHECK_EQ(f->owner.site, f->co.at);
        CHECK_STR(f->owner.site->expr, "vg_lock(&f->lock, &f->scene->mutex)");
        vg_unlock(&f->scene->mutex);
        CHECK(!owner_of(f->scene, &f->owner));
    }
    CHECK(vg_trylock(&f->scene->mutex)); /* an owner like any other */
    CHECK(owner_of(f->scene, &f->owner));
    CHECK(f->owner.task != 0);
    CHECK_EQ(f->owner.frame, &f->fut);
    CHECK_EQ(f->owner.site, f->co.at);
    vg_unlock(&f->scene->mutex);
    VG_RETURN(0);
}

static struct owner_test *owner_test(struct owner_test *f, struct scene *scene)
{
    VG_SETUP(f, owner_test);
    f->scene = scene;
    return f;
}

TEST(an_owner_is_known_by_task_and_frame_and_await_site)
{
    struct scene scene;
    struct owner_test root;

    scene_open(&scene, 1, 1, true);
    world_run(&scene.world, &owner_test(&root, &scene)->fut);
    scene_close(&scene);
}

/* Locks the mutex three times at once, in the order of its arms. */
struct queue_test {
    VG_FRAME(int);
    struct scene *scene;
    int rc;
    struct vg_lock a, b, c;
    struct vg_sleep nap;
    VG_ARMS(4) sel;
};

static void check_three_wait(struct queue_test *f)
{
    struct scene *s = f->scene;

    CHECK_EQ(waiters_of(s), 3);
    CHECK(ahead(s, &f->a, &f->b));
    CHECK(ahead(s, &f->a, &f->c));
    CHECK(ahead(s, &f->b, &f->c));
    CHECK(!ahead(s, &f->b, &f->a));
    CHECK(!ahead(s, &f->c, &f->a));
    CHECK_EQ(wait_of(&f->a).resource, &s->mutex.permits.resource);
    CHECK_EQ(wait_of(&f->a).want, 1);
    CHECK_EQ(wait_of(&f->a).state, VG_WAIT_QUEUED);
    CHECK(!wait_of(&f->a).healing);
    vg_mutex_set_healing(&s->mutex, true);
    CHECK(wait_of(&f->a).healing);
    vg_mutex_set_healing(&s->mutex, false);
}

VG_ASYNC(queue_test)
{
    VG_BEGIN(f);
    CHECK(vg_trylock(&f->scene->mutex));
    VG_AWAIT(f->rc, VG_SELECT_BIASED(f->sel, VG_PARK(vg_lock(&f->a, &f->scene->mutex)),
                                     VG_PARK(vg_lock(&f->b, &f->scene->mutex)),
                                     VG_PARK(vg_lock(&f->c, &f->scene->mutex)),
                                     VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    CHECK_EQ(f->rc, 3);
    check_three_wait(f);
    vg_unlock(&f->scene->mutex);
    CHECK_EQ(wait_of(&f->a).state, VG_WAIT_GRANTED);
    CHECK(!owner_of(f->scene, &(struct vg_owner){0}));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(1)));
    CHECK_EQ(wait_of(&f->a).state, VG_WAIT_GRANTED); /* no healing: it holds up the others */
    CHECK(ahead(f->scene, &f->a, &f->b));
    VG_AWAIT_CANCEL(f->rc, &f->a);
    CHECK(!ahead(f->scene, &f->a, &f->b));
    CHECK_EQ(waiters_of(f->scene), 2);
    vg_mutex_set_healing(&f->scene->mutex, true);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(1)));
    CHECK_EQ(wait_of(&f->c).state, VG_WAIT_QUEUED);
    CHECK(!ahead(f->scene, &f->b, &f->c)); /* passed over: does not count */
    VG_AWAIT_CANCEL(f->rc, &f->b);
    VG_AWAIT(f->rc, &f->c);
    vg_unlock(&f->scene->mutex);
    VG_RETURN(0);
}

static struct queue_test *queue_test(struct queue_test *f, struct scene *scene)
{
    VG_SETUP(f, queue_test);
    f->scene = scene;
    return f;
}

TEST(the_queue_tells_who_is_served_before_whom)
{
    struct scene scene;
    struct queue_test root;

    scene_open(&scene, 1, 1, false);
    world_run(&scene.world, &queue_test(&root, &scene)->fut);
    scene_close(&scene);
}
