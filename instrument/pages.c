/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "telemetry.h"

static const char TEXT[] = "text/plain; charset=utf-8";
static const char JSON[] = "application/json";

static void count(struct vg_telemetry *telemetry, unsigned status)
{
    for (unsigned i = 0; i < VG_TELEMETRY_STATUSES; i++)
        if (vg_status_codes[i] == status)
            telemetry->figures.responses[i]++;
}

static void respond(struct vg_telemetry *telemetry, struct vg_client *client, unsigned status,
                    const char *type, bool head_only)
{
    count(telemetry, status);
    vg_client_respond(client, status, type, head_only, vg_os_now());
}

void vg_telemetry_refuse(struct vg_telemetry *telemetry, struct vg_client *client, unsigned status)
{
    vg_page_free(&client->page);
    vg_page_init(&client->page, &telemetry->alloc, 0);
    respond(telemetry, client, status, TEXT, false);
}

static void put_index(struct vg_page *page)
{
    static const char index[] = "vigil\n\n"
                                "/metrics     for Prometheus\n"
                                "/tasks       what every task waits for\n"
                                "/tasks.json  the same as JSON\n"
                                "/verdicts    what is wrong, and the last reports, as JSON\n";

    vg_page_put(page, index, strlen(index));
}

static const char *put_metrics(struct vg_telemetry *telemetry, struct vg_page *page,
                               bool openmetrics)
{
    struct vg_exposition out = {page, openmetrics};
    struct vg_snapshot *snapshot;

    if (vg_snapshot(telemetry->live, &snapshot) < 0) {
        page->no_memory = true;
        return TEXT;
    }
    telemetry->figures.cpu = vg_os_cpu_time();
    vg_metrics_render(&out, snapshot, &telemetry->shown, &telemetry->figures);
    vg_snapshot_free(snapshot);
    return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                       : "text/plain; version=0.0.4; charset=utf-8";
}

/* Returns its type. */
static const char *put_page(struct vg_telemetry *telemetry, struct vg_page *page,
                            const struct vg_request *request)
{
    switch (request->path) {
    case VG_PATH_METRICS:
        return put_metrics(telemetry, page, request->openmetrics);
    case VG_PATH_TASKS:
        vg_page_tasks(telemetry, page, false);
        return TEXT;
    case VG_PATH_TASKS_JSON:
        vg_page_tasks(telemetry, page, true);
        return JSON;
    case VG_PATH_VERDICTS:
        vg_page_verdicts(telemetry, page);
        return JSON;
    default:
        put_index(page);
        return TEXT;
    }
}

void vg_telemetry_answer(struct vg_telemetry *telemetry, struct vg_client *client,
                         const struct vg_request *request)
{
    const char *type;

    vg_page_init(&client->page, &telemetry->alloc, telemetry->page_max);
    type = put_page(telemetry, &client->page, request);
    if (vg_page_ok(&client->page))
        respond(telemetry, client, 200, type, request->head_only);
    else
        vg_telemetry_refuse(telemetry, client, 503);
}
