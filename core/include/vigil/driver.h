/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_DRIVER_H
#define VIGIL_DRIVER_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a worker needs of the outside world: a clock, a place to sleep, and I/O. The executor reaches
 * all three through this table, so that io_uring, plain futexes and a simulator are interchangeable.
 *
 * Threads   start, stop, ready, turn, park and submit are called by the worker they name, on its own
 *           thread. unpark, cancel and now are called from any thread. open and close bracket all.
 * Ordering  A completion reports on the worker that took the operation. After park() has begun, an
 *           unpark() of that worker makes it return, also one that came just before.
 * Memory    An operation is its submitter's until submit(), the driver's until done(), then the
 *           submitter's again. A driver must not touch it after calling done().
 */

struct vg_driver;
struct vg_exec;

enum vg_op_code {
    VG_OP_ACCEPT,   /* fd: listener. Result: the new descriptor (CLOEXEC) */
    VG_OP_CONNECT,  /* fd, addr: struct sockaddr, len: its size */
    VG_OP_RECV,     /* fd, addr, len, flags: MSG_* */
    VG_OP_SEND,     /* fd, addr, len, flags: MSG_*; never raises SIGPIPE */
    VG_OP_SHUTDOWN, /* fd, flags: SHUT_* */
    VG_OP_CLOSE,    /* fd */
    VG_OP_COUNT,
};

/* An operation in plain data. Drivers translate it; core never looks inside. */
struct vg_op {
    /* filled in by the submitter */
    void (*done)(struct vg_op *op, int32_t result); /* on the worker that took it; negative errno */
    void *addr;
    uint32_t len;
    uint32_t flags;
    int32_t fd;
    uint8_t code; /* enum vg_op_code */
    /* the driver's, from submit() to done() */
    uint8_t cancel_asked;
    uint16_t worker;
    VG_ATOMIC(uint32_t) state;
    uint32_t generation;
    struct vg_op *next, *prev;
};

/* What a driver says of one worker's share of it. Counts since open(). */
struct vg_driver_stats {
    uint64_t submissions;  /* operations taken */
    uint64_t completions;  /* operations ended */
    uint64_t inflight;     /* taken and not ended */
    uint64_t enters;       /* system calls */
    uint64_t cancels;      /* cancellations passed to the kernel */
    uint64_t late_cancels; /* of these, the ones that found the operation ended */
    uint64_t sq_full;      /* times that submissions waited for room */
    uint64_t cq_overflows; /* times that completions waited for room */
    uint64_t doorbells;    /* unparks that went through the kernel */
    uint64_t abandoned;    /* operations that did not end when the worker stopped */
    unsigned stranded;     /* completions that are there and wait for this worker to look */
    bool deferred;         /* and the kernel has more, which only this worker can fetch */
};

struct vg_driver_ops {
    const char *name;
    /* Before any worker runs. Negative errno: vg_exec_open() fails with it. */
    int (*open)(struct vg_driver *driver, unsigned workers);
    /* After every worker has stopped. */
    void (*close)(struct vg_driver *driver);
    /* On the worker's thread, before its first turn. Negative errno: vg_exec_open() fails with it. */
    int (*start)(struct vg_driver *driver, unsigned worker);
    /* On the worker's thread, after its last. Operations still in flight are the driver's problem: it
     * cancels them and waits a bounded time. */
    void (*stop)(struct vg_driver *driver, unsigned worker);
    uint64_t (*now)(struct vg_driver *driver);
    /* Whether turn() would do anything: a load or two, no system call. */
    bool (*ready)(struct vg_driver *driver, unsigned worker);
    /* Passes on what was submitted and reports what has completed, without waiting. Returns the
     * number of completions, bounded. */
    unsigned (*turn)(struct vg_driver *driver, unsigned worker);
    /* As turn(), but waits for a completion, an unpark(), or `deadline` (VG_NEVER: none). May return
     * for no reason. */
    void (*park)(struct vg_driver *driver, unsigned worker, uint64_t deadline);
    void (*unpark)(struct vg_driver *driver, unsigned worker);
    /* Takes an operation. done() is never called from inside submit(). */
    void (*submit)(struct vg_driver *driver, unsigned worker, struct vg_op *op);
    /* Asks the worker that took the operation to cancel it; it still ends through done(), with
     * -ECANCELED or its real result. `worker` is the caller's. Idempotent. */
    void (*cancel)(struct vg_driver *driver, unsigned worker, struct vg_op *op);
    /* From any thread between open and close, also while the worker starts or stops. NULL: there is
     * nothing to say. */
    void (*stats)(struct vg_driver *driver, unsigned worker, struct vg_driver_stats *stats);
    /* Stepped drivers only (else NULL): the executor starts no threads; whoever would block calls
     * step() instead, which runs one step of one worker (vg_exec_step()) or lets time pass. False:
     * nothing can happen any more. */
    bool (*step)(struct vg_driver *driver, struct vg_exec *exec);
};

/* First member of every driver. */
struct vg_driver {
    const struct vg_driver_ops *ops;
};

/* The driver and the worker of the calling task; panics outside a poll. For I/O futures. */
struct vg_driver_here {
    struct vg_driver *driver;
    unsigned worker;
};
VG_API struct vg_driver_here vg_driver_here(void);

enum vg_step { VG_STEP_RAN, VG_STEP_IDLE };

/* For stepped drivers: lets a worker do one thing (poll one task, steal, turn its driver). IDLE: it had
 * nothing to do and would park. */
VG_API enum vg_step vg_exec_step(struct vg_exec *exec, unsigned worker);

/* The earliest deadline on any worker's timers; VG_NEVER if there is none. */
VG_API uint64_t vg_exec_next_deadline(struct vg_exec *exec);

/* Sleeps in futexes; no I/O: an I/O future panics. */
struct vg_driver_futex {
    struct vg_driver driver;
    /* private */
    struct {
        VG_ATOMIC(uint32_t) word;
        char pad[60];
    } park[64];
};
VG_API struct vg_driver *vg_driver_futex(struct vg_driver_futex *futex);

#ifdef __cplusplus
}
#endif
#endif
