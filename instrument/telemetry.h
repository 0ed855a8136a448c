/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_TELEMETRY_H
#define VIGIL_INSTRUMENT_TELEMETRY_H

#include <vigil/telemetry.h>

#include "client.h"
#include "endpoint.h"
#include "live.h"
#include "metrics.h"
#include "vg_os.h"

/*
 * The object behind <vigil/telemetry.h>. Everything is the thread's own while it runs, but for:
 *
 * stop   1: end. Written before the bell is rung, an eventfd under the thread's poll.
 *
 * At most VG_TELEMETRY_CONNECTIONS clients read or write at a time. The other places are for those that linger,
 * the ones that were turned away included. When all are taken, these give way first, the oldest of them.
 */

enum { VG_CLIENTS_MAX = 16 };

struct vg_telemetry {
    struct vg_alloc alloc;
    size_t page_max;
    uint64_t patience;
    struct vg_liveness *live;
    struct vg_endpoint endpoint;
    int bell;
    VG_ATOMIC(uint32_t) stop;
    struct vg_os_thread thread;
    uint64_t accept_after; /* descriptors had run out */
    struct vg_sites_shown shown;
    struct vg_telemetry_figures figures;
    struct vg_client client[VG_CLIENTS_MAX];
};

/* ---- pages.c: the answer to a request ------------------------------------------------------- */

void vg_telemetry_answer(struct vg_telemetry *telemetry, struct vg_client *client,
                         const struct vg_request *request);

/* An answer without a page. */
void vg_telemetry_refuse(struct vg_telemetry *telemetry, struct vg_client *client, unsigned status);

/* ---- page_tasks.c, page_verdicts.c: they hold the executor ----------------------------------- */

void vg_page_tasks(struct vg_telemetry *telemetry, struct vg_page *page, bool json);
void vg_page_verdicts(struct vg_telemetry *telemetry, struct vg_page *page);

#endif
