/* SPDX-License-Identifier: MIT */
#include "listing.h"
#include "telemetry.h"

void vg_page_tasks(struct vg_telemetry *telemetry, struct vg_page *page, bool json)
{
    struct vg_listing listing = {.live = telemetry->live, .page = page, .json = json};

    if (json)
        vg_page_add(page, "{\"tasks\":[");
    vg_live_hold(telemetry->live);
    vg_list_tasks(&listing);
    vg_live_release(telemetry->live);
    telemetry->figures.claims += listing.claims;
    telemetry->figures.slow_claims += listing.slow_claims;
    if (json)
        vg_page_add(page, "\n],\"shown\":%llu,\"left_out\":%llu}\n",
                    (unsigned long long)listing.shown, (unsigned long long)listing.left_out);
    else
        vg_page_add(page, "%llu tasks shown, %llu left out\n", (unsigned long long)listing.shown,
                    (unsigned long long)listing.left_out);
}
