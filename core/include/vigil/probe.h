/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_PROBE_H
#define VIGIL_PROBE_H

#include <vigil/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The events core emits, and what an instrument may read of tasks.
 *
 * A probe is a table of functions the workers call in place. It must be fast, must not allocate, block,
 * poll or wake anything, and may read only what belongs to the calling worker: the task named by the
 * event is owned by it for the duration of the call.
 *
 * Memory   The probe outlives the executor. Frames may be read only during an event or between
 *          vg_inspect_begin() and vg_inspect_end().
 * Threads  Events come from every worker at once; `worker` says which. vg_exec_each_task() and the
 *          inspect functions may be called from any thread.
 * Cost     A null check per poll when there is no probe.
 */

struct vg_exec;

enum vg_node { VG_NODE_TASK, VG_NODE_CHILD };

/* A wake that has been answered. site is where the woken future was awaited (NULL: a bare root). */
struct vg_visit {
    const struct vg_site *site;
    uint64_t runtime_ns; /* wake to the start of the task poll that took it: the executor's share */
    uint64_t parent_ns;  /* from there to the poll of the woken future: its parents' share */
    enum vg_node node;   /* the task's await path, or a child beside it */
};

/* A wake, or a grant, that a poll of its task held and did not answer. */
struct vg_passed {
    struct vg_task *task;
    struct vg_waiter *waiter; /* its leaf is waiter->fut */
    enum vg_pass pass;
};

struct vg_probe {
    /* On the executor's start; workers are numbered from 0. -ENOMEM makes vg_exec_open() fail. */
    int (*attach)(struct vg_probe *probe, struct vg_exec *exec, unsigned workers);
    /* Before the executor is freed; every worker has stopped. */
    void (*detach)(struct vg_probe *probe);
    void (*visited)(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit);
    /* A poll is ending without having answered this wake; a revoked grant has been given on already. */
    void (*passed_over)(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                        uint64_t now);
    /* A task with parked children or opaque futures is about to suspend. */
    void (*suspended)(struct vg_probe *probe, unsigned worker, struct vg_task *task, uint64_t now);
    /* A select was given an arm that had ended and been taken before. */
    void (*poll_after_ready)(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                             const struct vg_site *site);
};

/* ---- reading tasks ------------------------------------------------------------------------- */

struct vg_task_info {
    uint64_t id;                    /* never used twice; odd */
    const char *name;               /* of the root future's type */
    const struct vg_place *spawned; /* may be NULL */
    uint64_t polls;
    uint64_t woken_at;   /* queued: when it was woken; else 0 */
    uint64_t owed_since; /* oldest wake that a poll left unanswered; 0: none */
    bool running;        /* being polled, or queued */
};

/* What can be said of a task without owning it. The caller is its worker, or holds it by
 * vg_inspect_begin(), or got it from vg_exec_each_task() in that very call. */
VG_API void vg_task_info(struct vg_task *task, struct vg_task_info *info);

/* Calls visit for each live task until it returns false. A task may end meanwhile; its memory stays. */
VG_API void vg_exec_each_task(struct vg_exec *exec, bool (*visit)(struct vg_task *task, void *arg),
                              void *arg);

/* Number of tasks that left wakes unanswered at the end of their last poll. One load for each worker. */
VG_API uint64_t vg_exec_owing(const struct vg_exec *exec);

/* Takes an idle task, so that its frames can be read: false if it is queued, running or finished. Hold it
 * for a bounded copy only. vg_inspect_end() queues it if it was woken meanwhile. */
VG_API VG_MUST_USE bool vg_inspect_begin(struct vg_task *task);
VG_API void vg_inspect_end(struct vg_task *task);

/* The rest requires the task to be owned. */
VG_API struct vg_future *vg_task_root(struct vg_task *task);

/* The i-th waiter that was woken and not answered at the end of the last poll; NULL past the end. */
VG_API struct vg_waiter *vg_task_owed(struct vg_task *task, unsigned i);

/* The nearest async frame at or above the future; NULL if there is none. */
VG_API const struct vg_future *vg_frame_of(const struct vg_future *fut);

/* Where that frame awaits; NULL for a frame that has not started. */
VG_API const struct vg_site *vg_site_of(const struct vg_future *fut);

/* Where a kept or parked child was left, usually a select; NULL if that is not known. */
VG_API const struct vg_site *vg_left_at(const struct vg_task *task, const struct vg_future *fut);

/* The i-th kept or parked child of an async frame; NULL past the end. */
VG_API struct vg_future *vg_frame_background(const struct vg_future *frame, unsigned i);

/* The parked ancestor, or the opaque one, that keeps a wake from its leaf; NULL if there is none. */
VG_API const struct vg_future *vg_fence_above(const struct vg_future *fut);

VG_API bool vg_exec_heals(const struct vg_exec *exec);
VG_API const char *vg_exec_name(const struct vg_exec *exec);
VG_API uint64_t vg_exec_now(const struct vg_exec *exec);

/* Bounds of the await sites given in the executor's configuration. */
VG_API void vg_exec_sites(const struct vg_exec *exec, const struct vg_site **begin,
                          const struct vg_site **end);

#ifdef __cplusplus
}
#endif
#endif
