/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_OVERLOOKED_H
#define VIGIL_INSTRUMENT_OVERLOOKED_H

#include <vigil/liveness.h>

/*
 * What a worker does not come to while it polls tasks: the first in its run queue, the one in its private slot, its timers, its
 * completions. Seen from outside, by what it shows of itself from look to look.
 *
 *   queue    The same task has been the first for 50 ms, and the worker has made a thousand polls; it takes the
 *            first at least once in 64.
 *   slot     The same task has been there for 50 ms, in one and the same poll, and some worker has slept all the
 *            time. (If it runs tasks it takes that one next.)
 *   timers   The worker wants to look at them since 50 ms, and has made 64 polls since.
 *   kernel   Completions have been there for 50 ms, without a turn of the driver, and 64 polls were made.
 *
 * A worker that is in one poll all the time is found by blocked.h.
 */

enum { VG_OVERLOOKED_QUEUE, VG_OVERLOOKED_SLOT, VG_OVERLOOKED_TIMERS, VG_OVERLOOKED_KERNEL };
enum { VG_OVERLOOKED_KINDS = VG_OVERLOOKED_KERNEL + 1 };

#define VG_OVERLOOKED_NS VG_MSEC(50)

/* Something that stays as it is from look to look. */
struct vg_overlooked_thing {
    uint64_t id,
        mark; /* what it is, and what would change if it was looked at; id 0: there is none */
    uint64_t since;
    uint64_t polls; /* the worker's count then */
    bool told;
    struct vg_report report; /* if told */
};

struct vg_overlooked {
    struct vg_overlooked_thing thing[VG_OVERLOOKED_KINDS];
};

struct vg_liveness;

/* Whether a worker sleeps, other than that one; a number that no worker has: any. */
bool vg_someone_sleeps(const struct vg_liveness *live, unsigned but);

/* In the scan: looks at all workers. */
void vg_overlooked_scan(struct vg_liveness *live, uint64_t now);

#endif
