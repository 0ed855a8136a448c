/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_REPORT_H
#define VIGIL_INSTRUMENT_REPORT_H

#include "live.h"

/* Reports as text. What follows "vigil: <verdict>, confirmed: " is each verdict's own. */

/* "name" */
void vg_report_quoted(struct vg_text *text, const char *name);

/* task 1.3 "name" */
void vg_report_task(struct vg_text *text, const struct vg_report *report);

/* lock in do_thing at a.c:31: vg_lock(...) */
void vg_report_future(struct vg_text *text, const struct vg_report_future *future);

/* The await tree, with a line above it. */
void vg_report_tree(struct vg_text *text, const struct vg_evidence *evidence);

/* report_starved.c: somebody does not poll a future. */
void vg_report_starved(struct vg_text *text, const struct vg_evidence *evidence);

/* report_unarmed.c: nothing can wake a future. */
void vg_report_unarmed(struct vg_text *text, const struct vg_evidence *evidence);

/* report_spin.c: a future is polled to no effect; and the middle of the sentence that it is not any more. */
void vg_report_spin(struct vg_text *text, const struct vg_evidence *evidence);
void vg_report_spin_end(struct vg_text *text, const struct vg_report *report);

/* report_ring.c: tasks wait for each other. */
void vg_report_ring(struct vg_text *text, const struct vg_evidence *evidence);

/* report_lost.c: a wake, or a part of a resource, is lost. */
void vg_report_lost(struct vg_text *text, const struct vg_evidence *evidence);

/* report_overlooked.c: a worker runs tasks and does not come to something else. */
void vg_report_overlooked(struct vg_text *text, const struct vg_report *report);

/* report_crowding.c: futures are in each other's way. */
void vg_report_crowding(struct vg_text *text, const struct vg_evidence *evidence);

/* report_dropped.c: a future was cancelled, and does not end. */
void vg_report_stalled(struct vg_text *text, const struct vg_evidence *evidence);

/* report_waiting.c: a future waits for a resource longer than it should. */
void vg_report_kept_waiting(struct vg_text *text, const struct vg_evidence *evidence);

/* What there is of the resource: a line. In report_lost.c. */
void vg_report_units(struct vg_text *text, const struct vg_report *report);

/* What a task of a ring, or a holder, waits for. In report_ring.c. */
void vg_report_link_waits(struct vg_text *text, const struct vg_report_link *link);

/* report_dropped.c: a future was cancelled because another one had won. */
void vg_report_dropped(struct vg_text *text, const struct vg_evidence *evidence);

/* report_poll.c: a poll does not end; and its end. */
void vg_report_poll(struct vg_text *text, const struct vg_report *report, uint64_t polls);
void vg_report_poll_end(struct vg_text *text, const struct vg_report *report);

#endif
