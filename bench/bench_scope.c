/* SPDX-License-Identifier: MIT */
/*
 * scope_skynet/W: a task makes ten children, each of which makes ten, and so on, down to a million leaves; each passes the sum of
 * its children's numbers up. The cost of one of the 1111111 tasks, on W workers.
 */
#include <stdlib.h>

#include <vigil/async.h>
#include <vigil/scope.h>

#include "runner.h"

enum { FAN = 10, LEAVES = VG_DEBUG ? 10000 : 1000000 };

struct leaf {
    VG_FRAME(int);
    int64_t number;
    int64_t *sum;
};

VG_ASYNC(leaf)
{
    VG_BEGIN(f);
    *f->sum = f->number;
    VG_RETURN(0);
}

static struct leaf *leaf(struct leaf *f, int64_t number, int64_t *sum)
{
    VG_SETUP(f, leaf);
    f->number = number;
    f->sum = sum;
    return f;
}

struct node {
    VG_FRAME(int);
    int64_t number, leaves; /* the first leaf below, and how many */
    int64_t *sum;
    int64_t part[FAN];
    struct vg_scope scope;
};

static struct node *node(struct node *f, int64_t number, int64_t leaves, int64_t *sum);

static void spawn_all(struct node *f)
{
    const int64_t each = f->leaves / FAN;
    int rc;

    for (int64_t i = 0; i < FAN; i++) {
        const int64_t first = f->number + i * each;

        rc = each > 1 ? VG_SCOPE_SPAWN(&f->scope, node, first, each, &f->part[i])
                      : VG_SCOPE_SPAWN(&f->scope, leaf, first, &f->part[i]);
        VG_ASSERT(rc == 0);
    }
}

VG_ASYNC(node)
{
    VG_BEGIN(f);
    int rc;
    vg_scope_open(&f->scope, "skynet", VG_SCOPE_CANCEL);
    spawn_all(f);
    VG_AWAIT(rc, &f->scope);
    *f->sum = 0;
    for (int i = 0; i < FAN; i++)
        *f->sum += f->part[i];
    VG_RETURN(rc);
}

static struct node *node(struct node *f, int64_t number, int64_t leaves, int64_t *sum)
{
    VG_SETUP(f, node);
    f->number = number;
    f->leaves = leaves;
    f->sum = sum;
    return f;
}

static int64_t tasks_of(int64_t leaves)
{
    int64_t tasks = 0;

    for (; leaves >= 1; leaves /= FAN)
        tasks += leaves;
    return tasks;
}

static void scope_skynet(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    const int64_t leaves = LEAVES;
    struct node root;
    int64_t sum;

    (void)arg;
    while (exec != NULL && bench_next(run, tasks_of(leaves))) {
        if (!bench_batch(run, exec, &node(&root, 0, leaves, &sum)->fut))
            break;
        if (sum != leaves * (leaves - 1) / 2)
            bench_fail(run, "the sum is wrong");
    }
    bench_close(exec);
}

const struct bench bench_scope[] = {
    {"scope_skynet", scope_skynet, 0, BENCH_MANY},

    {NULL, NULL, 0, 0},
};
