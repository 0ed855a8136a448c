/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_INCIDENT_H
#define VIGIL_INSTRUMENT_INCIDENT_H

#include <vigil/exec.h>
#include <vigil/liveness.h>

#include "evidence.h"
#include "histogram.h"
#include "vg_atomic.h"

/*
 * What has been reported and is not over, so that it is reported once and its end is noticed; and how often
 * each kind of report was made, so that none floods the log. Both tables are fixed: when one is
 * full, the oldest entry gives way. Polls that do not end have a table of their own, an entry for each worker.
 *
 * Everything belongs to the scan, except the counters, which anybody may read, and the reports, which anybody
 * may copy under the guard.
 */

enum { VG_INCIDENTS_MAX = 64, VG_RATES_MAX = 64, VG_REPORTS_PER_MINUTE = 5 };

struct vg_incident {
    bool open;
    bool muted;   /* its report was suppressed, so its end is not reported */
    bool alive;   /* seen in the scan that is going on */
    bool follows; /* another one of its kind was reported for it: herd.c */
    const void *starved, *resource;
    uint64_t polls; /* of its task, when it was last seen to stand */
    uint64_t last;  /* of a row: when it last went on */
    struct vg_report report;
};

/* What a worker is blocked in, as of the last report of it. */
struct vg_incident_poll {
    bool open;
    struct vg_report report;
};

/* Reports with the same parent site, child and resource. */
struct vg_rate {
    enum vg_verdict verdict;
    const void *parent, *child, *place;
    uint64_t since; /* start of the minute that is counted; 0: unused */
    unsigned made, suppressed;
};

struct vg_incident_counts {
    VG_ATOMIC(uint64_t) reported, suppressed, healed, active;
    VG_ATOMIC(uint64_t) found[VG_CONFIRMED + 1]; /* by confidence, reported or not */
    struct vg_hist_counts lasted;                /* those that are over */
    VG_ATOMIC(uint64_t) lasted_sum;
};

/* guard    Over every change of an entry or its report, by the scan, and over their copying, by anybody. */
struct vg_incidents {
    struct vg_spin guard;
    VG_ATOMIC(uint32_t) open; /* entries in use; relaxed */
    unsigned next;            /* the one to give way */
    struct vg_incident incident[VG_INCIDENTS_MAX];
    struct vg_incident_poll poll[VG_WORKERS_MAX];
    struct vg_rate rate[VG_RATES_MAX];
    struct vg_incident_counts count[VG_VERDICT_COUNT];
};

static inline unsigned vg_incidents_open(const struct vg_incidents *incidents)
{
    return vg_load(&incidents->open, relaxed);
}

/* Whether this is an incident that is on the books. If so, it stands as of this evidence. */
bool vg_incident_known(struct vg_incidents *incidents, const struct vg_evidence *evidence);

/* Enters it. Valid until the next call here. */
struct vg_incident *vg_incident_open(struct vg_incidents *incidents,
                                     const struct vg_evidence *evidence, bool muted);

/* Counts a report of this kind. True: it may be made; *suppressed is how many were not since the last. */
bool vg_incident_allowed(struct vg_incidents *incidents, const struct vg_report *report,
                         unsigned *suppressed);

/* Counts the length of one that is over. */
void vg_incident_lasted(struct vg_incidents *incidents, enum vg_verdict verdict, uint64_t lasted);

/* Copies what is on the books into `out`; returns how many. From any thread. */
enum { VG_ACTIVE_MAX = VG_INCIDENTS_MAX + VG_WORKERS_MAX };
unsigned vg_incidents_copy(struct vg_incidents *incidents, struct vg_report out[VG_ACTIVE_MAX]);

/* The poll that the worker is blocked in; NULL: it is over. */
void vg_incident_set_poll(struct vg_incidents *incidents, unsigned worker,
                          const struct vg_report *report);

bool vg_incident_watches(const struct vg_incidents *incidents, uint64_t task);

/* A scan begins: nothing has been seen alive. */
void vg_incidents_begin(struct vg_incidents *incidents);

/* Marks the task's incidents alive that still stand. The task is owned. */
void vg_incidents_recheck(struct vg_incidents *incidents, struct vg_task *task, uint64_t id);

/* The same for a task that is queued or running: what it may still owe is taken to stand. */
void vg_incidents_keep(struct vg_incidents *incidents, const struct vg_task_info *task);

static inline bool vg_is_spin(enum vg_verdict verdict)
{
    return verdict == VG_VERDICT_SELF_WAKE_SPIN || verdict == VG_VERDICT_SPURIOUS_SPIN;
}

static inline bool vg_is_ring(enum vg_verdict verdict)
{
    return verdict == VG_VERDICT_WAIT_CYCLE || verdict == VG_VERDICT_RECURSIVE_WAIT;
}

static inline bool vg_is_loss(enum vg_verdict verdict)
{
    return verdict == VG_VERDICT_LOST_WAKEUP || verdict == VG_VERDICT_CANCEL_LOSS;
}

/* Reported once, and not looked after: what would end it is not seen from outside. */
static inline bool vg_is_instant(enum vg_verdict verdict)
{
    switch (verdict) {
    case VG_VERDICT_TASK_STARVED:
    case VG_VERDICT_TIMER_LATE:
    case VG_VERDICT_IO_LATE:
    case VG_VERDICT_NO_PARALLELISM:
    case VG_VERDICT_WAKE_REENTRY:
        return true;
    default:
        return false;
    }
}

/* Looked after by rows.h. */
static inline bool vg_is_row(enum vg_verdict verdict)
{
    return verdict == VG_VERDICT_ARM_STARVED || verdict == VG_VERDICT_BUDGET_STARVED;
}

/* A wait of which nothing has changed as long as its task was not polled. */
static inline bool vg_is_still(enum vg_verdict verdict)
{
    return vg_is_ring(verdict) || verdict == VG_VERDICT_HOARDED_RESERVATION ||
           verdict == VG_VERDICT_UNFAIR_LOCK || verdict == VG_VERDICT_NEVER_POLLED;
}

/* Closes an incident that was not seen alive; NULL: none is left. Valid until the next call here. */
const struct vg_incident *vg_incidents_close_next(struct vg_incidents *incidents);

#endif
