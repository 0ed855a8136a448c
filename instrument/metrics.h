/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_METRICS_H
#define VIGIL_INSTRUMENT_METRICS_H

#include <vigil/liveness.h>
#include <vigil/telemetry.h>

#include "exposition.h"

/*
 * The metrics of docs/telemetry.md, from a snapshot.
 *
 *     metrics.c          the page, and what is about the executor as a whole
 *     metrics_waits.c    schedule latencies, by worker and by await site
 *     metrics_worker.c   workers and their rings
 *     metrics_pool.c     pools of threads
 */

enum { VG_SITES_SHOWN = 64 };

/*
 * The await sites that have series of their own. One that is in stays, and one that was left out stays out once
 * the table is full: so the counts of "other" never shrink.
 */
struct vg_sites_shown {
    unsigned count;
    struct vg_site_shown {
        const struct vg_site *site; /* to be compared only */
        enum vg_node node;
        char label[80];
    } site[VG_SITES_SHOWN];
};

enum { VG_TELEMETRY_STATUSES = 8 };

/* What the endpoint knows of itself. */
struct vg_telemetry_figures {
    uint64_t cpu; /* processor time of its thread */
    uint64_t claims,
        slow_claims; /* tasks that were held to be read; for longer than a millisecond */
    uint64_t responses[VG_TELEMETRY_STATUSES]; /* by status, as in vg_status_codes */
    unsigned pools_count;
    struct vg_pool *pools[VG_TELEMETRY_POOLS];
};

extern const unsigned vg_status_codes[VG_TELEMETRY_STATUSES];

void vg_metrics_render(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                       struct vg_sites_shown *shown, const struct vg_telemetry_figures *figures);

/* ---- the parts ----------------------------------------------------------------------------- */

void vg_metrics_waits(struct vg_exposition *out, const struct vg_snapshot *snapshot,
                      struct vg_sites_shown *shown);
void vg_metrics_workers(struct vg_exposition *out, const struct vg_snapshot *snapshot);
void vg_metrics_pools(struct vg_exposition *out, const struct vg_telemetry_figures *figures);
void vg_metrics_rings(struct vg_exposition *out, const struct vg_snapshot *snapshot);

#endif
