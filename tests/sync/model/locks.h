/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_LOCKS_H
#define VIGIL_TESTS_MODEL_LOCKS_H

#include <vigil/cond.h>
#include <vigil/mutex.h>
#include <vigil/os_mutex.h>
#include <vigil/rwlock.h>
#include <vigil/semaphore.h>

enum { PERMITS = 3 };

struct actor;

/* What is held, by those who have seen that they hold it. */
struct locks {
    struct vg_mutex mutex;
    struct vg_cond cond;
    struct vg_rwlock rwlock;
    struct vg_semaphore semaphore;
    struct vg_os_mutex os_mutex;
    const struct actor *owner, *writer, *os_owner;
    unsigned readers;
    uint32_t out;     /* permits */
    unsigned waiting; /* for the condition */
    unsigned signals, signals_seen;
};

/* Of these, what one task has. */
struct holds {
    bool mutex, reads, writes;
    uint32_t permits, wanted;
};

#endif
