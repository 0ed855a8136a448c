/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_LIVENESS_H
#define VIGIL_LIVENESS_H

#include <stdio.h>

#include <vigil/alloc.h>
#include <vigil/driver.h>
#include <vigil/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The instruments: how long woken futures wait to be polled, and who is to blame when one never is.
 *
 *     struct vg_liveness *live;
 *     struct vg_config config = VG_CONFIG_INIT;
 *
 *     rc = vg_liveness_open(&live, NULL);
 *     config.probe = vg_liveness_probe(live);
 *     rc = vg_exec_open(&exec, &config);
 *     ...
 *     rc = vg_snapshot(live, &snap);
 *     vg_snapshot_text(snap, stdout);
 *     vg_snapshot_free(snap);
 *     ...
 *     vg_exec_close(exec, VG_SEC(5));
 *     vg_liveness_close(live);
 *
 * It watches without polling, waking or choosing a victim. Every woken future is timed, from its wake to
 * its poll, under the await site that waits for it, in two parts: until its task ran (the executor's
 * share) and from there (its parents' share). Programs that starve a child are reported with the future,
 * the resource and the line while they run.
 *
 * Verdicts  See enum vg_verdict. "Confirmed" means that the state itself proves it; "suspected", that
 *           something the instrument cannot see may still end it.
 * Memory    One mapping per executor, about 18 KiB for each worker and await site, of which only what
 *           is used becomes resident, and 100 KiB for the last reports. Nothing is allocated while tasks
 *           run. The object outlives the executor it serves, and serves one at a time.
 * Threads   vg_liveness_open() and vg_liveness_close() bracket the executor. vg_snapshot() from any
 *           thread in between, one at a time: others wait, vg_exec_open() and vg_exec_close() included.
 *           Reports are made by one thread at a time: the watchdog's, or the caller's of vg_watch_scan().
 * Ordering  Numbers are read while they are written: a row may be one visit ahead of another.
 * Errors    -ENOMEM; -EAGAIN: no thread for the watchdog. Both make vg_exec_open() fail when they
 *           arise there. -EBUSY, -EINVAL: of the configured signal.
 * Cost      About ten nanoseconds a wake at level 2, two at level 1. The watchdog sleeps while all workers do
 *           and no task owes a poll; otherwise it looks every 10 ms, for some microseconds, and uses at most
 *           a twentieth of a processor. vg_snapshot.watchdog_cpu is what it has used.
 */

enum vg_verdict {
    /* A woken child has not been polled for longer than the limit, though its task ran, or could. */
    VG_VERDICT_SNOOZED_CHILD,
    /* A task awaits a resource that is owned by, granted to, or queued ahead for a future which only
     * this task polls and which it cannot poll before it gets the resource. */
    VG_VERDICT_FUTURELOCK,
    /* A snoozed child was handed a resource for which futures of other tasks wait. */
    VG_VERDICT_STALLED_GRANT,
    /* A select was given an arm whose result had been taken before. */
    VG_VERDICT_POLL_AFTER_READY,
    /* A worker has been in one poll for longer than the limit, asleep in the kernel or computing. */
    VG_VERDICT_BLOCKED_WORKER,
    /* A task has computed for a second in its first poll, and not once let another one run. */
    VG_VERDICT_NEVER_YIELDED,
    /* A future is pending, and nothing can wake it: neither it nor anything below it has armed a waiter. */
    VG_VERDICT_UNARMED_PENDING,
    /* A future has been polled a thousand times in a row to no effect, by wakes of its own task. */
    VG_VERDICT_SELF_WAKE_SPIN,
    /* The same, by wakes of tasks that were no better. */
    VG_VERDICT_SPURIOUS_SPIN,
    /* Tasks wait for one another in a ring, and for nothing else. */
    VG_VERDICT_WAIT_CYCLE,
    /* A task waits for what it has itself, and for nothing else. */
    VG_VERDICT_RECURSIVE_WAIT,
    /* What a future waits for is there, and nobody has woken it. */
    VG_VERDICT_LOST_WAKEUP,
    /* A future waits for a resource of which a part has vanished: neither free, nor held, nor granted to anybody. Or one was
     * cancelled, because another one had won, with what it had received and was about to hand on; or was timed out
     * in the middle of its work five times in a row. */
    VG_VERDICT_CANCEL_LOSS,
    /* A task awaits something while it has a lock that blocks threads (<vigil/os_mutex.h>). */
    VG_VERDICT_LOCK_ACROSS_SUSPEND,
    /* A timer has been set again and again before it could expire: it never will. Only with vg_liveness_config.hints. */
    VG_VERDICT_DEADLINE_RESET,
    /* A future was cancelled a tenth of a second ago, and has not ended. */
    VG_VERDICT_CANCEL_STALLED,
    /* Those that hold a resource wait for something else, and have for a second, while others queue for it. */
    VG_VERDICT_HOARDED_RESERVATION,
    /* A waiter is overtaken again and again by others that came later. */
    VG_VERDICT_UNFAIR_LOCK,
    /* A task waits for what only a future can give that has never been polled. */
    VG_VERDICT_NEVER_POLLED,
    /* A task is queued, and its worker runs others again and again, or is in a poll that does not end while others sleep. */
    VG_VERDICT_TASK_STARVED,
    /* Timers have expired, and their worker runs tasks without a look at them. */
    VG_VERDICT_TIMER_LATE,
    /* The kernel has done what a worker asked for, and that runs tasks without a look at it. */
    VG_VERDICT_IO_LATE,
    /* An arm of a biased select has something to take, and is not polled, because an earlier one always has. */
    VG_VERDICT_ARM_STARVED,
    /* Futures are polled again and again only to be told that the poll's budget is used up. */
    VG_VERDICT_BUDGET_STARVED,
    /* One task keeps a worker busy with woken children that wait for each other, and others sleep. */
    VG_VERDICT_NO_PARALLELISM,
    /* A future is polled from within a wake (vg_wakes_begin()). */
    VG_VERDICT_WAKE_REENTRY,
    VG_VERDICT_COUNT,
};

/* "snoozed-child", "futurelock", ... */
VG_API const char *vg_verdict_name(enum vg_verdict verdict);

enum vg_confidence { VG_SUSPECTED, VG_CONFIRMED };

/* A future, as a report names it. */
struct vg_report_future {
    const char *type;           /* of the future; NULL: there is none to name */
    const char *frame;          /* the async function that awaits it; NULL: none */
    const struct vg_site *site; /* where that function awaits it; may be NULL */
};

/* A task of a ring: what it awaits, and who has it. */
struct vg_report_link {
    uint64_t task;
    const char *task_name;
    const struct vg_place *task_spawned; /* may be NULL */
    struct vg_report_future future;      /* that waits */
    const char *resource_kind;
    const char *resource_name;             /* may be NULL */
    const struct vg_place *resource_place; /* may be NULL */
    struct vg_owner owner; /* the next of the ring; site: where it took it, may be NULL */
    unsigned others;       /* futures it awaits beside this one, which are no better */
};

enum { VG_RING_MAX = 8 };

struct vg_report {
    enum vg_verdict verdict;
    enum vg_confidence confidence;
    bool ended;      /* the incident of an earlier report is over; `lasted` is its length */
    bool healed;     /* over as soon as it began: the grant was revoked and given to the next */
    uint64_t at;     /* when the decisive event happened */
    uint64_t lasted; /* from the wake that was not answered, if there was one, until `at` */

    uint64_t task;
    const char *task_name;
    const struct vg_place *task_spawned; /* may be NULL */

    struct vg_report_future starved; /* the future nobody polls, or wakes */
    bool hangs;                      /* and nothing else can wake its task either */
    struct vg_report_future parent;  /* the frame that should, and where it is now */
    const struct vg_site *left_at;   /* where the parent left it: the select; NULL: not known */
    bool parked;                     /* by VG_PARK; false: below a hand-written future */
    bool granted;                    /* the resource was handed to the starved future */
    bool owns;                   /* the starved future, or a frame below it, holds the resource */
    uint64_t woken_at, woken_by; /* 0: not woken; by a thread outside, the kernel or a timer */
    const struct vg_site *woken_from; /* may be NULL */
    unsigned also;                    /* further woken futures that the same parent holds up */

    struct vg_report_future blocked; /* the future on the await path that waits behind it */
    unsigned exits;                  /* other futures that may end that wait */

    const char *resource_kind;             /* NULL: no resource is involved */
    const char *resource_name;             /* may be NULL */
    const struct vg_place *resource_place; /* may be NULL */
    bool owned;
    struct vg_owner owner; /* if owned */
    unsigned waiters;      /* in the resource's queue, both futures above included */

    /* A poll that does not end. `parent` is the last await that it came to, if the stack is there. */
    unsigned worker;       /* which is in it */
    bool again;            /* reported before; it goes on */
    bool asleep;           /* in the kernel; false: it computes */
    bool all_workers;      /* each of them is in a poll like this */
    bool deferred;         /* the kernel has completions that only this worker can fetch */
    uint64_t cpu_ns;       /* used in this poll */
    unsigned stranded;     /* completions that wait for this worker */
    unsigned queued;       /* tasks in its queues, the private slot excepted */
    const char *blocks_on; /* the lock that its thread waits for; NULL: not known; "": unnamed */
    uint64_t blocks_owner; /* the task that has it; 0: not known */
    const char *stack;     /* a line for each frame, innermost first; NULL: not there. Like text */

    /* A spin. `starved` is the future that is polled. */
    uint32_t visits;    /* in a row, to no effect */
    uint64_t visit_ns;  /* each took, on average */
    uint64_t busy_ns;   /* time that went into them, of `lasted` */
    unsigned instances; /* tasks that do the same at the same place */

    /* A ring. `task` is its first member, `blocked` what that awaits. */
    const struct vg_report_link
        *ring;            /* each waits for the next; valid during the callback; else NULL */
    unsigned ring_length; /* of which at most VG_RING_MAX are there */
    unsigned victims;     /* tasks beyond it that wait for one of it, one behind the other */

    /* A lost wake-up, or a loss: what there is of the resource. */
    uint64_t total, free, held, granted_units, wanted;
    uint32_t rounds;          /* of a select in which an arm was passed by */
    uint64_t refused, useful; /* polls for want of budget; futures that ended or got on meanwhile */
    uint64_t polls_since;     /* made by the worker while something waited there */
    bool in_slot;             /* the task is in its private slot, behind a poll that does not end */
    uint64_t overtaken;       /* by others that came later: how often, at least */
    const char *unpolled;     /* the type of the future that has never been polled */

    /* A future that was cancelled because another one had won: `starved`, by `parent`; `blocked` is what it waited for. */
    uint32_t drops;   /* in a row; 0: this is no such report */
    uint64_t spanned; /* by these */
    uint64_t length;  /* of the timer; 0: it is none */
    bool carried;     /* it had taken something, and was about to hand it on */

    unsigned suppressed; /* like reports that were not made since the last one */
    const char *text;    /* all of this, readable; valid during the callback */
};

enum {
    VG_LEVEL_OFF, /* nothing is looked at, and nobody sees what waits behind a poll that does not end */
    VG_LEVEL_VERDICTS, /* verdicts and counters */
    VG_LEVEL_FULL,     /* and the distribution of every wait */
};

struct vg_liveness;

struct vg_liveness_config {
    uint64_t snooze_ns; /* a woken child may stay unpolled that long; 0: 100 ms */
    /* Called for each report and for the end of what was reported, on the watchdog's thread. It must not
     * call vg_watch_scan(), nor close the executor. */
    void (*report)(const struct vg_report *report, void *arg);
    void *arg;
    bool to_stderr;               /* print reports, too */
    uint8_t level;                /* VG_LEVEL_* */
    bool manual;                  /* no watchdog thread: the program calls vg_watch_scan() */
    const struct vg_alloc *alloc; /* NULL: vg_alloc_default */
    uint64_t block_ns;            /* a poll may sleep, or compute, that long; 0: 20 ms */
    /*
     * A worker that is reported for not coming out of a poll writes down its stack in the handler of this
     * real-time signal, once for a poll if it sleeps, else once for each report. 0: any that nobody uses;
     * -1: no stacks, and then the report does not say where in its task the worker is either. The process has
     * one such signal, of the first vg_liveness_open() that asks for it. Calls of the program's that the system
     * never restarts (nanosleep, poll, epoll_wait, sockets with a timeout: see signal(7)) end with EINTR.
     */
    int stack_signal;
    /* Names a code address in at most `size` bytes, the terminating zero included; leaves the text empty if it
     * cannot, and for NULL: name and offset as the dynamic linker knows them. Called on the watchdog's thread.
     * <vigil/symbols.h> has one that knows lines. */
    void (*symbolize)(void *arg, const void *address, char *text, size_t size);
    void *symbolize_arg;
    /*
     * A signal at which the watchdog's thread writes all await trees to stderr, like vg_dump(): SIGUSR1, say. 0: none. One
     * such signal at a time in the process; what it did before is put back by vg_liveness_close(). Not with `manual`.
     */
    int dump_signal;
    bool hints; /* report what may well be meant, too: deadline-reset */
};

/* The defaults: 100 ms and 20 ms, to stderr, everything on. */
#define VG_LIVENESS_INIT                                                                           \
    {                                                                                              \
        VG_MSEC(100), NULL, NULL, true, VG_LEVEL_FULL, false, NULL, VG_MSEC(20), 0, NULL, NULL, 0, \
            false                                                                                  \
    }

/* NULL: the defaults. -ENOMEM. -EBUSY: config->stack_signal has a handler already, or another signal is in use, or another
 * liveness has a dump_signal; -EINVAL: it is not a real-time signal, or dump_signal is none. After an error *live is NULL. */
VG_API VG_MUST_USE int vg_liveness_open(struct vg_liveness **live,
                                        const struct vg_liveness_config *config);

/* After the executor has been closed; panics before. NULL does nothing. */
VG_API void vg_liveness_close(struct vg_liveness *live);

/* For vg_config.probe. */
VG_API struct vg_probe *vg_liveness_probe(struct vg_liveness *live);

/* Takes effect for the next event. From any thread. */
VG_API void vg_liveness_set_level(struct vg_liveness *live, unsigned level);

/* Delivers what the workers have found, looks for children that were snoozed too long, for workers that do not
 * get out of a poll, and for incidents that have ended. Reports are made in here. Returns at once if another
 * thread is in it. Without a watchdog call it every 10 ms: a worker that sleeps in a poll is found only by
 * looks that come in time, and workers that poll in quick succession rely on it to see that time passes. */
VG_API void vg_watch_scan(struct vg_liveness *live, uint64_t now);

/*
 * Writes what the tasks wait for: for each its state, how long it has been idle, and its await tree with what goes on
 * beside its path, kept or parked, what each leaf waits for and how long it has been woken. `task` is the id of one, 0 for
 * all. Any thread, workers included; idle tasks are held one at a time, while their trees are copied. -ENOMEM; -ESRCH: no such task lives. Cost: some microseconds a task,
 * most of it for the writing.
 */
VG_API int vg_dump(struct vg_liveness *live, uint64_t task, FILE *out);

/* ---- what has been measured ---------------------------------------------------------------- */

/* In nanoseconds. A quantile is at most 6.3 % above or below that of the recorded waits; max is exact. */
struct vg_latency {
    uint64_t sum, p50, p99, p999, max;
};

enum { VG_OCTAVES = 39 };

/*
 * How many waits were how long. octave[0]: shorter than 2^-30 s; octave[i]: from 2^(i-31) s to less than
 * 2^(i-30) s; the last one: and whatever is longer. That is an exponential histogram of scale 0, in
 * seconds. Waits that have not ended are not in it, so it only grows.
 */
struct vg_octaves {
    uint64_t count, sum; /* sum: in nanoseconds, read apart from the rest */
    uint64_t octave[VG_OCTAVES];
};

enum vg_part { VG_PART_RUNTIME, VG_PART_PARENT, VG_PARTS };
enum { VG_NODES = VG_NODE_CHILD + 1 };

/* Waits of one await site. Those that have not ended are in the numbers, with their length so far. */
struct vg_snapshot_row {
    const struct vg_site
        *site; /* NULL: bare roots, the library's own sites, tasks that are queued */
    enum vg_node node;
    uint64_t count; /* of ended waits */
    uint64_t
        cancelled; /* async functions that waited there, and timers, when another one of a select or a deadline had won */
    uint64_t open; /* woken, and not polled yet */
    struct vg_latency runtime, parent, total;
    struct vg_octaves ended[VG_PARTS];
};

struct vg_snapshot_worker {
    uint64_t visits;      /* wakes answered */
    uint64_t passed_over; /* wakes that a poll held and did not answer */
    uint64_t runtime_sum, parent_sum, total_max;
    uint64_t blocked;                 /* polls that were found to block it */
    uint64_t blocked_ns, blocked_max; /* how long, together and at most */
    struct vg_octaves ended[VG_NODES][VG_PARTS];
    /* the rest is zero when the executor has gone */
    struct vg_worker_info info;
    struct vg_driver_stats driver;
    uint64_t kernel_wait; /* ready to run, and not run by the kernel */
    bool kernel_wait_known;
};

struct vg_snapshot_verdict {
    uint64_t reported, suppressed, healed;
    uint64_t active;               /* reported, and not over */
    uint64_t suspected, confirmed; /* reported or suppressed */
    struct vg_octaves lasted;      /* those that are over */
};

struct vg_snapshot_open {
    uint64_t count, over_10ms, over_100ms, over_1s;
    uint64_t oldest; /* age in nanoseconds */
    uint64_t oldest_of[VG_NODES];
    const struct vg_site *site; /* of the oldest */
    enum vg_node node;
};

struct vg_snapshot {
    uint64_t at;
    char name[32]; /* the executor's */
    unsigned level;
    uint64_t tasks;
    uint64_t lost;                  /* reports that found no room */
    uint64_t healings;              /* grants that were revoked, reported or not */
    uint64_t uptime;                /* of the executor; 0: none is attached */
    uint64_t running, queued, idle; /* tasks, as the walk met them */
    uint64_t children;              /* futures that are one of several their task waits for */
    uint64_t injected;              /* queued by threads outside, and not taken yet */
    uint64_t watchdog_cpu;          /* processor time of the watchdog's thread, the present one's */
    struct vg_snapshot_open open;
    struct vg_snapshot_verdict verdict[VG_VERDICT_COUNT];
    unsigned workers;
    struct vg_snapshot_worker *worker;
    unsigned rows;
    struct vg_snapshot_row *row; /* busiest first */
    /* private */
    struct vg_alloc alloc;
    size_t size;
};

/* Copies the numbers as of now. Walks all tasks: a few loads for each, and of those that owe a poll it holds one
 * at a time for a moment. -ENOMEM: *snapshot is NULL. */
VG_API VG_MUST_USE int vg_snapshot(struct vg_liveness *live, struct vg_snapshot **snapshot);
VG_API void vg_snapshot_free(struct vg_snapshot *snapshot);

VG_API void vg_snapshot_text(const struct vg_snapshot *snapshot, FILE *out);

/* One object; times are integers in nanoseconds; each await site is on a line of its own. */
VG_API void vg_snapshot_json(const struct vg_snapshot *snapshot, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
