/* SPDX-License-Identifier: MIT */
/*
 * Wakers that no lock orders against the end of what they wake. Every wake that matters is seen, a slot is
 * pushed by one waker at a time, and when all is over every slot is free.
 */
#include <string.h>

#include <vigil/waker.h>

#include "slot.h"
#include "world.h"

enum { SLOTS = 2 };

/* Waits through a waker until so many flags are up, or until something else ends it early. */
struct leaf {
    struct vg_future fut;
    struct vg_waker waker;
    struct vg_waiter other;
    int wanted, polls;
};

static struct world_task task, next_task;
static struct leaf leaf, next_leaf;
static struct vg_slot slots[SLOTS];
static struct vg_waker copies[2];
static struct mc_bell handed_out[2], next_started;
static VG_ATOMIC(int) flags[2];
static struct vg_spin guard; /* of early and of leaf.other.queued */
static bool early;

/* ---- the leaf --------------------------------------------------------------------------------- */

static int flags_up(void)
{
    return vg_load(&flags[0], relaxed) + vg_load(&flags[1], relaxed);
}

static void hand_out(const struct leaf *of)
{
    for (int i = 0; i < 2; i++) {
        VG_WR(&copies[i]);
        copies[i] = of->waker;
        mc_bell_ring(&handed_out[i]);
    }
}

/* Armed, or woken and to be visited soon. */
static bool is_armed(const struct vg_waiter *waiter)
{
    return waiter->flags & (VG_W_ARMED | VG_W_OWED);
}

static bool ended_early(struct leaf *self, struct vg_cx *cx)
{
    bool ended;

    vg_spin_lock(&guard);
    ended = early;
    if (!ended && !is_armed(&self->other)) {
        vg_arm(&self->other, &self->fut, cx);
        self->other.queued = 1;
    }
    vg_spin_unlock(&guard);
    return ended;
}

static void let_go(struct leaf *self, struct vg_cx *cx)
{
    vg_spin_lock(&guard);
    self->other.queued = 0;
    vg_spin_unlock(&guard);
    vg_disarm(&self->other, cx);
    vg_waker_disarm(&self->waker, cx);
}

static vg_poll leaf_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct leaf *self = (struct leaf *)(void *)fut;
    bool first = self->polls++ == 0;

    /* Whoever was woken arms first and looks after, or it overlooks who comes in between. */
    if (first || !is_armed(&self->waker.slot->waiter))
        MC_ASSERT(vg_waker_arm(&self->waker, fut, cx) == 0);
    if (first && self == &leaf)
        hand_out(self);
    else if (first)
        mc_bell_ring(&next_started);
    if (!ended_early(self, cx) && flags_up() < self->wanted)
        return VG_PENDING;
    let_go(self, cx);
    return VG_READY;
}

static const struct vg_ops leaf_ops = {
    .poll = leaf_poll,
    .name = "leaf",
    .size = sizeof(struct leaf),
    .kind = VG_KIND_LEAF,
};

/* ---- threads ---------------------------------------------------------------------------------- */

static void wake(int i)
{
    mc_bell_wait(&handed_out[i]);
    vg_store(&flags[i], 1, relaxed);
    VG_RD(&copies[i]);
    vg_waker_wake(copies[i]);
}

static void end_early(struct leaf *of)
{
    struct vg_notice notice = {NULL};

    vg_spin_lock(&guard);
    early = true;
    if (of->other.queued) {
        of->other.queued = 0;
        notice = vg_wake(&of->other);
    }
    vg_spin_unlock(&guard);
    vg_notify(notice);
}

static void start(struct world_task *on, struct leaf *root, int wanted)
{
    *root = (struct leaf){.wanted = wanted};
    vg_future_init(&root->fut, &leaf_ops);
    world_spawn(on, &root->fut);
}

static void init(int wanted)
{
    world_init();
    memset(slots, 0, sizeof slots);
    for (int i = 0; i < SLOTS; i++)
        vg_store(&slots[i].state, vg_slot_word(0, VG_SLOT_FREE), relaxed);
    slots[0].next = &slots[1];
    world_worker(0)->free_slots = &slots[0];
    for (int i = 0; i < 2; i++)
        vg_store(&flags[i], 0, relaxed);
    early = false;
    start(&task, &leaf, wanted);
}

static void all_free(void)
{
    MC_ASSERT(task.over);
    for (int i = 0; i < SLOTS; i++)
        MC_ASSERT((vg_load(&slots[i].state, relaxed) & VG_SLOT_PHASES) == VG_SLOT_FREE);
}

/* Two wakers; the second may find that the first has won, and must be seen all the same. */
static void init_two_wakers(void)
{
    init(2);
}

static void two_wakers(int id)
{
    if (id == 0)
        world_work(0, &task);
    else
        wake(id - 1);
}
MC_MODEL(waker_two_wakers, .threads = 3, .init = init_two_wakers, .thread = two_wakers,
         .final = all_free);

/* The future ends for another reason, while a waker is anywhere between its steps. */
static void init_early(void)
{
    init(3);
}

static void ends_early(int id)
{
    if (id == 0)
        world_work(0, &task);
    else if (id == 1)
        wake(0);
    else
        end_early(&leaf);
}
MC_MODEL(waker_ends_early, .threads = 3, .init = init_early, .thread = ends_early,
         .final = all_free);

/* The slot goes to the next future while a waker still has a copy for the last one. */
static void init_reused(void)
{
    init(1);
}

static void reused(int id)
{
    if (id == 0) {
        world_work(0, &task);
        start(&next_task, &next_leaf, 3);
        world_work(0, &next_task);
    } else if (id == 1) {
        wake(0);
        vg_waker_wake(copies[0]);
    } else {
        mc_bell_wait(&next_started);
        end_early(&next_leaf);
    }
}

static void woken_for_itself(void)
{
    all_free();
    MC_ASSERT(next_task.over);
    MC_ASSERT(next_leaf.polls <= 2);
}
MC_MODEL(waker_slot_reused, .threads = 3, .init = init_reused, .thread = reused,
         .final = woken_for_itself);
