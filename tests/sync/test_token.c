/* SPDX-License-Identifier: MIT */
#include <vigil/token.h>

#include <pthread.h>
#include <sched.h>

#include "threads.h"
#include "world.h"

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void settle(struct world *world)
{
    CHECK_EQ(sim_run(&world->sim, world->exec, never, NULL, VG_SEC(1)), -EDEADLK);
}

TEST(a_cancel_reaches_all_below_and_nothing_above_or_beside)
{
    struct vg_token root, left, right, leaf;

    vg_token_init(&root, "root");
    vg_token_init_child(&left, "left", &root);
    vg_token_init_child(&right, "right", &root);
    vg_token_init_child(&leaf, "leaf", &left);
    CHECK(!vg_token_cancelled(&leaf));
    vg_token_cancel(&left);
    CHECK(vg_token_cancelled(&left));
    CHECK(vg_token_cancelled(&leaf));
    CHECK(!vg_token_cancelled(&root));
    CHECK(!vg_token_cancelled(&right));
    vg_token_cancel(&left);
    vg_token_cancel(&root);
    CHECK(vg_token_cancelled(&right));
    vg_token_fini(&leaf);
    vg_token_fini(&left);
    vg_token_fini(&right);
    vg_token_fini(&root);
}

TEST(a_child_of_a_cancelled_token_is_cancelled_from_the_start)
{
    struct vg_token root, child, grandchild;

    vg_token_init(&root, "root");
    vg_token_cancel(&root);
    vg_token_init_child(&child, "child", &root);
    vg_token_init_child(&grandchild, "grandchild", &child);
    CHECK(vg_token_cancelled(&child));
    CHECK(vg_token_cancelled(&grandchild));
    vg_token_fini(&grandchild);
    vg_token_fini(&child);
    vg_token_fini(&root);
}

TEST(a_large_tree_is_cancelled_whole_but_for_what_was_removed)
{
    enum { COUNT = 500 };
    static struct vg_token token[COUNT];
    static bool gone[COUNT], leaf[COUNT];

    FOR_SEEDS (seed, 50) {
        unsigned random = (unsigned)seed;
        vg_token_init(&token[0], "root");
        for (unsigned i = 0; i < COUNT; i++)
            gone[i] = !(leaf[i] = true);
        for (unsigned i = 1; i < COUNT; i++) {
            const unsigned parent = test_draw(&random) % i;

            leaf[parent] = false;
            vg_token_init_child(&token[i], NULL, &token[parent]);
        }
        for (unsigned i = 1; i < COUNT; i++)
            if ((gone[i] = leaf[i] && test_draw(&random) % 2))
                vg_token_fini(&token[i]);
        vg_token_cancel(&token[0]);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(vg_token_cancelled(&token[i]), !gone[i]);
        for (unsigned i = COUNT; i-- > 0;)
            if (!gone[i])
                vg_token_fini(&token[i]);
    }
}

/* ---- futures ------------------------------------------------------------------------------- */

/* Waits for the token or 10 ms, whichever comes first. */
struct worker {
    VG_FRAME(int);
    struct vg_token *token;
    int arm;
    struct vg_token_wait wait;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
};

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(vg_token_wait(&f->wait, f->token)),
                               VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_RETURN(f->arm == 0 ? f->wait.ret : f->arm);
}

static struct worker *worker(struct worker *f, struct vg_token *token)
{
    VG_SETUP(f, worker);
    f->token = token;
    return f;
}

struct stopper {
    VG_FRAME(int);
    struct vg_token *token;
    struct vg_sleep nap;
};

VG_ASYNC(stopper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(5)));
    if (f->token)
        vg_token_cancel(f->token);
    VG_RETURN(0);
}

static struct stopper *stopper(struct stopper *f, struct vg_token *token)
{
    VG_SETUP(f, stopper);
    f->token = token;
    return f;
}

TEST(all_who_wait_below_are_woken_and_others_go_on)
{
    enum { CHILDREN = 5, EACH = 20 };

    FOR_SEEDS (seed, 50) {
        struct world world;
        struct vg_token root, child[CHILDREN];
        struct vg_handle handle[CHILDREN][EACH];
        struct stopper stop;
        const bool all = seed % 2;
        world_open(&world, seed, 1 + (unsigned)(seed % 4), true);
        vg_token_init(&root, "root");
        for (unsigned i = 0; i < CHILDREN; i++) {
            vg_token_init_child(&child[i], "child", &root);
            for (unsigned j = 0; j < EACH; j++)
                CHECK_EQ(VG_SPAWN(world.exec, &handle[i][j], worker, &child[i]), 0);
        }
        world_run(&world, &stopper(&stop, all ? &root : &child[2])->fut);
        settle(&world);
        for (unsigned i = 0; i < CHILDREN; i++) {
            for (unsigned j = 0; j < EACH; j++) {
                CHECK_EQ(VG_TASK_RET(&handle[i][j], struct worker), all || i == 2 ? 0 : 1);
                vg_task_release(&handle[i][j]);
            }
            vg_token_fini(&child[i]);
        }
        vg_token_fini(&root);
        world_close(&world);
    }
}

TEST(a_wait_for_a_cancelled_token_is_over_at_once)
{
    struct world world;
    struct vg_token root;
    struct worker frame;

    world_open(&world, 1, 1, true);
    vg_token_init(&root, "root");
    vg_token_cancel(&root);
    world_run(&world, &worker(&frame, &root)->fut);
    CHECK_EQ(frame.ret, 0);
    CHECK_EQ(world_ms(&world), 0);
    vg_token_fini(&root);
    world_close(&world);
}

TEST(a_wait_that_is_cancelled_leaves_the_token_alone)
{
    FOR_SEEDS (seed, 50) {
        struct world world;
        struct vg_token root;
        struct vg_handle handle;
        world_open(&world, seed, 2, true);
        vg_token_init(&root, "root");
        CHECK_EQ(VG_SPAWN(world.exec, &handle, worker, &root), 0);
        vg_task_cancel(&handle);
        if (seed % 2)
            vg_token_cancel(&root);
        settle(&world);
        CHECK(VG_TASK_RET(&handle, struct worker) <= 0);
        CHECK_EQ(vg_token_cancelled(&root), seed % 2);
        vg_task_release(&handle);
        vg_token_fini(&root);
        world_close(&world);
    }
}

TEST(a_token_in_use_is_not_ended_and_named_in_reports)
{
    struct world world;
    struct vg_token root, child;
    struct vg_handle handle;
    struct stopper frame;
    const struct vg_future *fut;
    struct vg_wait wait;

    world_open(&world, 1, 1, true);
    vg_token_init(&root, "root");
    vg_token_init_child(&child, "child", &root);
    CHECK_PANICS("token root has 1 children", vg_token_fini(&root));
    CHECK_EQ(VG_SPAWN(world.exec, &handle, worker, &child), 0);
    world_run(&world, &stopper(&frame, NULL)->fut);
    CHECK_PANICS("1 futures wait for token child", vg_token_fini(&child));
    CHECK_STR(child.resource.ops->kind, "token");
    CHECK_EQ(child.resource.ops->waiters(&child.resource), 1);
    fut = child.waiters.first->waiter.fut;
    CHECK(fut->ops->waits(fut, &wait));
    CHECK_EQ(wait.resource, &child.resource);
    settle(&world);
    CHECK_EQ(VG_TASK_RET(&handle, struct worker), 1);
    vg_task_release(&handle);
    vg_token_fini(&child);
    vg_token_fini(&root);
    world_close(&world);
}

/* ---- on threads ---------------------------------------------------------------------------- */

/* A session's token lives in its frame, and ends with it, while the thread cancels. */
struct session {
    VG_FRAME(int);
    struct vg_token token;
    struct vg_token_wait wait;
};

VG_ASYNC(session)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_token_wait(&f->wait, &f->token));
    vg_token_fini(&f->token);
    memset(&f->token, 0xdd, sizeof f->token);
    VG_RETURN(f->ret);
}

static struct session *session(struct session *f, struct vg_token *parent)
{
    VG_SETUP(f, session);
    vg_token_init_child(&f->token, "session", parent);
    return f;
}

static void *cancel_it(void *arg)
{
    vg_token_cancel(arg);
    return NULL;
}

TEST(children_end_while_the_cancel_is_under_way)
{
    enum { SESSIONS = 100, ROUNDS = 20, THREADS = 2 };

    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);

        for (unsigned round = 0; round < ROUNDS; round++) {
            struct vg_handle handle[SESSIONS];
            struct vg_token root;
            pthread_t thread[THREADS];

            vg_token_init(&root, "root");
            for (unsigned i = 0; i < SESSIONS; i++)
                CHECK_EQ(VG_SPAWN(exec, &handle[i], session, &root), 0);
            for (unsigned i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_create(&thread[i], NULL, cancel_it, &root), 0);
            for (unsigned i = 0; i < SESSIONS; i++) {
                while (!vg_task_done(&handle[i]))
                    sched_yield();
                CHECK_EQ(VG_TASK_RET(&handle[i], struct session), 0);
                vg_task_release(&handle[i]);
            }
            for (unsigned i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(thread[i], NULL), 0);
            vg_token_fini(&root);
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
}
