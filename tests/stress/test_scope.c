/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/fork.h>
#include <vigil/scope.h>
#include <vigil/time.h>

#include "threads.h"
#include "vg_atomic.h"
#include "vg_os.h"

/* Scopes and forks on real threads, while a thread outside cancels. */

enum { FAN = 6, DEPTH = 4 };

struct tree {
    VG_ATOMIC(uint64_t) begun, ended;
};

struct node {
    VG_FRAME(int);
    struct tree *tree;
    long *sum;
    unsigned depth, i;
    long part[FAN];
    struct vg_yield yield;
    struct vg_scope scope;
};

static struct node *node(struct node *f, struct tree *tree, unsigned depth, long *sum);

static long sum_of(const struct node *f)
{
    long sum = f->depth == 0;

    for (unsigned i = 0; i < FAN; i++)
        sum += f->part[i];
    return sum;
}

VG_ASYNC(node)
{
    VG_BEGIN(f);
    int rc;
    vg_fetch_add(&f->tree->begun, 1u, relaxed);
    vg_scope_open(&f->scope, "tree", VG_SCOPE_CANCEL);
    for (f->i = 0; f->depth > 0 && f->i < FAN; f->i++) {
        rc = VG_SCOPE_SPAWN(&f->scope, node, f->tree, f->depth - 1, &f->part[f->i]);
        CHECK(rc == 0 || rc == -ECANCELED);
    }
    if (f->depth == 0)
        VG_AWAIT(rc, vg_yield(&f->yield));
    VG_AWAIT(rc, &f->scope);
    *f->sum = sum_of(f);
    vg_fetch_add(&f->tree->ended, 1u, relaxed);
    VG_RETURN(vg_cancelled(&f->fut) ? -ECANCELED : rc);
}

static struct node *node(struct node *f, struct tree *tree, unsigned depth, long *sum)
{
    VG_SETUP(f, node);
    f->tree = tree;
    f->depth = depth;
    f->sum = sum;
    memset(f->part, 0, sizeof f->part);
    return f;
}

static long leaves(unsigned depth)
{
    return depth == 0 ? 1 : FAN * leaves(depth - 1);
}

/* Waits, from outside, for a task to end. */
static void wait_for(const struct vg_handle *handle)
{
    while (!vg_task_done(handle))
        vg_os_yield();
}

static void run_tree(struct vg_exec *exec, bool cancel, unsigned spins)
{
    struct tree tree = {0};
    struct vg_handle root;
    long sum = 0;
    int ret;

    CHECK_EQ(VG_SPAWN(exec, &root, node, &tree, DEPTH, &sum), 0);
    for (unsigned i = 0; cancel && i < spins; i++)
        vg_pause();
    if (cancel)
        vg_task_cancel(&root);
    wait_for(&root);
    ret = VG_TASK_RET(&root, struct node);
    vg_task_release(&root);
    CHECK(ret == 0 || (cancel && ret == -ECANCELED));
    CHECK(ret < 0 || sum == leaves(DEPTH));
    CHECK_EQ(vg_load(&tree.begun, relaxed), vg_load(&tree.ended, relaxed));
}

TEST(trees_of_scopes_end_whole_or_cancelled)
{
    const unsigned rounds = test_long() ? 400 : 20;

    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);

        for (unsigned i = 0; i < rounds; i++)
            run_tree(exec, i % 2 == 1, i * 1000);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(20)), 0);
    }
}

/* ---- forks ------------------------------------------------------------------------------------ */

struct part {
    int n;
    long ret;
};

static long fib(int n);

static void run(void *arg)
{
    struct part *part = arg;

    part->ret = fib(part->n);
}

static long fib(int n)
{
    struct part part = {n - 2, 0};
    struct vg_fork fork;
    long other;

    if (n < 2)
        return n;
    vg_fork(&fork, run, &part);
    other = fib(n - 1);
    vg_fork_join(&fork);
    return other + part.ret;
}

struct caller {
    VG_FRAME(int);
    long result;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    f->result = fib(20);
    VG_RETURN(0);
}

static struct caller *caller(struct caller *f)
{
    VG_SETUP(f, caller);
    return f;
}

/* Several at once: each is stolen from, and steals. */
TEST(forks_of_several_tasks_are_run_once_wherever_they_are_run)
{
    const unsigned rounds = test_long() ? 2000 : 100;

    FOR_WORKERS (workers) {
        struct vg_handle task[3];
        struct vg_exec *exec = test_exec(workers);

        for (unsigned i = 0; i < rounds; i++) {
            for (unsigned j = 0; j < 3; j++)
                CHECK_EQ(VG_SPAWN(exec, &task[j], caller), 0);
            for (unsigned j = 0; j < 3; j++) {
                wait_for(&task[j]);
                CHECK_EQ(((struct caller *)vg_task_frame(&task[j]))->result, 6765);
                vg_task_release(&task[j]);
            }
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(20)), 0);
    }
}

static void bump(void *context, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        ((unsigned *)context)[i] += 1;
}

struct looper {
    VG_FRAME(int);
    unsigned cells[4096];
};

VG_ASYNC(looper)
{
    VG_BEGIN(f);
    for (unsigned i = 0; i < 20; i++)
        vg_parallel_for(0, 4096, 16, bump, f->cells);
    VG_RETURN(0);
}

static struct looper *looper(struct looper *f)
{
    VG_SETUP(f, looper);
    memset(f->cells, 0, sizeof f->cells);
    return f;
}

TEST(loops_see_what_the_loops_before_them_wrote)
{
    static struct looper root;

    FOR_WORKERS (workers) {
        struct vg_exec *exec = test_exec(workers);

        CHECK_EQ(vg_block_on(exec, &looper(&root)->fut), 0);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(20)), 0);
        for (unsigned i = 0; i < 4096; i++)
            CHECK_EQ(root.cells[i], 20);
    }
}
