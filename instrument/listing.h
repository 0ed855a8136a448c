/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_LISTING_H
#define VIGIL_INSTRUMENT_LISTING_H

#include <stdio.h>

#include "live.h"
#include "page_tree.h"

/*
 * Every task that has not ended. An idle one is held while its tree is copied; nothing is printed, allocated or
 * waited for meanwhile. Of one that is queued or running only words are read that it publishes.
 */
struct vg_listing {
    struct vg_liveness *live;
    struct vg_page *page;
    FILE *out;     /* where each task goes as soon as it is on the page; NULL: it stays there */
    uint64_t only; /* the id of the one task that is wanted; 0: all are */
    bool json;
    uint64_t now;
    unsigned workers;
    uint64_t polling[VG_WORKERS_MAX]; /* tasks that workers were polling when this began */
    uint64_t shown, left_out;
    uint64_t claims, slow_claims; /* tasks that were held; for more than a millisecond */
};

/* The executor is held. */
void vg_list_tasks(struct vg_listing *listing);

#endif
