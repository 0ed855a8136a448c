/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_EVENT_H
#define VIGIL_BENCH_EVENT_H

#include <vigil/future.h>

/*
 * The plainest leaf there is: it waits until somebody sets it. One worker only, so that no lock is in
 * what is measured.
 */
struct event {
    struct vg_future fut;
    int ret; /* 0 or -ECANCELED */
    /* private */
    struct vg_waiter waiter;
};

struct event *event(struct event *event);

/* Wakes a waiting event; false: it does not wait. */
bool event_set(struct event *event);

#endif
