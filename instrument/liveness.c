/* SPDX-License-Identifier: MIT */
#include <vigil/liveness.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "live.h"
#include "vg_fault.h"
#include "vg_os.h"

void vg_live_hold(struct vg_liveness *live)
{
    uint32_t seen = 0;

    /* Acquire: pairs with the release of whoever held it. Timed sleeps: nobody needs to be woken. */
    for (; !vg_cas(&live->held, &seen, 1, acq_rel, relaxed); seen = 0)
        vg_os_wait(&live->held, 1, vg_os_now() + VG_MSEC(1));
}

void vg_live_release(struct vg_liveness *live)
{
    /* Pairs with the acquire in vg_live_hold(). */
    vg_store(&live->held, 0, release);
}

uint64_t vg_live_now(const struct vg_liveness *live)
{
    return live->exec != NULL ? vg_exec_now(live->exec) : live->ended_at;
}

/* What was measured for an executor before this one. */
static void drop_space(struct vg_liveness *live)
{
    vg_os_unreserve(live->space, live->space_size);
    live->space = NULL;
    live->workers = 0;
}

static int attach(struct vg_liveness *live, struct vg_exec *exec, unsigned workers)
{
    const struct vg_site *begin, *end;
    int rc = 0;

    if (live->exec != NULL)
        vg_panic("vg_exec_open: the liveness serves executor %s, and can do so for one at a time",
                 live->name);
    drop_space(live);
    vg_exec_sites(exec, &begin, &end);
    live->lane_size = vg_sites_layout(&live->sites, begin, end, sizeof(struct vg_lane));
    live->space_size = live->lane_size * workers;
    live->space = VG_FAULT("reserve") ? NULL : (char *)vg_os_reserve(live->space_size);
    if (live->space == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < workers; i++)
        vg_lane_of(live, i)->waits =
            vg_sites_waits(&live->sites, (char *)vg_lane_of(live, i), &live->longest);
    live->workers = workers;
    live->exec = exec;
    live->scanned_at = 0;
    live->began_at = vg_exec_now(exec);
    snprintf(live->name, sizeof live->name, "%s", vg_exec_name(exec));
    if (!live->config.manual)
        rc = vg_watchdog_start(live);
    if (rc < 0)
        live->exec = NULL;
    return rc;
}

static int on_attach(struct vg_probe *probe, struct vg_exec *exec, unsigned workers)
{
    struct vg_liveness *live = vg_liveness_of(probe);
    int rc;

    vg_live_hold(live);
    rc = attach(live, exec, workers);
    vg_live_release(live);
    return rc;
}

/* The last scan is not held: its reports may have the program take a snapshot. */
static void on_detach(struct vg_probe *probe)
{
    struct vg_liveness *live = vg_liveness_of(probe);

    vg_watchdog_stop(live);
    live->ended_at = vg_exec_now(live->exec);
    vg_watch_scan(live, live->ended_at);
    vg_live_hold(live);
    live->exec = NULL;
    vg_live_release(live);
    vg_waitfor_close(&live->waitfor);
}

static void set_level(struct vg_liveness *live, unsigned level)
{
    const bool full = level >= VG_LEVEL_FULL;

    vg_store(&live->level, full ? VG_LEVEL_FULL : level, relaxed);
    vg_store(&live->longest, full ? live->config.snooze_ns : 0, relaxed);
}

/* Before any worker starts. Somebody else's choice will do, but for who has made one. */
static int open_signal(const struct vg_liveness_config *config)
{
    int rc;

    if (config->stack_signal < 0)
        return 0;
    rc = vg_stack_open(config->stack_signal);
    return config->stack_signal == 0 ? 0 : rc;
}

int vg_liveness_open(struct vg_liveness **out, const struct vg_liveness_config *config)
{
    static const struct vg_liveness_config defaults = VG_LIVENESS_INIT;
    const struct vg_alloc *alloc;
    struct vg_liveness *live;
    int rc;

    *out = NULL;
    if (config == NULL)
        config = &defaults;
    rc = open_signal(config);
    if (rc < 0)
        return rc;
    alloc = config->alloc != NULL ? config->alloc : &vg_alloc_default;
    live = (struct vg_liveness *)alloc->alloc(alloc->self, sizeof *live, 64);
    if (live == NULL)
        return -ENOMEM;
    memset(live, 0, sizeof *live);
    vg_probe_init(&live->probe);
    live->probe.attach = on_attach;
    live->probe.detach = on_detach;
    live->alloc = *alloc;
    live->config = *config;
    if (live->config.snooze_ns == 0)
        live->config.snooze_ns = VG_MSEC(100);
    if (live->config.block_ns == 0)
        live->config.block_ns = VG_MSEC(20);
    set_level(live, config->level);
    rc = vg_dump_open(live);
    if (rc < 0)
        alloc->free(alloc->self, live, sizeof *live, 64);
    else
        *out = live;
    return rc;
}

void vg_liveness_close(struct vg_liveness *live)
{
    if (live == NULL)
        return;
    if (live->exec != NULL)
        vg_panic("vg_liveness_close: it serves executor %s: vg_exec_close() comes first",
                 live->name);
    if (vg_load(&live->endpoints, relaxed) != 0)
        vg_panic("vg_liveness_close: it has telemetry: vg_telemetry_close() comes first");
    vg_dump_close(live);
    drop_space(live);
    live->alloc.free(live->alloc.self, live, sizeof *live, 64);
}

struct vg_probe *vg_liveness_probe(struct vg_liveness *live)
{
    return &live->probe;
}

void vg_liveness_set_level(struct vg_liveness *live, unsigned level)
{
    set_level(live, level);
    vg_watchdog_kick(&live->watchdog);
}
