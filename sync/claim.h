/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_CLAIM_H
#define VIGIL_SYNC_CLAIM_H

#include <vigil/permits.h>

/*
 * The leaf that waits for units. A primitive's future begins with a vg_claim and has ops of its own: its poll
 * calls vg_claim_poll() and translates the result, the rest is used as it is.
 *
 *     static const struct vg_ops lock_ops = {
 *         .poll = lock_poll, VG_CLAIM_OPS, .name = "vg_lock", .size = sizeof(struct vg_lock)};
 */

#define VG_CLAIM_OPS                                                                               \
    .cancel = vg_claim_cancel, .passed_over = vg_claim_passed_over, .waits = vg_claim_waits,       \
    .kind = VG_KIND_LEAF

void vg_claim_init(struct vg_claim *claim, const struct vg_ops *ops, struct vg_permits *permits,
                   uint32_t want);

/* Takes what is wanted, or a place in the queue. When it is ready, vg_claim_result() is valid. */
vg_poll vg_claim_poll(struct vg_future *fut, struct vg_cx *cx);

/* 0: the units are the caller's. -ECANCELED, or `dismissed` if it was let go before it was cancelled: they
 * are not. */
int vg_claim_result(const struct vg_claim *claim, int dismissed);

/* Records the future's task and frame as the owner of all units. After it has taken them. */
void vg_claim_own(struct vg_claim *claim, struct vg_cx *cx);

/* Guard held. Takes a place in the queue; for a poll that does more than vg_claim_poll() when it starts. */
void vg_claim_queue(struct vg_claim *claim, struct vg_cx *cx);

void vg_claim_cancel(struct vg_future *fut, struct vg_cx *cx);
enum vg_pass vg_claim_passed_over(struct vg_future *fut, struct vg_cx *cx);
bool vg_claim_waits(const struct vg_future *fut, struct vg_wait *wait);

#endif
