/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_STAGE_H
#define VIGIL_TESTS_SYNC_STAGE_H

#include <vigil/barrier.h>
#include <vigil/broadcast.h>
#include <vigil/channel_stream.h>
#include <vigil/cond.h>
#include <vigil/mpmc.h>
#include <vigil/mpsc.h>
#include <vigil/mutex.h>
#include <vigil/notify.h>
#include <vigil/once.h>
#include <vigil/oneshot.h>
#include <vigil/rate.h>
#include <vigil/rwlock.h>
#include <vigil/scope.h>
#include <vigil/semaphore.h>
#include <vigil/set.h>
#include <vigil/token.h>
#include <vigil/unbounded.h>
#include <vigil/watch.h>

#include "../core/rig.h"

/*
 * One of each thing that can be awaited. An act is a future that waits for one of them, what makes it end, and what is checked
 * afterwards. Everything is given by another task, on another worker.
 */

struct stage {
    struct rig rig;
    struct vg_mutex mutex;
    struct vg_rwlock rwlock;
    struct vg_semaphore semaphore;
    struct vg_notifier notifier;
    struct vg_barrier barrier;
    struct vg_cond cond;
    struct vg_once_cell cell;
    struct vg_oneshot oneshot;
    struct vg_mpsc mpsc, full;
    struct vg_mpmc mpmc;
    struct vg_unbounded unbounded;
    struct vg_broadcast broadcast;
    struct vg_subscription subscription;
    struct vg_watch watch;
    struct vg_token token;
    struct vg_rate rate;
    struct vg_handle child;
    int slots[4][2], value, watched;
    uint64_t seen;
    /* the futures of the act */
    union {
        struct vg_lock lock;
        struct vg_rdlock rdlock;
        struct vg_wrlock wrlock;
        struct vg_acquire acquire;
        struct vg_notified notified;
        struct vg_barrier_wait barrier_wait;
        struct vg_cond_wait cond_wait;
        struct vg_once once;
        struct vg_oneshot_recv oneshot_recv;
        struct vg_mpsc_send send;
        struct vg_receive receive;
        struct vg_mpmc_recv mpmc_recv;
        struct vg_broadcast_recv broadcast_recv;
        struct vg_watch_changed changed;
        struct vg_token_wait token_wait;
        struct vg_rate_acquire rate_acquire;
        struct vg_task_wait task_wait;
        struct vg_timeout timeout;
        struct vg_interval interval;
        struct vg_yield yield;
        struct vg_receive_stream stream;
    } f;
    struct vg_sleep nap, other_nap;
    VG_ARMS(2) sel;
    VG_CHILDREN(2) join;
    VG_TRIES(2) tries;
};

struct act {
    const char *name;
    struct vg_future *(*make)(struct stage *s);
    void (*give)(struct stage *s); /* what it waits for */
    void (*check)(
        struct stage *s); /* puts back what it has got, and sees that nothing is missing */
};

#endif
