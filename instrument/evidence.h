/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_EVIDENCE_H
#define VIGIL_INSTRUMENT_EVIDENCE_H

#include <vigil/liveness.h>

#include "drops.h"
#include "futurelock.h"
#include "rows.h"
#include "spin.h"
#include "tree.h"

/*
 * What is known at the moment of a verdict: copied while the task is owned, made into a report later and
 * elsewhere. The pointers in `starved` and `waiter` are identities: the memory behind them may be gone.
 */
struct vg_evidence {
    struct vg_report report; /* without text */
    const void *starved, *resource;
    uint64_t polls;
    struct vg_exit exit[VG_EXITS_MAX];
    struct vg_tree tree;
};

/* Begins a piece of evidence: all but the tree is empty, but for whose it is, and `now`. The task is owned. */
void vg_evidence_task(struct vg_evidence *evidence, struct vg_task *task, uint64_t now);

/* The future by its type and who awaits it. `fence`: the parked or opaque ancestor that nobody polls past, or NULL. */
struct vg_report_future vg_evidence_name(const struct vg_future *fut,
                                         const struct vg_future *fence);

/* Names the resource: its kind, its name, and where it was made. */
void vg_evidence_resource(struct vg_report *report, const struct vg_resource *resource);

/* Who should have polled a leaf: the frame that its nearest parked ancestor hangs on, or the outermost
 * hand-written future above it. NULL: nothing is in its way. */
const struct vg_future *vg_responsible(const struct vg_future *leaf);

/* A woken future that was not polled. Decides between snoozed-child, stalled-grant and futurelock. */
void vg_evidence_snoozed(struct vg_evidence *evidence, struct vg_task *task,
                         struct vg_waiter *waiter, uint64_t now);

void vg_evidence_futurelock(struct vg_evidence *evidence, struct vg_task *task,
                            const struct vg_lockup *lockup, uint64_t now);

void vg_evidence_poll_after_ready(struct vg_evidence *evidence, struct vg_task *task,
                                  const struct vg_site *site, uint64_t now);

void vg_evidence_unarmed(struct vg_evidence *evidence, const struct vg_unarmed *unarmed,
                         uint64_t now);

void vg_evidence_spin(struct vg_evidence *evidence, const struct vg_fruitless *fruitless,
                      const struct vg_row *row);

/* What the task of a ring waits for. Either may be NULL: the evidence is that of its first member. The task is owned. */
void vg_evidence_link(struct vg_evidence *evidence, struct vg_task *task,
                      struct vg_report_link *link);

/* The task suspends with this lock. */
void vg_evidence_lock(struct vg_evidence *evidence, struct vg_task *task, struct vg_resource *lock,
                      uint64_t now);

/* The leaf waits for what is there, or for what is not there any more: `verdict`. The task is owned. */
void vg_evidence_lost(struct vg_evidence *evidence, struct vg_task *task,
                      const struct vg_future *leaf, struct vg_resource *resource,
                      const struct vg_resource_state *state, enum vg_verdict verdict);

/* A child is dropped which waited for that. The task is owned. */
void vg_evidence_dropped(struct vg_evidence *evidence, const struct vg_dropped *dropped,
                         const struct vg_report_future *waited, const struct vg_drop_sum *sum);

/* An arm of a select is passed by. The task is owned. */
void vg_evidence_arm(struct vg_evidence *evidence, const struct vg_rounds *rounds,
                     const struct vg_round_row *row, uint64_t now);

/* A leaf is told to wait for budget. The task is owned. */
void vg_evidence_refused(struct vg_evidence *evidence, const struct vg_refused *refused,
                         const struct vg_refusal_row *row);

/* A future is polled from within a wake. The task is owned. */
void vg_evidence_reentry(struct vg_evidence *evidence, const struct vg_reentry *reentry,
                         uint64_t now);

/* A future was cancelled at `since`, and waits for `leaf`. The task is owned. */
void vg_evidence_stalled(struct vg_evidence *evidence, struct vg_task *task,
                         const struct vg_future *fut, const struct vg_future *leaf, uint64_t since,
                         uint64_t now);

/* A poll that does not end. Nobody owns its task but the worker that is in it: there is no await tree. */
void vg_evidence_poll(struct vg_evidence *evidence, const struct vg_worker_info *worker,
                      uint64_t now);

#endif
