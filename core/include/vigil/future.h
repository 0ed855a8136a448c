/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_FUTURE_H
#define VIGIL_FUTURE_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The future protocol: what a leaf, a combinator and an async function have in common.
 *
 * A future is a plain struct whose first member is a vg_future. It is embedded in its parent's
 * struct, so awaiting allocates nothing. Programs write async functions (<vigil/async.h>) and use
 * the library's futures; this header is for those who write a future by hand.
 *
 * Life     INIT (constructed, nothing has run) -> RUNNING (polled; somebody waits for its end)
 *          -> DONE. A started future that lost a select is KEPT (driven by its own wakes while its
 *          frame awaits something else) or PARKED (nobody polls it) until it is awaited again.
 *          Once started it is polled until DONE; cancelling asks it to hurry.
 * Polling  A future is polled by its start, by its own wakes, by the end of a child it waits for,
 *          and by nothing else. Polling a child that already runs only adopts it.
 * Memory   The storage belongs to whoever embeds it. It may be written, reused or freed only while
 *          the future is INIT or DONE.
 * Threads  A future is polled and cancelled only by the worker that polls its task. Wakes come
 *          from any thread, through a waiter.
 * Errors   Results are in the future's own member `ret`; the protocol itself cannot fail.
 * Cost     32 bytes a future, 64 a waiter. A wake and the poll it leads to do not depend on how
 *          deep in the task the woken future is, unless the task holds a parked child or an opaque
 *          future: then each wake walks up to the root.
 */

typedef struct vg_poll {
    bool ready;
} vg_poll;

#ifdef __cplusplus
#define VG_PENDING (vg_poll{false})
#define VG_READY (vg_poll{true})
#else
#define VG_PENDING ((vg_poll){false})
#define VG_READY ((vg_poll){true})
#endif

struct vg_cx;
struct vg_future;
struct vg_site;
struct vg_task;
struct vg_waiter;
struct vg_wait;

/* A place where an async function suspends; the resume address makes it the program counter too.
 * All sites of a program or shared library lie side by side in its section vg_sites. */
struct vg_site {
    void *resume;
    const char *file;
    const char *func;
    const char *expr;
    int line;
    int shield; /* a cancel does not reach the child awaited here */
};

/*
 * How much the library may know about a future type.
 * OPAQUE  Nothing declared. It is entered at its own node whenever anything below it is woken, and
 *         polls its children from there down. A task with an opaque future pays a walk for each wake.
 * LEAF    Has no children; owns its waiter.
 * NODE    Declares its children through `child`. Its poll runs when a child ends, not when a child
 *         is woken: it must look at which of its children are DONE.
 * ASYNC   An async function; the struct starts with a vg_async.
 */
enum vg_kind { VG_KIND_OPAQUE, VG_KIND_LEAF, VG_KIND_NODE, VG_KIND_ASYNC };

/* What became of a wake that a poll of the task held and did not answer. */
enum vg_pass {
    VG_PASS_NONE,    /* the waiter had been granted nothing */
    VG_PASS_HELD,    /* it keeps what it was granted (healing is off) */
    VG_PASS_REVOKED, /* the grant went back to the resource */
};

/* One per future type, static const. poll, name, kind and size are required. */
struct vg_ops {
    /* Advances the future. Ready means: its result is in place, its waiter is disarmed, and it has
     * no running children. */
    vg_poll (*poll)(struct vg_future *fut, struct vg_cx *cx);
    /* Asks a running future to end soon. It still ends through poll, with -ECANCELED or with its real
     * result. NULL: it runs to its natural end. */
    void (*cancel)(struct vg_future *fut, struct vg_cx *cx);
    /* The i-th child, NULL past the end. For NODE and ASYNC; used by cancel and dumps. */
    struct vg_future *(*child)(const struct vg_future *fut, unsigned i);
    /* A poll of the task ended without answering this leaf's wake. May revoke what it was granted;
     * the leaf keeps its place and stays owed. Called once per wake, before the task can run
     * elsewhere. NULL: nothing to do. */
    enum vg_pass (*passed_over)(struct vg_future *fut, struct vg_cx *cx);
    /* Fills in what a running leaf waits for; false if it waits for nothing nameable. */
    bool (*waits)(const struct vg_future *fut, struct vg_wait *wait);
    const char *name;
    uint32_t size;
    uint8_t kind;     /* enum vg_kind */
    uint8_t is_timer; /* the leaf ends by itself when a deadline passes */
    uint8_t is_io;    /* the leaf waits for the kernel */
    uint8_t is_held;  /* waits() names what it waits for, and who can end that: see vg_wait.by */
    /* Whether the leaf would end at once if it was polled now, started or not: there is an item for it. Asked for arms of a biased
     * select that others keep from being polled. NULL: that cannot be said. */
    bool (*is_ready)(const struct vg_future *fut);
    uint8_t gives; /* the leaf hands something on: what its frame has taken is in it meanwhile */
};

enum vg_state { VG_INIT, VG_RUNNING, VG_KEPT, VG_PARKED, VG_DONE };

enum {
    VG_F_CANCEL = 1, /* cancel was asked for; set once, by the worker that polls the task */
    VG_F_TAKEN = 2,  /* DONE, and its result has been delivered to whoever awaited it */
    VG_F_BESIDE = 4, /* started below a combinator: one of several things its task waits for */
    VG_F_PASSED = 8, /* an async function that has got past its first await */
    VG_F_CARRIES =
        16, /* an async function that has taken something and not handed it on: vg_took() */
    VG_F_PAUSES = 32, /* parked, on purpose: VG_MAY_PAUSE */
};

struct vg_future {
    const struct vg_ops *ops;
    uint8_t state; /* enum vg_state */
    uint8_t flags; /* VG_F_* */
    uint16_t kids; /* opaque: running children; others, kept or parked: where they were left */
    uint32_t
        seq; /* opaque: the take it was last entered for; others, in debug builds: a life mark */
    struct vg_future *next; /* the frame's list of kept and parked children */
    struct vg_future *up; /* who waits for it, or the frame whose list it is on; NULL for a root */
};

/* Doubly linked list node; as an element of a task's woken stack, next holds the word it replaced. */
struct vg_wnode {
    uintptr_t next;
    struct vg_wnode *prev;
};

/*
 * What a leaf leaves with the source of its event. The source wakes it at most once per arming.
 *
 * queued is guarded by the source's lock. armed, owed, told, late and seq belong to the worker that
 * polls the task. node and the woken_* members belong to whoever has the waiter: the source that
 * wakes it, then the task's stack, then the worker that takes it from there.
 */
struct vg_waiter {
    struct vg_wnode node;
    struct vg_task *task;
    struct vg_future *fut; /* the leaf to poll */
    uint64_t woken_at;     /* first unanswered wake; 0 if none */
    uint64_t woken_by; /* id of the task that woke it; 0: a thread outside, the kernel, a timer */
    const struct vg_site *woken_from; /* await site of that task, if any */
    uint32_t seq; /* orders it once it was collected; else, in debug builds, a mark: see armed.h */
    uint8_t queued; /* the source holds it */
    uint8_t flags;  /* VG_W_* */
    uint8_t hops;   /* visits that led to this wake, each waking the next and coming to nothing */
    uint8_t pad;
} __attribute__((aligned(16)));

enum {
    VG_W_ARMED = 1, /* a wake may still come, or has come and was not collected */
    VG_W_OWED = 2,  /* on one of the task's lists: woken, and not yet answered */
    VG_W_TOLD = 4,  /* its leaf was told that it has been passed over */
    VG_W_LATE = 8,  /* a deadline: goes once behind the other wakes of its batch */
    VG_W_SEEN = 16, /* an instrument has reported this wake */
    VG_W_SLOT = 32, /* part of a waker's slot */
    VG_W_HELD = 64, /* armed for a leaf with vg_ops.is_held */
};

/* ---- for whoever polls a child ------------------------------------------------------------- */

/* Starts the future if it is INIT, takes it over if it runs, says whether it is DONE. `up` of the
 * child becomes the future being polled. Never re-polls a running child, except below an opaque
 * future. This is what VG_AWAIT uses; a finished future stays finished. */
VG_API vg_poll vg_poll_future(struct vg_future *fut, struct vg_cx *cx);

/* The same for hand-written futures; panics if the child is already DONE. */
VG_API vg_poll vg_poll_child(struct vg_future *fut, struct vg_cx *cx);

/* Asks the future to end soon: marks it, and passes the request down to the leaves it waits for.
 * Idempotent. An INIT future is only marked: if it is polled all the same, it starts cancelled. */
VG_API void vg_cancel(struct vg_future *fut, struct vg_cx *cx);

/* Polls a cancelled leaf child at once, so that a combinator of leaves ends in the same step. */
VG_API void vg_settle(struct vg_future *fut, struct vg_cx *cx);

/* Hands a child that still runs to the frame above the future being polled, which keeps driving it
 * (VG_KEPT) or leaves it alone (VG_PARKED). Panics if there is no frame above. */
VG_API void vg_leave(struct vg_future *fut, enum vg_state state, struct vg_cx *cx);

static inline bool vg_done(const struct vg_future *fut)
{
    return fut->state == VG_DONE;
}

static inline bool vg_started(const struct vg_future *fut)
{
    return fut->state != VG_INIT;
}

static inline bool vg_cancelled(const struct vg_future *fut)
{
    return (fut->flags & VG_F_CANCEL) != 0;
}

/* Prepares the header of a hand-written future. Debug builds panic if a live future is there. */
VG_API void vg_future_init(struct vg_future *fut, const struct vg_ops *ops);

/* ---- for leaves ---------------------------------------------------------------------------- */

/*
 * A leaf's poll arms its waiter, puts it where the event's source will find it (under the source's
 * lock), and returns pending. The source calls, still under its lock, vg_wake(), and after unlocking
 * vg_notify() with what that returned. When the wake is answered the leaf is polled.
 *
 * A leaf that ends early (cancelled, or polled below an opaque future after its event) takes its
 * lock, removes the waiter from the source if `queued`, unlocks, and calls vg_disarm(). Only then
 * may it be ready: afterwards its waiter is on no list and no wake is under way.
 */

/* Readies the waiter for one wake of `fut`. Call before the source can see it. Panics if the
 * waiter is still armed or not 16-byte aligned. */
VG_API void vg_arm(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx);

/* Ends the arming: takes a wake that was made back from the task's lists. The caller has made sure,
 * under the source's lock, that no further wake will come. No effect on a waiter that is not armed. */
VG_API void vg_disarm(struct vg_waiter *waiter, struct vg_cx *cx);

/* Puts an armed waiter that its source has let go of on the list of this very poll: its leaf is
 * polled soon. Does nothing if it has been woken. For cancel. */
VG_API void vg_kick(struct vg_waiter *waiter, struct vg_cx *cx);

/* Charges one unit of the poll's budget. False: the budget is used up; the waiter has been armed
 * and the leaf will be polled in the task's next poll, so return pending. For leaves that may be
 * ready again and again without waiting. */
VG_API VG_MUST_USE bool vg_coop(struct vg_waiter *waiter, struct vg_future *fut, struct vg_cx *cx);

/*
 * Says that the future being polled has got on, though it is not done: it has taken in an event, or done a part of
 * its work. A future that is polled a thousand times in a row by wakes of its own and neither ends, nor lets another
 * one end, nor says this, is reported as spinning. vg_coop() says it too.
 */
VG_API void vg_progress(struct vg_cx *cx);

/*
 * For leaves that take something out of where it was, as a receive does, and those that hand it on: vg_took() when one of
 * the former has been successful, vg_gave() after the latter. An async function that is cancelled between the two,
 * while a leaf with vg_ops.gives waits, is reported to have lost it (cancel-loss). A few loads.
 */
static inline void vg_carry_(struct vg_future *fut, bool carries)
{
    while (fut != NULL && fut->ops->kind != VG_KIND_ASYNC)
        fut = fut->up;
    if (fut == NULL)
        return;
    if (carries)
        fut->flags |= VG_F_CARRIES;
    else
        fut->flags &= (uint8_t)~VG_F_CARRIES;
}

static inline void vg_took(struct vg_future *leaf)
{
    vg_carry_(leaf->up, true);
}

static inline void vg_gave(struct vg_future *leaf)
{
    vg_carry_(leaf->up, false);
}

/* vg_gave() for the future that is being polled; on a thread outside, and between polls, nothing. */
VG_API void vg_gave_here(void);

/* The task that the caller of vg_wake() must notify, after releasing its lock; NULL: none. */
struct vg_notice {
    struct vg_task *task;
};

/* Wakes an armed waiter: stamps it and pushes it on its task. From any thread, once per arming (panics
 * if it is woken again before the next). Debug builds also panic if it is not armed, or its memory is gone:
 * its leaf ended and left it with the source. Where that cannot be ruled out, use <vigil/waker.h>.
 * Wait-free but for one compare-and-swap loop. The push releases what the caller wrote before. */
VG_API VG_MUST_USE struct vg_notice vg_wake(struct vg_waiter *waiter);

/* Queues the task for a worker. May enter the kernel to unpark one: call it without locks. */
VG_API void vg_notify(struct vg_notice notice);

#ifdef __cplusplus
}
#endif
#endif
