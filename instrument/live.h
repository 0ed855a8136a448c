/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_LIVE_H
#define VIGIL_INSTRUMENT_LIVE_H

#include <vigil/liveness.h>

#include "alone.h"
#include "blocked.h"
#include "drops.h"
#include "evidence.h"
#include "incident.h"
#include "overlooked.h"
#include "past.h"
#include "rows.h"
#include "site.h"
#include "spin.h"
#include "stall.h"
#include "stalled.h"
#include "vg_atomic.h"
#include "vg_stack.h"
#include "waitfor.h"
#include "watchdog.h"

/*
 * The object behind <vigil/liveness.h>. Three parties use it: each worker its own lane, without ever
 * waiting; the scan, one thread at a time, which reads the lanes and makes the reports; and readers of
 * snapshots.
 */

enum { VG_POST_SLOTS = 4, VG_LATE_SLOTS = 8, VG_SLOW_SLOTS = 16, VG_RECENT_SLOTS = 8 };

/* A wake that was passed over long after it was made: the executor was late, and the parents are
 * answerable only from then on. */
struct vg_late {
    VG_ATOMIC(uint64_t) waiter, woken_at, passed_at;
};

/* A lock-up that was posted a moment ago, not to be posted at each suspension of its task. */
struct vg_recent {
    uint64_t task, at;
    const void *starved, *blocked;
};

/*
 * What one worker writes.
 *
 * posted    Evidence put into the ring so far: by the worker, release. Pairs with the scan's acquire.
 * taken     Evidence read so far: by the scan, release. Pairs with the worker's acquire.
 * blocks    The scan's: what it has found out about this worker's polls. Relaxed; read by snapshots.
 * The rest are counters and lossy rings, each word on its own.
 */
struct vg_lane {
    struct vg_waits waits;
    VG_ATOMIC(uint32_t) posted, taken;
    VG_ATOMIC(uint32_t) lates, slows;
    VG_ATOMIC(uint64_t) passed_over, healings, lost;
    bool fresh; /* a wake was passed over in the poll that is ending */
    unsigned recents;
    struct vg_recent recent[VG_RECENT_SLOTS];
    struct vg_late late[VG_LATE_SLOTS];
    struct vg_spins spins;
    struct vg_drops drops;
    struct vg_stalled stalled;
    struct vg_rows rows;
    VG_ATOMIC(uint64_t) slow[VG_SLOW_SLOTS]; /* lengths of long waits that have ended */
    struct vg_evidence post[VG_POST_SLOTS];
    VG_ATOMIC(uint64_t) blocks, blocked_ns, blocked_max;
    struct vg_blocked blocked;       /* the scan's own */
    struct vg_overlooked overlooked; /* likewise */
    struct vg_alone alone;           /* likewise */
};

/* A spin that is found seldom comes alone: the report waits for the others. */
struct vg_gathered {
    bool used;
    uint64_t due;
    struct vg_evidence evidence;
};

/* What a worker has answered, for the scan. */
struct vg_asked {
    struct vg_stack stack;
    struct vg_polling_here here;
    bool polling;
    char text[4096]; /* the stack, with names */
};

/* How scans follow each other. */
struct vg_pace {
    uint64_t planned;   /* how long after the last scan this one was to come */
    uint64_t took;      /* how long the last one took */
    uint64_t reporting; /* how much of this one goes into reports of polls */
};

/*
 * held        1 while a thread reads the executor on somebody's behalf, or one is attached or detached: taken
 *             with acquire, given back with release. The scan does without: it ends before.
 * endpoints   Telemetry endpoints that read this object.
 * scanning    1 while a thread is in vg_watch_scan(): taken with acquire, given back with release.
 * level       VG_LEVEL_*, relaxed.
 * longest     See vg_waits: the configured length, but 0 unless the level is FULL. Relaxed.
 * dump_asked  1: the signal for a dump has come. Set by its handler, taken by the watchdog.
 */
struct vg_liveness {
    struct vg_probe probe;
    struct vg_alloc alloc;
    struct vg_liveness_config config;
    struct vg_exec *exec; /* NULL: none is attached */
    unsigned workers;
    struct vg_sites sites;
    char *space; /* the lanes, each with its sites behind it */
    size_t lane_size, space_size;
    VG_ATOMIC(uint64_t) longest;
    VG_ATOMIC(uint32_t) level;
    VG_ATOMIC(uint32_t) scanning;
    VG_ATOMIC(uint32_t) held;
    VG_ATOMIC(uint32_t) endpoints;
    VG_ATOMIC(uint32_t) dump_asked;
    struct vg_watchdog watchdog;
    struct vg_stalls stalls;
    struct vg_incidents incidents;
    struct vg_past past;
    char name[32];     /* the executor's */
    uint64_t began_at; /* when it was opened */
    uint64_t ended_at; /* when it was closed */
    /* the scan's own */
    uint64_t scanned_at;
    struct vg_pace pace;
    struct vg_evidence found;
    struct vg_asked asked;
    struct vg_gathered gathered;
    struct vg_waitfor waitfor;
    char text[8192];
};

static inline struct vg_liveness *vg_liveness_of(struct vg_probe *probe)
{
    return (struct vg_liveness *)(void *)probe;
}

static inline struct vg_lane *vg_lane_of(const struct vg_liveness *live, unsigned worker)
{
    return (struct vg_lane *)(void *)(live->space + worker * live->lane_size);
}

static inline void vg_lane_count(VG_ATOMIC(uint64_t) *counter)
{
    vg_store(counter, vg_load(counter, relaxed) + 1, relaxed);
}

/* Until the release the executor stays, or stays away. Waits for whoever else holds it, for as long as a
 * snapshot or a page takes; not recursive. */
void vg_live_hold(struct vg_liveness *live);
void vg_live_release(struct vg_liveness *live);

/* The clock, as far as there is one. Held. */
uint64_t vg_live_now(const struct vg_liveness *live);

/* ---- probe.c ------------------------------------------------------------------------------- */

/* Fills in all events but attach and detach. */
void vg_probe_init(struct vg_probe *probe);

/* ---- watch.c ------------------------------------------------------------------------------- */

/* One scan; the watchdog tells of a standstill before it. False: another thread is in it. */
bool vg_scan(struct vg_liveness *live, uint64_t now, const struct vg_stall *stall,
             struct vg_pace *pace);

/* ---- dump.c -------------------------------------------------------------------------------- */

/* Listens to the configured signal, if there is one. -EBUSY, -EINVAL. */
int vg_dump_open(struct vg_liveness *live);
void vg_dump_close(struct vg_liveness *live);

/* On the watchdog's thread. */
void vg_dump_if_asked(struct vg_liveness *live);

/* ---- snooze.c ------------------------------------------------------------------------------ */

/* On the worker, which owns the task: posts what has been left unpolled for too long. */
void vg_snooze_check(struct vg_liveness *live, struct vg_lane *lane, struct vg_task *task,
                     uint64_t now);

/* In the scan, which owns the task: the same, into live->found; false if there is nothing new. */
bool vg_snooze_find(struct vg_liveness *live, struct vg_task *task, uint64_t now);

/* Remembers when the wake was passed over, if that was late. */
void vg_snooze_passed(struct vg_lane *lane, const struct vg_waiter *waiter, uint64_t now);

/* ---- drops.c ------------------------------------------------------------------------------- */

/* On the worker: a child is dropped; one like it has ended. */
void vg_drops_note(struct vg_liveness *live, unsigned worker, const struct vg_dropped *dropped,
                   uint64_t now);
void vg_drops_ended(struct vg_liveness *live, unsigned worker, struct vg_task *task,
                    const struct vg_future *fut, uint64_t now);

/* ---- lookout.c ----------------------------------------------------------------------------- */

/* In the scan: looks at the poll of every worker, and reports those that are blocked. */
void vg_lookout_scan(struct vg_liveness *live, uint64_t now);

/* ---- herd.c -------------------------------------------------------------------------------- */

/* In the scan: a spin was found. Several of the same kind are one finding. */
void vg_herd_add(struct vg_liveness *live, const struct vg_evidence *evidence, uint64_t now);

/* Reports what has been held back long enough. */
void vg_herd_report(struct vg_liveness *live, uint64_t now);

/* A spin is over. True: others of its kind go on, and nothing is to be said. */
bool vg_herd_end(struct vg_liveness *live, const struct vg_incident *incident, uint64_t now);

/* ---- stack.c ------------------------------------------------------------------------------- */

/* In the scan: has the worker on this thread say where it is. False: it is not in a poll of that task any more, or
 * does not answer in a tenth of a second. */
bool vg_ask_worker(struct vg_liveness *live, int thread, uint64_t task, struct vg_report *report);

/* ---- post.c -------------------------------------------------------------------------------- */

/* Room for a piece of evidence; NULL, and counted as lost, if the scan has fallen behind. */
struct vg_evidence *vg_post_begin(struct vg_lane *lane);
void vg_post_end(struct vg_liveness *live, struct vg_lane *lane);

/* Whether the same lock-up was posted less than a second ago; notes it if not. */
bool vg_post_is_recent(struct vg_lane *lane, uint64_t task, const struct vg_lockup *lockup,
                       uint64_t now);

/* The oldest piece that the scan has not seen; NULL: none. */
const struct vg_evidence *vg_post_next(struct vg_lane *lane);
void vg_post_taken(struct vg_lane *lane);
bool vg_post_pending(const struct vg_liveness *live);

/* ---- report.c ------------------------------------------------------------------------------ */

/* Writes the evidence out and delivers it, unless the incident is known or its kind too frequent. */
void vg_report_evidence(struct vg_liveness *live, const struct vg_evidence *evidence, uint64_t now);

/* The same, whatever is known and how often. */
void vg_report_now(struct vg_liveness *live, const struct vg_evidence *evidence);

/* The poll of an earlier report is over. */
void vg_report_end_poll(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                        uint64_t lasted);

/* The same for one that was reported once and not entered: see vg_is_instant(). */
void vg_report_end_instant(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                           uint64_t lasted);

/* The incident is over after `lasted`. */
void vg_report_end(struct vg_liveness *live, const struct vg_report *opened, uint64_t now,
                   uint64_t lasted, bool answered);

#endif
