/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <vigil/async.h>
#include <vigil/probe.h>
#include <vigil/scope.h>
#include <vigil/time.h>

#include "harness.h"
#include "sim.h"
#include "vg_sanitizer.h"

/*
 * What workers write to that others write, too, makes cache lines travel. In a steady state that is seldom: less than once in a
 * hundred tasks or polls. Counted in debug builds, on the simulator, where it does not depend on the machine.
 */

enum { WAVES = 20 };

/* What is done in each wave, by how many workers. */
struct load {
    unsigned workers;
    int tasks, yields;
};

struct yielder {
    VG_FRAME(int);
    int left;
    struct vg_yield yield;
};

VG_ASYNC(yielder)
{
    VG_BEGIN(f);
    for (; f->left > 0; f->left--)
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    VG_RETURN(0);
}

static struct yielder *yielder(struct yielder *f, int times)
{
    VG_SETUP(f, yielder);
    f->left = times;
    return f;
}

struct sum {
    uint64_t polls, writes, stolen;
};

static struct sum add_up(struct vg_exec *exec, unsigned workers)
{
    struct sum sum = {0, 0, 0};

    for (unsigned i = 0; i < workers; i++) {
        struct vg_worker_info info;

        vg_exec_worker(exec, i, &info);
        sum.polls += info.polls;
        sum.writes += info.shared_writes;
        sum.stolen += info.stolen;
    }
    return sum;
}

/* Waves of tasks; the first one makes the state steady. */
struct parent {
    VG_FRAME(int);
    struct load load;
    int wave, i;
    struct sum first;
    struct vg_scope scope;
};

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    for (f->wave = 0; f->wave < WAVES; f->wave++) {
        vg_scope_open(&f->scope, "wave", VG_SCOPE_ALL);
        for (f->i = 0; f->i < f->load.tasks; f->i++)
            CHECK_EQ(VG_SCOPE_SPAWN(&f->scope, yielder, f->load.yields), 0);
        VG_AWAIT(f->ret, &f->scope);
        if (f->wave == 0)
            f->first = add_up(vg_exec_current(), f->load.workers);
    }
    VG_RETURN(0);
}

static struct sum run(uint64_t seed, const struct load *load)
{
    static struct parent root;
    struct vg_config config;
    struct vg_exec *exec;
    struct sim sim;
    struct sum sum;

    sim_open(&sim, seed, load->workers);
    config = sim_config(&sim);
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    VG_SETUP(&root, parent);
    root.load = *load;
    CHECK_EQ(vg_block_on(exec, &root.fut), 0);
    sum = add_up(exec, load->workers);
    sum.polls -= root.first.polls;
    sum.writes -= root.first.writes;
    CHECK_EQ(vg_exec_close(exec, VG_SEC(1)), 0);
    sim_close(&sim);
    return sum;
}

static void check(struct load load)
{
    if (!VG_DEBUG)
        SKIP("no debug build");
    FOR_SEEDS (seed, VG_ASAN ? 1 : 10) {
        const struct sum sum = run(seed, &load);

        if (seed == 1)
            printf("%llu shared writes, %llu polls, %llu steals\n", (unsigned long long)sum.writes,
                   (unsigned long long)sum.polls, (unsigned long long)sum.stolen);
        CHECK((sum.stolen > 0) == (load.workers > 1));
        CHECK(sum.polls >= (uint64_t)(WAVES - 1) * (uint64_t)load.tasks);
        CHECK(100 * sum.writes < sum.polls);
    }
}

TEST(tasks_that_yield_stay_where_they_are)
{
    check((struct load){4, 500, 200});
}

/* By one worker: on the simulator a thief takes whatever there is, for it costs nothing there. */
TEST(memory_of_tasks_that_come_and_go_stays_with_the_worker)
{
    check((struct load){1, 200, 0});
}
