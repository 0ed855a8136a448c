/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_BLOCKED_H
#define VIGIL_INSTRUMENT_BLOCKED_H

#include <vigil/liveness.h>

#include "vg_os.h"

/*
 * The watch over the poll that a worker is in. At each scan, if it is still the same poll, the system's
 * scheduler is asked what the thread did meanwhile, because only two kinds of long polls are the
 * program's doing: one in which the thread uses the processor, and one in which it sleeps in the kernel. A
 * thread that is runnable and does not run (other load, a quota, a stolen processor) or is stopped
 * can do nothing for it.
 *
 *     first look     the thread's CPU time                                   one system call
 *     second look    also its state, and its times in the queue              a few more
 *     third look...  what two of those prove is added up
 *
 * computed   CPU time used since the first look. Needs no further proof.
 * slept      Time between two looks at both of which it was asleep, less the time it ran or was runnable. It
 *            counts only if the later look came in time: else the process itself may have stood still.
 * lasted     Time since the first look. Of a look that came so late that the process may have stood still, only what
 *            was planned, or what the scheduler has seen of the thread. No proof of anything; for people.
 *
 * A poll is blocked when one of the first two has reached the limit. Most polls do not live to see a
 * second look.
 */

struct vg_blocked_limits {
    uint64_t blocked; /* what makes a poll a blocked one */
    uint64_t planned; /* how long after the last look the next one comes */
    uint64_t took;    /* what the watchdog did between the two, mostly the writing of reports */
};

/* CPU time of a first poll that makes it one of a task that never yields. */
#define VG_BLOCKED_NEVER VG_SEC(1)

/* How much later than planned a look may come to prove anything, and to be taken for a matter of load. */
#define VG_BLOCKED_SLACK VG_MSEC(5)
#define VG_BLOCKED_STANDSTILL VG_MSEC(50)

/* One look at a worker's thread. */
struct vg_blocked_look {
    uint64_t at, cpu;
    bool has_os; /* `os` is filled in */
    struct vg_os_look os;
};

struct vg_blocked {
    uint64_t task, polls; /* the poll: whose, and its number among the worker's; 0: none */
    uint64_t lasted, computed, slept;
    bool found; /* it is blocked */
    bool
        never_yields; /* and it is its task's first, and has computed for so long that this is what is wrong */
    bool
        heard; /* reported, and not only counted because there were too many: its thread has been asked */
    uint64_t reported; /* its length at the last report; 0: not yet */
    int thread;
    uint64_t first_cpu;
    struct vg_blocked_look last;
    struct vg_report report; /* the last one */
};

/* A poll is seen for the first time. */
void vg_blocked_begin(struct vg_blocked *blocked, const struct vg_worker_info *info,
                      const struct vg_blocked_look *look);

/* It is still the same. True: it is known to be one of a task that never yields only since now. */
bool vg_blocked_add(struct vg_blocked *blocked, const struct vg_blocked_look *look,
                    const struct vg_blocked_limits *limits, bool first);

static inline bool vg_blocked_goes_on(const struct vg_blocked *blocked,
                                      const struct vg_worker_info *info)
{
    return blocked->task != 0 && blocked->task == info->polling && blocked->polls == info->polls;
}

/* Whether it is time for a report: the first, or when it has lasted twice as long as at the last one. */
static inline bool vg_blocked_is_due(const struct vg_blocked *blocked)
{
    return blocked->found && blocked->lasted >= 2 * blocked->reported;
}

#endif
