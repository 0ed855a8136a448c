/* SPDX-License-Identifier: MIT */
#include <vigil/watch.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "threads.h"
#include "world.h"

struct state {
    uint64_t number;
    char text[20];
};

static struct state state(uint64_t number)
{
    struct state state = {.number = number};

    snprintf(state.text, sizeof state.text, "no %u", (unsigned)number);
    return state;
}

static int set(struct vg_watch *watch, uint64_t number)
{
    const struct state value = state(number);

    return vg_watch_set(watch, &value);
}

static void check(const struct state *value, uint64_t number)
{
    const struct state expected = state(number);

    CHECK_EQ(value->number, number);
    CHECK_STR(value->text, expected.text);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void settle(struct world *world)
{
    CHECK_EQ(sim_run(&world->sim, world->exec, never, NULL, VG_SEC(1)), -EDEADLK);
}

TEST(the_newest_value_is_read_with_its_version)
{
    struct state current = state(10), value;
    struct vg_watch watch;

    vg_watch_init(&watch, "state", &current);
    CHECK_EQ(vg_watch_version(&watch), 1);
    CHECK_EQ(vg_watch_get(&watch, &value), 1);
    check(&value, 10);
    CHECK_EQ(set(&watch, 11), 0);
    CHECK_EQ(set(&watch, 12), 0);
    CHECK_EQ(vg_watch_version(&watch), 3);
    CHECK_EQ(vg_watch_get(&watch, NULL), 3);
    CHECK_EQ(vg_watch_get(&watch, &value), 3);
    check(&value, 12);
    vg_watch_close(&watch);
    vg_watch_close(&watch);
    CHECK_EQ(set(&watch, 13), -EPIPE);
    CHECK_EQ(vg_watch_get(&watch, &value), 3);
    check(&value, 12);
    vg_watch_fini(&watch);
}

/* Waits for one change. */
struct reader {
    VG_FRAME(int);
    struct vg_watch *watch;
    uint64_t seen;
    struct state value;
    struct vg_watch_changed change;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_watch_changed(&f->change, f->watch, &f->seen, &f->value));
    VG_RETURN(f->ret);
}

static struct reader *reader(struct reader *f, struct vg_watch *watch, uint64_t seen)
{
    VG_SETUP(f, reader);
    f->watch = watch;
    f->seen = seen;
    f->value = state(99);
    return f;
}

static void check_reader(struct vg_handle *handle, int ret, uint64_t seen, uint64_t number)
{
    const struct reader *f;

    CHECK(vg_task_done(handle));
    f = vg_task_frame(handle);
    CHECK_EQ(f->ret, ret);
    CHECK_EQ(f->seen, seen);
    check(&f->value, number);
    vg_task_release(handle);
}

TEST(a_version_that_was_not_seen_is_there_at_once)
{
    struct state current = state(10);
    struct vg_watch watch;
    struct world world;
    struct vg_handle handle;

    world_open(&world, 1, 2, true);
    vg_watch_init(&watch, "state", &current);
    CHECK_EQ(set(&watch, 11), 0);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, &watch, 0), 0);
    settle(&world);
    check_reader(&handle, 0, 2, 11);
    CHECK_EQ(set(&watch, 12), 0);
    vg_watch_close(&watch);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, &watch, 2), 0);
    settle(&world);
    check_reader(&handle, 0, 3, 12);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, &watch, 3), 0);
    settle(&world);
    check_reader(&handle, -EPIPE, 3, 99);
    world_close(&world);
    vg_watch_fini(&watch);
}

TEST(a_change_wakes_everybody_who_waits)
{
    enum { COUNT = 100 };

    FOR_SEEDS (seed, 30) {
        struct state current = state(10);
        struct vg_watch watch;
        struct world world;
        struct vg_handle handle[COUNT];
        const bool closes = seed % 3 == 0;
        world_open(&world, seed, 1 + (unsigned)(seed % 4), true);
        vg_watch_init(&watch, "state", &current);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(VG_SPAWN(world.exec, &handle[i], reader, &watch, 1), 0);
        settle(&world);
        CHECK_EQ(watch.resource.ops->waiters(&watch.resource), COUNT);
        for (unsigned i = 0; i < COUNT; i += 5)
            vg_task_cancel(&handle[i]);
        settle(&world);
        if (closes)
            vg_watch_close(&watch);
        else
            CHECK_EQ(set(&watch, 11), 0);
        settle(&world);
        for (unsigned i = 0; i < COUNT; i++)
            if (i % 5 == 0)
                check_reader(&handle[i], -ECANCELED, 1, 99);
            else
                check_reader(&handle[i], closes ? -EPIPE : 0, closes ? 1 : 2, closes ? 99 : 11);
        world_close(&world);
        vg_watch_fini(&watch);
    }
}

TEST(a_reader_that_is_cancelled_when_woken_has_seen_nothing)
{
    FOR_SEEDS (seed, 100) {
        struct state current = state(10);
        struct vg_watch watch;
        struct world world;
        struct vg_handle handle;
        world_open(&world, seed, 2, true);
        vg_watch_init(&watch, "state", &current);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, &watch, 1), 0);
        settle(&world);
        vg_task_cancel(&handle);
        CHECK_EQ(set(&watch, 11), 0);
        settle(&world);
        check_reader(&handle, -ECANCELED, 1, 99);
        world_close(&world);
        vg_watch_fini(&watch);
    }
}

TEST(a_watch_that_is_waited_for_is_not_destroyed_and_named_in_reports)
{
    struct state current = state(10);
    struct vg_watch watch;
    struct world world;
    struct vg_handle handle;
    const struct vg_future *fut;
    struct vg_wait wait;

    world_open(&world, 1, 2, true);
    vg_watch_init(&watch, "state", &current);
    CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, &watch, 1), 0);
    settle(&world);
    CHECK_PANICS("1 futures wait for changes of state", vg_watch_fini(&watch));
    CHECK_STR(watch.resource.ops->kind, "watch");
    fut = watch.readers.first->waiter.fut;
    CHECK(fut->ops->waits(fut, &wait));
    CHECK_EQ(wait.resource, &watch.resource);
    vg_watch_close(&watch);
    CHECK(!fut->ops->waits(fut, &wait));
    settle(&world);
    check_reader(&handle, -EPIPE, 1, 99);
    world_close(&world);
    vg_watch_fini(&watch);
}

/* ---- on threads ---------------------------------------------------------------------------- */

enum { TASKS = 3, CHANGES = 5000 };

/* Follows until the close, and must see the last change. */
struct follower {
    VG_FRAME(int);
    struct vg_watch *watch;
    uint64_t seen, before;
    struct state value;
    struct vg_watch_changed change;
};

VG_ASYNC(follower)
{
    VG_BEGIN(f);
    for (f->seen = 0; f->seen <= CHANGES; f->before = f->seen) {
        VG_AWAIT(f->ret, vg_watch_changed(&f->change, f->watch, &f->seen, &f->value));
        CHECK_EQ(f->ret, 0);
        CHECK(f->seen > f->before);
        check(&f->value, f->seen);
    }
    VG_AWAIT(f->ret, vg_watch_changed(&f->change, f->watch, &f->seen, &f->value));
    CHECK_EQ(f->ret, -EPIPE);
    VG_RETURN(0);
}

static struct follower *follower(struct follower *f, struct vg_watch *watch)
{
    VG_SETUP(f, follower);
    f->watch = watch;
    f->before = 0;
    return f;
}

static void *change_all(void *arg)
{
    for (uint64_t i = 0; i < CHANGES; i++)
        CHECK_EQ(set(arg, i + 2), 0);
    vg_watch_close(arg);
    return NULL;
}

TEST(tasks_follow_the_changes_that_a_thread_makes)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);
        struct state current = state(1);
        struct vg_watch watch;
        struct vg_handle handle[TASKS];
        struct follower root;
        pthread_t thread;

        vg_watch_init(&watch, "state", &current);
        for (unsigned i = 0; i < TASKS; i++)
            CHECK_EQ(VG_SPAWN(exec, &handle[i], follower, &watch), 0);
        CHECK_EQ(pthread_create(&thread, NULL, change_all, &watch), 0);
        CHECK_EQ(vg_block_on(exec, &follower(&root, &watch)->fut), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        for (unsigned i = 0; i < TASKS; i++) {
            while (!vg_task_done(&handle[i]))
                sched_yield();
            vg_task_release(&handle[i]);
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
        vg_watch_fini(&watch);
    }
}
