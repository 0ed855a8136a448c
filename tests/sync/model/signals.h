/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_SIGNALS_H
#define VIGIL_TESTS_MODEL_SIGNALS_H

#include <vigil/notify.h>
#include <vigil/rate.h>
#include <vigil/token.h>

enum { BURST = 3, INTERVAL_MS = 2 };

struct signals {
    struct vg_notifier notifier;
    unsigned waiting, told, seen; /* now; notifications that may be seen; those that were */
    struct vg_token root, child;
    bool root_cancelled, child_cancelled;
    struct vg_rate rate;
    uint64_t begin;     /* ns */
    uint64_t tokens;    /* taken */
    uint32_t wanted[8]; /* by each task */
};

#endif
