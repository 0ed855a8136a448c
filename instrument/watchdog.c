/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <errno.h>

#include "live.h"
#include "vg_fault.h"

static const uint64_t PERIOD = VG_MSEC(10);
static const uint64_t PERIOD_MAX = VG_SEC(1);
static const uint64_t LINGER =
    VG_MSEC(100); /* what a worker announces it may publish a little later */
static const uint64_t STALL = VG_MSEC(50); /* a sleep that ends so late was not ours alone */

enum { SHARE = 20 }; /* a scan may take one part in so many of the thread's time */

void vg_watchdog_kick(struct vg_watchdog *watchdog)
{
    (void)vg_fetch_add(&watchdog->kicks, 1, acq_rel);
    vg_fence(); /* pairs with the fence in sleep_until_kicked() */
    if (vg_load(&watchdog->asleep, relaxed))
        vg_os_wake(&watchdog->kicks, 1);
}

void vg_watchdog_rouse(struct vg_watchdog *watchdog)
{
    vg_fence(); /* pairs with the fence in sleep_until_kicked() */
    if (VG_UNLIKELY(vg_load(&watchdog->asleep, relaxed)))
        vg_watchdog_kick(watchdog);
}

/* Some worker may be in a poll. */
static bool is_busy(const struct vg_liveness *live)
{
    return vg_load(&live->level, relaxed) != VG_LEVEL_OFF && vg_exec_busy(live->exec);
}

static bool has_work(const struct vg_liveness *live)
{
    return vg_exec_owing(live->exec) > 0 || vg_incidents_open(&live->incidents) > 0 ||
           vg_post_pending(live) || vg_waitfor_pending(live) || vg_stalled_pending(live);
}

/* If the process was stopped between the kick and now, nobody can tell: all of the sleep is struck out, and
 * whatever is owed counts from here. */
static void sleep_until_kicked(struct vg_liveness *live, struct vg_stall *stall)
{
    struct vg_watchdog *watchdog = &live->watchdog;

    stall->from = vg_os_now();
    vg_store(&watchdog->asleep, 1, relaxed);
    vg_fence(); /* pairs with the fences in vg_watchdog_kick() and vg_watchdog_rouse() */
    if (!has_work(live) && !is_busy(live) && !vg_load(&watchdog->stop, relaxed))
        vg_os_wait(&watchdog->kicks, watchdog->seen, VG_NEVER);
    vg_store(&watchdog->asleep, 0, relaxed);
    stall->to = vg_os_now();
}

/* Time that went by here beyond the appointment went by for the whole process. True: *stall says when. */
static bool sleep_for(struct vg_watchdog *watchdog, uint64_t length, struct vg_stall *stall)
{
    const uint64_t until = vg_os_now() + length;
    uint64_t now;

    vg_os_wait(&watchdog->stop, 0, until);
    now = vg_os_now();
    if (now <= until + STALL)
        return false;
    *stall = (struct vg_stall){until, now};
    watchdog->kicked_at = now;
    return true;
}

uint64_t vg_watchdog_plan(struct vg_watchdog *watchdog, bool work, uint64_t limit, uint64_t now,
                          uint64_t took)
{
    const uint64_t quiet = now - watchdog->kicked_at;

    if (quiet >= LINGER && !work)
        return 0;
    if (quiet < 2 * limit + LINGER)
        watchdog->period = PERIOD;
    else if (watchdog->period < PERIOD_MAX)
        watchdog->period *= 2;
    return watchdog->period > SHARE * took ? watchdog->period : SHARE * took;
}

static void note_kicks(struct vg_liveness *live)
{
    struct vg_watchdog *watchdog = &live->watchdog;
    /* Acquire: what was left before the kick is seen by the scan that follows. */
    const uint32_t kicks = vg_load(&watchdog->kicks, acquire);

    if (kicks != watchdog->seen || is_busy(live)) {
        watchdog->kicked_at = vg_os_now();
        vg_waitfor_stir(&live->waitfor);
    }
    watchdog->seen = kicks;
}

static void *watch(void *arg)
{
    struct vg_liveness *live = (struct vg_liveness *)arg;
    struct vg_watchdog *watchdog = &live->watchdog;
    struct vg_pace pace = {.planned = PERIOD};
    struct vg_stall stall;
    bool stalled = false;

    while (!vg_load(&watchdog->stop, relaxed)) {
        uint64_t began, ended, sleep, cpu;

        note_kicks(live);
        vg_dump_if_asked(live);
        cpu = vg_os_cpu_time();
        pace.reporting = 0;
        began = vg_os_now();
        if (vg_scan(live, vg_exec_now(live->exec), stalled ? &stall : NULL, &pace))
            stalled = false;
        ended = vg_os_now();
        pace.took = ended - began;
        sleep = vg_watchdog_plan(watchdog, has_work(live), live->config.snooze_ns, ended,
                                 ended - began - pace.reporting);
        vg_store(&watchdog->cpu_ns, vg_os_cpu_time(), relaxed);
        /* What the scan itself has used is no delay. After a sleep without an end the next look proves nothing. */
        pace.planned = sleep > 0 ? sleep + vg_load(&watchdog->cpu_ns, relaxed) - cpu : 0;
        if (sleep > 0) {
            stalled = sleep_for(watchdog, sleep, &stall) || stalled;
        } else {
            sleep_until_kicked(live, &stall);
            stalled = true;
        }
    }
    return NULL;
}

int vg_watchdog_start(struct vg_liveness *live)
{
    struct vg_watchdog *watchdog = &live->watchdog;
    int rc;

    vg_store(&watchdog->stop, 0, relaxed);
    watchdog->period = PERIOD;
    watchdog->kicked_at = 0;
    watchdog->thread = (struct vg_os_thread){.run = watch, .arg = live};
    rc = VG_FAULT("watchdog") ? -EAGAIN : vg_os_thread_start(&watchdog->thread, "vigil-watch");
    watchdog->running = rc == 0;
    return rc;
}

void vg_watchdog_stop(struct vg_liveness *live)
{
    struct vg_watchdog *watchdog = &live->watchdog;

    if (!watchdog->running)
        return;
    vg_store(&watchdog->stop, 1, relaxed);
    vg_os_wake(&watchdog->stop, 1);
    vg_watchdog_kick(watchdog);
    vg_os_thread_join(&watchdog->thread);
    watchdog->running = false;
}
