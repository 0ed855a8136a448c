/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_ROWS_H
#define VIGIL_INSTRUMENT_ROWS_H

#include <vigil/liveness.h>
#include <vigil/probe.h>

#include "vg_atomic.h"

/*
 * What happens in a row to one task on one worker, which alone writes this. The scan reads the atomic members, relaxed, to see
 * whether what was reported goes on; a row that it reads half-written is read again 10 ms later.
 *
 *   rounds    Biased selects at one place, each of which ended before it had come to all of its arms. If the first one passed
 *             by has something to take, at every look (each sixteenth round), for 1000 rounds or 100 ms, it is starved.
 *   refusals  Polls in which leaves were told that the budget was used up. If ten times as many as got on, in 50 ms of
 *             such polls, whoever polls them does so in vain.
 *
 * A row that another task needs gives way; it begins again. What is told ends when the row says otherwise, or has not gone on
 * for 10 s.
 */

enum { VG_ROWS = 16 };
#define VG_ROWS_STALE VG_SEC(10)
enum { VG_ROUNDS_LOOK = 16, VG_ROUNDS_MANY = 1000, VG_REFUSED_PER_USEFUL = 10 };

struct vg_round_row {
    VG_ATOMIC(uint64_t) task;
    VG_ATOMIC(const struct vg_site *) site;
    uint32_t rounds;        /* in a row */
    uint32_t ready;         /* of these, since the arm has been ready at each look; 0: it was not */
    uint64_t since;         /* that began */
    VG_ATOMIC(uint64_t) at; /* the last one */
    VG_ATOMIC(uint32_t) posted; /* 1: it is told */
};

struct vg_refusal_row {
    VG_ATOMIC(uint64_t) task;
    uint64_t refused, useful, busy;
    VG_ATOMIC(uint64_t) at;     /* the last one */
    VG_ATOMIC(uint32_t) posted; /* 1: it is told */
};

struct vg_rows {
    struct vg_round_row round[VG_ROWS];
    struct vg_refusal_row refusal[VG_ROWS];
};

struct vg_liveness;

/* On the worker. */
void vg_rows_round(struct vg_liveness *live, unsigned worker, const struct vg_rounds *rounds,
                   uint64_t now);
void vg_rows_refused(struct vg_liveness *live, unsigned worker, const struct vg_refused *refused);

/* In the scan: whether what was reported of a row goes on; *last is when it last did, and stays if it does not. */
bool vg_rows_stand(const struct vg_liveness *live, const struct vg_report *report, uint64_t now,
                   uint64_t *last);

#endif
