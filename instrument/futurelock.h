/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_FUTURELOCK_H
#define VIGIL_INSTRUMENT_FUTURELOCK_H

#include <vigil/probe.h>

/*
 * The structural test: does this task wait for something that only a future of its own can give up, or
 * must have first, and which this task does not poll?
 *
 *     blocked   a leaf on the await path, queued for resource R
 *     starved   a leaf off the path, served before `blocked` by R; or a frame off the path that owns R
 *
 * Off the path are parked children and everything below them, and leaves whose wake the last poll held and
 * did not answer. A kept child is neither: its own wakes drive it, and the path does not wait for it.
 *
 * Other leaves on the path are exits: each of them may end the wait from beside it (the other arm of a
 * select, the timer of a timeout), unless it is locked in the same way. With an exit the task is late, not
 * locked. Combinators that need all of their children are not told from those that need one, so a
 * sibling in a join counts as an exit until it has ended.
 */

enum { VG_EXITS_MAX = 4 };

struct vg_exit {
    const char *type;
    const struct vg_site *site;
    bool timer, io;
};

struct vg_lockup {
    const struct vg_future *blocked, *starved;
    struct vg_resource *resource;
    bool owns; /* else queued or granted */
    bool granted;
    bool healing;          /* a grant to `starved` does not last; never set with owns */
    bool fenced_by_opaque; /* a hand-written future may yet poll it */
    unsigned exits;
    struct vg_exit exit[VG_EXITS_MAX];
};

enum vg_lockup_mode {
    VG_LOCKUP_STANDING, /* as the task is now; revocable grants lock nobody */
    VG_LOCKUP_REVOKED,  /* as it would have been without the revocation of `passed`'s grant */
};

/* The task is owned. `passed` is a leaf known to be off the path, or NULL. */
bool vg_lockup_find(struct vg_task *task, const struct vg_future *passed, enum vg_lockup_mode mode,
                    struct vg_lockup *lockup);

#endif
