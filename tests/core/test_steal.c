/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "worker.h"

/*
 * A thief that is overtaken. A single thread cannot overtake itself, so the thief below is the real one, but
 * its deque says that it was.
 */
static struct {
    struct vg_task *task;
    unsigned loses, tries; /* the first so many tries are lost */
} race;

static enum vg_steal race_steal(struct vg_deque *deque, struct vg_task **task)
{
    (void)deque;
    *task = race.task; /* read, and gone before it could be taken */
    return race.tries++ < race.loses ? VG_STEAL_LOST : VG_STEAL_GOT;
}

#define vg_deque_steal_any race_steal
#define vg_steal race_vg_steal
#define vg_park_deadline race_vg_park_deadline
#define vg_is_overdue race_vg_is_overdue
struct vg_task *vg_steal(struct vg_worker *worker);
uint64_t vg_park_deadline(struct vg_worker *worker);
#include "steal.c"

static struct vg_task *steal_after(struct rig *rig, unsigned loses)
{
    static struct vg_task task;
    struct vg_deque *deque = &rig->exec->workers[0].deque;
    struct vg_task *stolen;

    race.task = &task;
    race.loses = loses;
    race.tries = 0;
    CHECK(vg_deque_push_owner(deque, &task)); /* there is something to be seen */
    stolen = vg_steal(&rig->exec->workers[1]);
    CHECK(vg_deque_take_owner(deque) == &task);
    return stolen;
}

TEST(a_thief_that_is_always_overtaken_goes_away_with_nothing)
{
    struct rig rig;

    rig_open_config(&rig, 2, NULL, true);
    CHECK(steal_after(&rig, 1000) == NULL);
    CHECK(race.tries > 1 && race.tries < 1000);
    rig_close(&rig);
}

TEST(a_thief_that_was_overtaken_tries_again)
{
    struct rig rig;

    rig_open_config(&rig, 2, NULL, true);
    CHECK(steal_after(&rig, 2) == race.task);
    CHECK_EQ(race.tries, 3);
    rig_close(&rig);
}
