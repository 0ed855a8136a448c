/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/fork.h>
#include <vigil/scope.h>

#include "exhaust.h"
#include "harness.h"
#include "sim.h"

/*
 * Scopes and forks while memory runs out: a child that there is no memory for was never there, and a fork that cannot be
 * given away is run by its join.
 */

enum { KIDS = 6, LARGE = 70000 };

/* In a slab of its own: each spawn asks for memory. */
struct kid {
    VG_FRAME(int);
    unsigned *ended;
    char room[LARGE];
};

VG_ASYNC(kid)
{
    VG_BEGIN(f);
    memset(f->room, 1, sizeof f->room);
    ++*f->ended;
    VG_RETURN(0);
}

static struct kid *kid(struct kid *f, unsigned *ended)
{
    VG_SETUP(f, kid);
    f->ended = ended;
    return f;
}

static void triple(void *arg)
{
    *(unsigned *)arg *= 3;
}

static void compute(void)
{
    unsigned part[3] = {1, 2, 3};
    struct vg_fork fork[3];

    for (int i = 0; i < 3; i++)
        vg_fork(&fork[i], triple, &part[i]);
    for (int i = 2; i >= 0; i--)
        vg_fork_join(&fork[i]);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(part[i], 3 * (i + 1));
}

struct parent {
    VG_FRAME(int);
    unsigned i, spawned, ended;
    struct vg_scope scope;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    int rc;
    vg_scope_open(&f->scope, "parent", VG_SCOPE_CANCEL);
    for (f->i = f->spawned = f->ended = 0; f->i < KIDS; f->i++) {
        rc = VG_SCOPE_SPAWN(&f->scope, kid, &f->ended);
        f->spawned += !exhaust_hit(rc);
    }
    compute();
    VG_AWAIT(rc, &f->scope);
    CHECK_EQ(f->ended, f->spawned);
    VG_RETURN(rc);
}

static struct parent *parent(struct parent *f)
{
    VG_SETUP(f, parent);
    return f;
}

static void run(void *arg)
{
    struct vg_exec *exec;
    struct parent root;
    struct sim sim;
    int rc;

    (void)arg;
    sim_open(&sim, 1, 2);
    struct vg_config config = sim_config(&sim);
    rc = vg_exec_open(&exec, &config);
    if (!exhaust_hit(rc)) {
        rc = vg_block_on(exec, &parent(&root)->fut);
        if (!exhaust_hit(rc))
            CHECK_EQ(root.ret, 0);
        exhaust_end();
        CHECK_EQ(vg_block_on(exec, &parent(&root)->fut), 0);
        CHECK_EQ(root.spawned, KIDS);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    }
    sim_close(&sim);
}

TEST(a_scope_ends_whichever_of_its_children_there_is_no_memory_for)
{
    CHECK(exhaust(&exhaust_memory, run, NULL) > KIDS);
}

TEST(a_scope_ends_whichever_of_its_tasks_there_is_no_slab_for)
{
    const struct exhaust slabs = {"slab", -ENOMEM, 0};

    CHECK(exhaust(&slabs, run, NULL) > KIDS);
}
