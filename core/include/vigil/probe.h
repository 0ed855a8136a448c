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
struct vg_waits;

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

/*
 * A poll of a task in which wakes were answered and nothing came of it: no future ended, and none said that it had
 * got on (vg_progress()). Only wakes of its own count, and those at the end of a long row of tasks that woke each other
 * to no effect.
 */
struct vg_fruitless {
    struct vg_task *task;
    const struct vg_future *fut; /* the future whose wake was answered last */
    bool self;                   /* it was woken in a poll of its own task */
    uint32_t visits;             /* fruitless ones in a row so far */
    uint32_t spun;               /* of these, the ones in this poll */
    uint64_t began, ended;       /* of this poll: the clock */
};

/* A future is pending, and nothing can wake it: in its first poll neither it nor anything below it has armed a waiter. */
struct vg_unarmed {
    struct vg_task *task;
    const struct vg_future *fut; /* NULL: some future of the task, after a later poll of it */
    bool hangs; /* nothing can wake the task either: no waiter is armed, none is owed */
};

/*
 * A running child is about to be cancelled because another one has won, or a deadline has. Only timers and async functions;
 * tasks that are cancelled are not told of.
 */
struct vg_dropped {
    struct vg_task *task;
    const struct vg_future *fut; /* `up` drops it */
    uint64_t deadline;           /* of a vg_sleep that has not expired; else 0 */
    bool timed_out;              /* by vg_timeout() */
};

/* A biased select has ended. */
struct vg_rounds {
    struct vg_task *task;
    const struct vg_future *select;
    const struct vg_future *passed; /* the first arm that was not polled; NULL: all were */
};

/* Polls of a task in which leaves were told to wait for the next one, because the budget was used up. */
struct vg_refused {
    struct vg_task *task;
    const struct vg_future *fut; /* the last of these leaves */
    uint32_t refused, got_on;    /* such leaves; futures that ended or got on */
    uint64_t began, ended;       /* of this poll */
};

/* A future is polled in the middle of a section in which a primitive wakes others. */
struct vg_reentry {
    struct vg_task *task;
    const struct vg_future *fut;
    struct vg_resource *resource;
};

struct vg_probe {
    /* On the executor's start; workers are numbered from 0. Negative errno: vg_exec_open()
     * fails with it. */
    int (*attach)(struct vg_probe *probe, struct vg_exec *exec, unsigned workers);
    /* Before the executor is freed; every worker has stopped. */
    void (*detach)(struct vg_probe *probe);
    /* After the start, before any event: a table in which the worker records waits by itself (core/seam/vg_waits.h, for the
     * instruments of this tree). NULL: there is none, and every wait is told by visited. */
    struct vg_waits *(*waits)(struct vg_probe *probe, unsigned worker);
    void (*visited)(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit);
    /* A poll is ending without having answered this wake; a revoked grant has been given on already. */
    void (*passed_over)(struct vg_probe *probe, unsigned worker, const struct vg_passed *passed,
                        uint64_t now);
    /* A task with parked children or opaque futures is about to suspend. */
    void (*suspended)(struct vg_probe *probe, unsigned worker, struct vg_task *task, uint64_t now);
    /* A task is about to suspend with a future that nothing can wake. If there are several, one of them. Where
     * nobody listens, a debug build panics over a leaf that is like that. */
    void (*unarmed)(struct vg_probe *probe, unsigned worker, const struct vg_unarmed *unarmed,
                    uint64_t now);
    /* A task is about to suspend, and has taken a lock of the thread in this poll and not given it up. */
    void (*lock_across)(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                        struct vg_resource *lock, uint64_t now);
    /* After VG_FRUITLESS_MIN fruitless visits in a row, each poll that adds to them. */
    void (*fruitless)(struct vg_probe *probe, unsigned worker,
                      const struct vg_fruitless *fruitless);
    /* The worker is back from its sleep. */
    void (*resumed)(struct vg_probe *probe, unsigned worker);
    /* A select was given an arm that had ended and been taken before. */
    void (*poll_after_ready)(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                             const struct vg_site *site);
    void (*dropped)(struct vg_probe *probe, unsigned worker, const struct vg_dropped *dropped,
                    uint64_t now);
    /* A child was cancelled, and has not ended at once. */
    void (*cancelling)(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                       const struct vg_future *fut, uint64_t now);
    void (*round_ended)(struct vg_probe *probe, unsigned worker, const struct vg_rounds *rounds,
                        uint64_t now);
    void (*refused)(struct vg_probe *probe, unsigned worker, const struct vg_refused *refused);
    void (*reentered)(struct vg_probe *probe, unsigned worker, const struct vg_reentry *reentry,
                      uint64_t now);
    /* One of several children has ended: by itself, and its type has been dropped before; or, being cancelled, with what
     * it had taken (vg_took()). Others may be among them. */
    void (*ended)(struct vg_probe *probe, unsigned worker, struct vg_task *task,
                  const struct vg_future *fut, uint64_t now);
};

enum { VG_FRUITLESS_MIN = 256 };

/* ---- reading tasks ------------------------------------------------------------------------- */

struct vg_task_info {
    uint64_t id;                    /* never used twice; odd */
    const char *name;               /* of the root future's type */
    const struct vg_place *spawned; /* may be NULL */
    uint64_t polls;
    uint64_t woken_at;   /* queued: when it was woken; else 0 */
    uint64_t polled_at;  /* idle, or being polled: when its last poll began; else 0 */
    uint64_t owed_since; /* oldest wake that a poll left unanswered; 0: none */
    uint32_t fruitless;  /* visits in a row that came to nothing */
    uint32_t armed;      /* waiters from which a wake may still come */
    uint32_t held;       /* of these, the ones that wait for what somebody holds (vg_ops.is_held) */
    bool running;        /* being polled, or queued */
    bool ended;          /* its handle keeps it */
};

/* What can be said of a task without owning it. The caller is its worker, or holds it by
 * vg_inspect_begin(), or got it from vg_exec_each_task() in that very call. */
VG_API void vg_task_info(struct vg_task *task, struct vg_task_info *info);

/* Calls visit for each live task until it returns false. A task may end meanwhile; its memory stays. */
VG_API void vg_exec_each_task(struct vg_exec *exec, bool (*visit)(struct vg_task *task, void *arg),
                              void *arg);

/* Number of tasks that left wakes unanswered at the end of their last poll. One load for each worker. */
VG_API uint64_t vg_exec_owing(const struct vg_exec *exec);

/* Number of armed waiters that wait for what somebody holds. As above. */
VG_API uint64_t vg_exec_held(const struct vg_exec *exec);

/* Takes an idle task, so that its frames can be read: false if it is queued, running or finished. Hold it
 * for a bounded copy only. vg_inspect_end() queues it if it was woken meanwhile. */
VG_API VG_MUST_USE bool vg_inspect_begin(struct vg_task *task);
VG_API void vg_inspect_end(struct vg_task *task);

/* ---- reading workers ------------------------------------------------------------------------- */

enum vg_worker_state {
    VG_WORKER_RUN,    /* polls tasks */
    VG_WORKER_TURN,   /* is in its driver: submits operations, reports completions */
    VG_WORKER_SEARCH, /* has nothing to do and looks for it elsewhere */
    VG_WORKER_PARK,   /* sleeps */
    VG_WORKER_STATES,
};

enum vg_cause { VG_CAUSE_WAKE, VG_CAUSE_SELF, VG_CAUSES };
enum vg_outcome { VG_OUTCOME_PENDING, VG_OUTCOME_READY, VG_OUTCOMES };

/* Wakes that found their task idle, or owned by somebody, and who made them. Those from outside that found
 * the task owned are not counted. */
enum vg_wake_kind {
    VG_WAKE_SELF,       /* by the task itself, in a poll of its own */
    VG_WAKE_TASK_FIRST, /* by another task */
    VG_WAKE_TASK_COALESCED,
    VG_WAKE_DRIVER_FIRST, /* by a completion or a timer */
    VG_WAKE_DRIVER_COALESCED,
    VG_WAKE_KINDS,
};

struct vg_worker_info {
    enum vg_worker_state state;
    uint64_t polls;   /* begun */
    uint64_t polling; /* the id of the task that is being polled; 0: none is */
    const char *task_name;
    const struct vg_place *task_spawned; /* may be NULL */
    uint64_t task_polls;                 /* of that task */
    uint64_t
        time[VG_WORKER_STATES]; /* nanoseconds in each state, up to its last look at the clock */
    uint64_t searches, stolen, parks, idle_parks, overflowed;
    uint64_t turns; /* of the driver, begun */
    uint64_t cuts;  /* polls that ended with woken futures left over, for they took too long */
    uint64_t
        shared_writes; /* in debug builds: by it, to what all workers share, or another one has */
    uint64_t deadline; /* when it is to look at its timers; VG_NEVER */
    uint64_t visits[VG_CAUSES][VG_OUTCOMES]; /* wakes answered, and whether their future ended */
    uint64_t wakes[VG_WAKE_KINDS];
    unsigned queued; /* in its run queues, the private slot excepted */
    int thread;      /* of the system: gettid(); 0: none */
    const char *
        blocks_on; /* the lock that its thread is blocked for, if that says so; NULL: none; "": unnamed */
    uint64_t blocks_owner; /* the task that has it; 0: not known */
};

/* What a worker shows of itself. Each number is as of a moment ago; if `polls` and `polling` are the same in
 * two calls, the worker was in that poll all the time between. From any thread until the probe is
 * detached. A few dozen loads. */
VG_API void vg_exec_worker(struct vg_exec *exec, unsigned worker, struct vg_worker_info *info);

/* Has a sleeping worker, if there is one, look for tasks that wait in the queues of `worker`, which has been in one poll
 * for long, the one that it has just woken and would run next included, and for timers that it has missed by 10 ms. From any thread until the probe is detached. At most one system call. */
VG_API void vg_exec_rescue(struct vg_exec *exec, unsigned worker);

/* A task as somebody saw it who does not own it; id 0: there is none. */
struct vg_seen_task {
    uint64_t id, polls;
    const char *name;
    const struct vg_place *spawned; /* may be NULL */
};

/* What a worker runs next, as of a moment ago: the task in its private slot, and the first in its run queue. If it is the same
 * id and polls in two calls, that task has been queued all the time between. As vg_exec_worker(). */
VG_API void vg_exec_upcoming(struct vg_exec *exec, unsigned worker, struct vg_seen_task *slot,
                             struct vg_seen_task *first);

/* The task whose timer on that worker is overdue since before `than`; of several any. Takes a lock of the worker's for some
 * steps. */
VG_API void vg_exec_overdue(struct vg_exec *exec, unsigned worker, uint64_t than,
                            struct vg_seen_task *task);

/* What the calling thread is polling. */
struct vg_polling_here {
    uint64_t task;
    uint64_t polls; /* of that task */
    const char *future,
        *frame; /* the types of the future being polled, and of the async function that awaits it */
    const struct vg_site *site; /* where that has got to: the last await it came to; may be NULL */
};

/* False: the thread is no worker, or polls nothing. For the handler of a signal that interrupts a worker:
 * reads only what that thread itself has written, calls nothing, never waits. */
VG_API bool vg_polling_here(struct vg_polling_here *here);

struct vg_driver_stats;

/* What the driver says of a worker; all zero if it says nothing. As vg_exec_worker(). */
VG_API void vg_exec_driver_stats(struct vg_exec *exec, unsigned worker,
                                 struct vg_driver_stats *stats);

/* Whether any worker is doing something else than sleep. One load for each. */
VG_API bool vg_exec_busy(const struct vg_exec *exec);

/* Whether no task is queued anywhere, as far as one look can tell: one that moves from queue to queue may be overlooked. */
VG_API bool vg_exec_drained(struct vg_exec *exec);

/* Tasks that threads outside have queued and no worker has taken. */
VG_API uint64_t vg_exec_injected(const struct vg_exec *exec);

/* Futures that are one of several which their task waits for, and have not ended. */
VG_API uint64_t vg_exec_children(const struct vg_exec *exec);

/* Tells the workers that time has passed: those whose polls are so short that they do not look at the clock
 * each time do so in their next step. */
VG_API void vg_exec_tick(struct vg_exec *exec);

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
