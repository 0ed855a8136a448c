/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_HAND_H
#define VIGIL_TESTS_LIVENESS_HAND_H

#include <vigil/resource.h>

#include "corpus.h"
#include "vg_spin.h"

/* A semaphore written by hand on the public interfaces, with the faults that such have had. */

enum hand_fault {
    HAND_SOUND,
    HAND_STRANDS_QUEUE, /* a cancelled waiter at the head leaves without waking the next */
    HAND_LOSES_GRANT,   /* a cancelled waiter keeps what it was granted */
    HAND_HAS_A_GAP,     /* looks for what is free, and queues without looking again */
};

struct hand_take;

struct hand {
    struct vg_resource resource; /* first */
    struct vg_spin guard;
    uint32_t total, free, held, granted;
    enum hand_fault fault;
    struct hand_take *first;
    /* Run where another thread might be, after the look; NULL: nobody is there. Once. */
    void (*meanwhile)(struct hand *hand);
};

enum hand_state { HAND_OUT, HAND_QUEUED, HAND_GRANTED };

struct hand_take {
    struct vg_future fut;
    int ret;
    enum hand_state state;
    uint32_t want;
    struct hand *hand;
    struct hand_take *next;
    struct vg_waiter waiter;
};

void hand_init(struct hand *hand, const char *name, uint32_t total, enum hand_fault fault);
struct hand_take *hand_take(struct hand_take *take, struct hand *hand, uint32_t want);
void hand_give(struct hand *hand, uint32_t units);

#endif
