/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_WATCHDOG_H
#define VIGIL_INSTRUMENT_WATCHDOG_H

#include "vg_os.h"

/*
 * The thread that scans. It sleeps while all workers do. Once one is awake, or leaves it something to do, it
 * scans every 10 ms for as long as a limit may yet be passed, then less and less often, down to once a second,
 * for as long as anything is owed or open, and then sleeps again. It is no worker: a process all of whose
 * workers are parked or stuck is diagnosed all the same.
 *
 * It stays up for a tenth of a second after the last sign of life, so that a program with little to do pays for
 * at most ten calls of the system a second.
 *
 * kicks    Counts what workers left; the futex of the idle thread.
 * asleep   1 while the thread sleeps, or is about to, until kicked. Written by it alone.
 * stop     1: end. The futex of the timed sleeps, so that kicks do not cut those short.
 *
 * cpu_ns   CPU time the thread has used. Written by it alone.
 *
 * A kick counts, fences, and reads asleep; the thread sets asleep, fences, and looks for work, kicks
 * included. One of the two sees the other. A worker that wakes up does the same, only that it
 * publishes its state instead of counting.
 */
struct vg_watchdog {
    VG_ATOMIC(uint32_t) kicks;
    VG_ATOMIC(uint32_t) asleep;
    VG_ATOMIC(uint32_t) stop;
    VG_ATOMIC(uint64_t) cpu_ns;
    bool running;
    struct vg_os_thread thread;
    uint64_t kicked_at; /* when the thread last saw a new kick */
    uint32_t seen;
    uint64_t period;
};

struct vg_liveness;

/* 0 or -EAGAIN. */
int vg_watchdog_start(struct vg_liveness *live);
void vg_watchdog_stop(struct vg_liveness *live);

/*
 * How long to sleep after a scan that ended at `now` and took `took`; 0: until kicked. `work` says that
 * something is owed, open or posted, `limit` how long a child may be snoozed. By the thread.
 */
uint64_t vg_watchdog_plan(struct vg_watchdog *watchdog, bool work, uint64_t limit, uint64_t now,
                          uint64_t took);

/* A worker is awake, and has published it. A fence and a load, unless the watchdog sleeps. */
void vg_watchdog_rouse(struct vg_watchdog *watchdog);

/* There is something to do. From any thread; a system call only if the watchdog sleeps. */
void vg_watchdog_kick(struct vg_watchdog *watchdog);

#endif
