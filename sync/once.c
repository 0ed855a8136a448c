/* SPDX-License-Identifier: MIT */
#include <vigil/once.h>

#include "claim.h"
#include "permits.h"

void vg_once_init_at(struct vg_once_cell *cell, const char *name, const struct vg_place *place)
{
    vg_permits_init(&cell->permits, &vg_once_resource_, name, place, 1, 1);
    vg_store(&cell->done, 0, relaxed);
}

void vg_once_fini(struct vg_once_cell *cell)
{
    const struct vg_permits_use use = vg_permits_use(&cell->permits);

    if (use.taken > 0)
        vg_panic("vg_once_fini: once-cell %s is being initialised",
                 vg_permits_name(&cell->permits));
    if (use.waiters > 0)
        vg_panic("vg_once_fini: %u futures wait for once-cell %s", use.waiters,
                 vg_permits_name(&cell->permits));
}

bool vg_once_done(const struct vg_once_cell *cell)
{
    /* Acquire: pairs with the release in end_turn(). */
    return vg_load(&cell->done, acquire) != 0;
}

const struct vg_resource_ops vg_once_resource_ = {
    .kind = "once-cell",
    .owner = vg_permits_owner,
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
};

/* ---- the turn: a child of the wait ----------------------------------------------------------- */

static vg_poll turn_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_claim *turn = (struct vg_claim *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    if (vg_claim_result(turn, 1) == 0)
        vg_claim_own(turn, cx);
    return VG_READY;
}

static const struct vg_ops turn_ops = {
    .poll = turn_poll,
    VG_CLAIM_OPS,
    .is_held = true,
    .name = "vg_once_turn",
    .size = sizeof(struct vg_claim),
};

/* ---- the wait ------------------------------------------------------------------------------ */

/* Whether there is nothing left to wait for: it is initialised, or the wait was cancelled. */
static bool is_settled(struct vg_once *once)
{
    once->ret = vg_claim_result(&once->turn, 0);
    once->my_turn = once->ret == 0 && !once->turn.dismissed;
    return !once->my_turn;
}

/* The initialiser has ended. */
static void end_turn(struct vg_once *once)
{
    struct vg_once_cell *cell = once->cell;
    const int result = *once->result;

    once->initialiser->flags |= VG_F_TAKEN;
    once->ret = result < 0 ? result : 0;
    if (result < 0) {
        if (!vg_permits_give(&cell->permits, 1))
            vg_panic("once-cell %s was initialised twice at once", vg_permits_name(&cell->permits));
        return;
    }
    vg_owner_clear(&cell->permits.owner);
    /* Release: pairs with the acquire in vg_once_done(). Those who wait see it by the guard. */
    vg_store(&cell->done, 1, release);
    vg_permits_dismiss(&cell->permits, true, 1); /* the last access to the cell */
}

static vg_poll once_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_once *once = (struct vg_once *)(void *)fut;

    if (!once->my_turn) {
        if (!vg_started(&once->turn.fut) && vg_once_done(once->cell))
            return VG_READY;
        if (vg_cancelled(fut))
            vg_cancel(&once->turn.fut, cx);
        if (!vg_poll_future(&once->turn.fut, cx).ready)
            return VG_PENDING;
        if (is_settled(once))
            return VG_READY;
    }
    if (vg_cancelled(fut))
        vg_cancel(once->initialiser, cx);
    if (!vg_poll_future(once->initialiser, cx).ready)
        return VG_PENDING;
    end_turn(once);
    return VG_READY;
}

static void once_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_once *once = (struct vg_once *)(void *)fut;

    vg_cancel(once->my_turn ? once->initialiser : &once->turn.fut, cx);
}

static struct vg_future *once_child(const struct vg_future *fut, unsigned i)
{
    struct vg_once *once = (struct vg_once *)(uintptr_t)fut;

    return i == 0 ? &once->turn.fut : i == 1 ? once->initialiser : NULL;
}

static const struct vg_ops once_ops = {
    .poll = once_poll,
    .cancel = once_cancel,
    .child = once_child,
    .name = "vg_once",
    .size = sizeof(struct vg_once),
    .kind = VG_KIND_NODE,
};

struct vg_once *vg_once_fut(struct vg_once *once, struct vg_once_cell *cell,
                            struct vg_future *initialiser, const int *result)
{
    vg_future_init(&once->fut, &once_ops);
    once->ret = 0;
    once->my_turn = false;
    once->cell = cell;
    vg_claim_init(&once->turn, &turn_ops, &cell->permits, 1);
    once->initialiser = initialiser;
    once->result = result;
    return once;
}
