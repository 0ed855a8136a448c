/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include "task.h"
#include "world.h"

/*
 * Requests of all sizes, cancelled, kept and parked at random; some permits are handed on, some semaphores are closed
 * in the end. After each step of the simulator: what is free, granted and held adds up to the whole, and nobody who is
 * next in line finds what he wants free.
 */

enum { TASKS = 10, STEPS = 10, TOTAL_MAX = 5 };

struct commons {
    struct world world;
    struct vg_semaphore semaphore;
    uint32_t total, held; /* by tasks that have looked at what they got */
    unsigned taken, cancelled, refused, checks;
    struct villager *villager[TASKS]; /* NULL: ended */
    unsigned tasks;
};

struct villager {
    VG_FRAME(int);
    struct commons *commons;
    unsigned index;
    int step, rc, arm;
    uint32_t want;
    bool counted; /* what the present acquire has taken is in `held`, or given back */
    struct vg_permit permit;
    VG_ARMS(2) sel;
    struct vg_acquire acquire;
    struct vg_sleep nap;
};

static uint64_t below(struct villager *f, uint64_t n)
{
    return sim_below(&f->commons->world.sim, n);
}

static struct vg_sleep *doze(struct villager *f)
{
    return vg_sleep(&f->nap, VG_MSEC(below(f, 6)));
}

static struct vg_arm acquire_arm(struct villager *f)
{
    f->want = 1 + (uint32_t)below(f, f->commons->total);
    f->counted = false;
    vg_acquire(&f->acquire, &f->commons->semaphore, f->want);
    switch (below(f, 3)) {
    case 0:
        return VG_CANCEL(&f->acquire);
    case 1:
        return VG_KEEP(&f->acquire);
    default:
        return VG_PARK(&f->acquire);
    }
}

static void take(struct villager *f)
{
    f->commons->taken++;
    f->commons->held += f->want;
    f->counted = true;
    f->permit = vg_permit_take(&f->acquire);
}

/* As an object, or in two parts. */
static void give_back(struct villager *f)
{
    struct commons *commons = f->commons;

    if (f->want > 1 && below(f, 2)) {
        vg_release(&commons->semaphore, 1);
        commons->held--;
        vg_release(&commons->semaphore, --f->want);
    } else {
        vg_permit_release(&f->permit);
    }
    commons->held -= f->want;
}

VG_ASYNC(villager)
{
    VG_BEGIN(f);
    for (f->step = 0; f->step < STEPS; f->step++) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, acquire_arm(f), VG_CANCEL(doze(f))));
        if (f->acquire.fut.state == VG_KEPT || f->acquire.fut.state == VG_PARKED)
            VG_AWAIT(f->rc, doze(f));
        if (below(f, 2))
            VG_AWAIT_CANCEL(f->rc, &f->acquire);
        else if (vg_started(&f->acquire.fut))
            VG_AWAIT(f->rc, &f->acquire);
        else
            f->rc = -ECANCELED;
        f->commons->cancelled += f->rc == -ECANCELED;
        f->commons->refused += f->rc == -EPIPE;
        if (f->rc < 0)
            continue;
        take(f);
        VG_AWAIT(f->rc, doze(f));
        give_back(f);
    }
    f->commons->villager[f->index] = NULL;
    VG_RETURN(0);
}

static struct villager *villager(struct villager *f, struct commons *commons, unsigned index)
{
    VG_SETUP(f, villager);
    f->commons = commons;
    f->index = index;
    f->counted = true;
    f->acquire.fut.state = VG_INIT;
    commons->villager[index] = f;
    return f;
}

/* What has been taken, and its task does not know yet. */
static uint32_t taken_unseen(const struct commons *commons)
{
    uint32_t units = 0;

    for (unsigned i = 0; i < commons->tasks; i++) {
        const struct villager *f = commons->villager[i];
        if (f && !f->counted && vg_done(&f->acquire.fut) && f->acquire.ret == 0)
            units += f->want;
    }
    return units;
}

/* Between two steps nobody holds the guard. */
static void check_sum(struct commons *commons)
{
    struct vg_waitlist *list = &commons->semaphore.permits.waiters;
    const uint32_t free = vg_semaphore_free(&commons->semaphore);
    const struct vg_wait_entry *next = list->first;

    CHECK_EQ(free + list->granted + commons->held + taken_unseen(commons), commons->total);
    while (next && (next->state != 1 || next->marks & 2)) /* queued, and not passed over */
        next = next->next;
    if (next)
        CHECK(next->want > free);
    commons->checks++;
}

struct village {
    struct commons *commons;
    struct vg_handle handle[TASKS];
    bool closes;
};

static bool over(void *arg)
{
    struct village *village = arg;
    struct commons *commons = village->commons;
    bool over = true;

    check_sum(commons);
    for (unsigned i = 0; i < TASKS; i++)
        over = over && vg_task_done(&village->handle[i]);
    if (!over && sim_chance(&commons->world.sim, 3))
        vg_task_cancel(&village->handle[sim_below(&commons->world.sim, TASKS)]);
    if (village->closes && sim_chance(&commons->world.sim, 2))
        vg_semaphore_close(&commons->semaphore);
    return over;
}

static void run(struct commons *commons, uint64_t seed)
{
    struct village village = {.commons = commons, .closes = seed % 3 == 0};

    world_open(&commons->world, seed, 1 + (unsigned)(seed % 5), seed % 7 != 0);
    commons->total = 1 + (uint32_t)(seed % TOTAL_MAX);
    vg_semaphore_init(&commons->semaphore, "commons", commons->total);
    commons->tasks = TASKS;
    for (unsigned i = 0; i < TASKS; i++)
        CHECK_EQ(VG_SPAWN(commons->world.exec, &village.handle[i], villager, commons, i), 0);
    CHECK_EQ(sim_run(&commons->world.sim, commons->world.exec, over, &village, VG_SEC(100)), 0);
    for (unsigned i = 0; i < TASKS; i++)
        vg_task_release(&village.handle[i]);
    world_close(&commons->world);
    CHECK_EQ(vg_semaphore_free(&commons->semaphore), commons->total);
    vg_semaphore_fini(&commons->semaphore);
}

TEST(free_and_granted_and_held_permits_add_up_after_every_step)
{
    struct commons sum = {.taken = 0};
    unsigned seeds = 0;

    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 500) {
        struct commons commons = {.taken = 0};
        run(&commons, seed);
        seeds++;
        CHECK(commons.checks > STEPS);
        sum.taken += commons.taken;
        sum.cancelled += commons.cancelled;
        sum.refused += commons.refused;
    }
    CHECK(sum.taken > 0);
    CHECK(seeds < 500 || (sum.cancelled > 0 && sum.refused > 0));
}
