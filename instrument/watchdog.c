/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include "live.h"

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

static bool has_work(const struct vg_liveness *live)
{
    return vg_exec_owing(live->exec) > 0 || vg_incidents_open(&live->incidents) > 0 ||
           vg_post_pending(live);
}

static void sleep_until_kicked(struct vg_liveness *live)
{
    struct vg_watchdog *watchdog = &live->watchdog;

    vg_store(&watchdog->asleep, 1, relaxed);
    vg_fence(); /* pairs with the fence in vg_watchdog_kick() */
    if (!has_work(live) && !vg_load(&watchdog->stop, relaxed))
        vg_os_wait(&watchdog->kicks, watchdog->seen, VG_NEVER);
    vg_store(&watchdog->asleep, 0, relaxed);
}

/* Time that went by here beyond the appointment went by for the whole process. */
static void sleep_for(struct vg_liveness *live, uint64_t length)
{
    const uint64_t until = vg_os_now() + length;
    uint64_t now;

    vg_os_wait(&live->watchdog.stop, 0, until);
    now = vg_os_now();
    if (now > until + STALL) {
        vg_stalls_add(&live->stalls, until, now);
        live->watchdog.kicked_at = now;
    }
}

/* How long to sleep after a scan that took `took`; 0: until kicked. */
static uint64_t choose_sleep(struct vg_liveness *live, uint64_t now, uint64_t took)
{
    struct vg_watchdog *watchdog = &live->watchdog;
    const uint64_t quiet = now - watchdog->kicked_at;

    if (quiet < 2 * live->config.snooze_ns + LINGER)
        watchdog->period = PERIOD;
    else if (watchdog->period < PERIOD_MAX)
        watchdog->period *= 2;
    if (quiet >= LINGER && !has_work(live))
        return 0;
    return watchdog->period > SHARE * took ? watchdog->period : SHARE * took;
}

static void note_kicks(struct vg_watchdog *watchdog)
{
    /* Acquire: what was left before the kick is seen by the scan that follows. */
    const uint32_t kicks = vg_load(&watchdog->kicks, acquire);

    if (kicks != watchdog->seen)
        watchdog->kicked_at = vg_os_now();
    watchdog->seen = kicks;
}

static void *watch(void *arg)
{
    struct vg_liveness *live = (struct vg_liveness *)arg;
    struct vg_watchdog *watchdog = &live->watchdog;

    while (!vg_load(&watchdog->stop, relaxed)) {
        uint64_t began, ended, sleep;

        note_kicks(watchdog);
        began = vg_os_now();
        vg_watch_scan(live, vg_exec_now(live->exec));
        ended = vg_os_now();
        sleep = choose_sleep(live, ended, ended - began);
        if (sleep == 0)
            sleep_until_kicked(live);
        else
            sleep_for(live, sleep);
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
    watchdog->thread.run = watch;
    watchdog->thread.arg = live;
    rc = vg_os_thread_start(&watchdog->thread, "vigil-watch");
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
