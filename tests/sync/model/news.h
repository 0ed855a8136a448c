/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_NEWS_H
#define VIGIL_TESTS_MODEL_NEWS_H

#include <vigil/broadcast.h>
#include <vigil/oneshot.h>
#include <vigil/watch.h>

enum { MEMORY = 4, ONESHOTS = 4 };

/* What has become of it, by both ends. */
struct shot {
    struct vg_oneshot oneshot;
    bool sent, closed, received, dropped;
};

struct news {
    struct vg_broadcast broadcast;
    struct vg_watch watch;
    struct shot shot[ONESHOTS];
    uint32_t slots[MEMORY];
    uint32_t watched;
    uint32_t broadcasts; /* values so far, which count up from 1 */
    uint32_t version;    /* of the watch; its value is as much */
};

/* What one task has seen of these, and what it sends or receives. */
struct view {
    uint32_t value;
    uint32_t heard;   /* broadcasts */
    uint64_t version; /* of the watch */
    struct vg_subscription subscription;
    struct shot *shot;
};

#endif
