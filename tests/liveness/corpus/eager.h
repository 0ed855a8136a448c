/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_EAGER_H
#define VIGIL_TESTS_LIVENESS_EAGER_H

#include <vigil/resource.h>

#include "corpus.h"

/*
 * A lock written by hand, with two faults that such have had: its futures may stand in the queue, or hold the lock, before
 * anybody has polled them; and its readers may pass a writer that waits. For one thread.
 */

enum eager_kind { EAGER_WRITE, EAGER_READ };

struct eager_lock;

struct eager {
    struct vg_resource resource; /* first */
    bool prefers_readers;
    unsigned readers, writers; /* inside */
    uint64_t served;
    const struct vg_future *unpolled; /* that holds it */
    struct eager_lock *first;
};

struct eager_lock {
    struct vg_future fut;
    int ret;
    enum eager_kind kind;
    bool queued, has;
    struct eager *lock;
    struct eager_lock *next;
    struct vg_waiter waiter;
};

void eager_init(struct eager *lock, const char *name, bool prefers_readers);

/* A future that takes the lock when it is polled; `now`: takes it, or its place in the queue, at once. */
struct eager_lock *eager_lock(struct eager_lock *f, struct eager *lock, enum eager_kind kind,
                              bool now);
void eager_unlock(struct eager *lock, enum eager_kind kind);

#endif
