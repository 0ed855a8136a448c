/* SPDX-License-Identifier: MIT */
#include "evidence.h"

/* Evidence of futures that are in each other's way. */

void vg_evidence_arm(struct vg_evidence *evidence, const struct vg_rounds *rounds,
                     const struct vg_round_row *row, uint64_t now)
{
    struct vg_report *report = &evidence->report;
    const struct vg_ops *ops = rounds->passed->ops;
    struct vg_wait wait;

    vg_evidence_task(evidence, rounds->task, now);
    evidence->starved = rounds->passed;
    report->verdict = VG_VERDICT_ARM_STARVED;
    report->confidence = VG_CONFIRMED;
    report->starved = report->parent = vg_evidence_name(rounds->select, NULL);
    report->starved.type = ops->name;
    report->rounds = row->rounds;
    report->lasted = now - row->since;
    if (ops->waits != NULL && ops->waits(rounds->passed, &wait))
        vg_evidence_resource(report, wait.resource);
    vg_tree_copy(&evidence->tree, rounds->task, NULL, rounds->select);
}

void vg_evidence_refused(struct vg_evidence *evidence, const struct vg_refused *refused,
                         const struct vg_refusal_row *row)
{
    const struct vg_future *fence = vg_fence_above(refused->fut);
    struct vg_report *report = &evidence->report;

    vg_evidence_task(evidence, refused->task, refused->ended);
    evidence->starved = refused->fut;
    report->verdict = VG_VERDICT_BUDGET_STARVED;
    report->confidence = VG_CONFIRMED;
    report->starved = vg_evidence_name(refused->fut, NULL);
    report->parent = vg_evidence_name(fence != NULL ? fence : vg_task_root(refused->task), NULL);
    report->refused = row->refused;
    report->useful = row->useful;
    report->lasted = row->busy;
    vg_tree_copy(&evidence->tree, refused->task, NULL, refused->fut);
}

void vg_evidence_reentry(struct vg_evidence *evidence, const struct vg_reentry *reentry,
                         uint64_t now)
{
    struct vg_report *report = &evidence->report;

    vg_evidence_task(evidence, reentry->task, now);
    evidence->starved = reentry->fut;
    report->verdict = VG_VERDICT_WAKE_REENTRY;
    report->confidence = VG_CONFIRMED;
    report->starved = vg_evidence_name(reentry->fut, NULL);
    vg_evidence_resource(report, reentry->resource);
    vg_tree_copy(&evidence->tree, reentry->task, NULL, reentry->fut);
}

void vg_evidence_stalled(struct vg_evidence *evidence, struct vg_task *task,
                         const struct vg_future *fut, const struct vg_future *leaf, uint64_t since,
                         uint64_t now)
{
    struct vg_report *report = &evidence->report;
    struct vg_wait wait;

    vg_evidence_task(evidence, task, now);
    evidence->starved = fut;
    report->verdict = VG_VERDICT_CANCEL_STALLED;
    report->confidence = VG_CONFIRMED;
    report->starved = report->parent = vg_evidence_name(fut->up != NULL ? fut->up : fut, NULL);
    report->starved.type = fut->ops->name;
    report->blocked = vg_evidence_name(leaf, NULL);
    report->lasted = now - since;
    if (leaf->ops->waits != NULL && leaf->ops->waits(leaf, &wait))
        vg_evidence_resource(report, wait.resource);
    vg_tree_copy(&evidence->tree, task, NULL, leaf);
}
