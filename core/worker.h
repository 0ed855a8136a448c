/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_WORKER_H
#define VIGIL_CORE_WORKER_H

#include <vigil/driver.h>
#include <vigil/exec.h>
#include <vigil/probe.h>

#include "deque.h"
#include "fork.h"
#include "idle.h"
#include "inject.h"
#include "line.h"
#include "link.h"
#include "pocket.h"
#include "runq.h"
#include "slab.h"
#include "task.h"
#include "vg_os.h"
#include "wheel.h"

/*
 * Counters of one worker, written by it alone (relaxed), summed by whoever asks.
 *
 * What threads outside do is counted in the executor's own block of them.
 */
struct vg_counts {
    VG_ATOMIC(uint64_t) spawned;
    VG_ATOMIC(uint64_t) finished; /* stored with release: see vg_exec_live() */
    VG_ATOMIC(uint64_t)
    owing; /* tasks that began to owe less those that stopped: may wrap below 0 */
    VG_ATOMIC(uint64_t) polls;
    VG_ATOMIC(uint64_t) searches; /* looks at another worker for something to steal */
    VG_ATOMIC(uint64_t) stolen;   /* of these, the ones that found a task */
    VG_ATOMIC(uint64_t) parks;
    VG_ATOMIC(uint64_t) idle_parks; /* of these, the ones after which there was nothing to do */
    VG_ATOMIC(uint64_t) overflowed; /* tasks that found the ring full */
    VG_ATOMIC(uint64_t) injected; /* outside: tasks put into the injection queue; workers: taken */
    VG_ATOMIC(uint64_t) visits[VG_CAUSES][VG_OUTCOMES];
    VG_ATOMIC(uint64_t) wakes[VG_WAKE_KINDS];
    VG_ATOMIC(uint64_t) held; /* waiters armed for what others hold, less those let go: may wrap */
    VG_ATOMIC(uint64_t) children_begun, children_ended; /* futures beside others of their task */
    VG_ATOMIC(uint64_t) time[VG_WORKER_STATES];         /* in nanoseconds, up to the last reading */
    VG_ATOMIC(uint64_t) turns;                          /* of the driver */
    VG_ATOMIC(uint64_t) cuts;          /* polls that left woken futures for the next one */
    VG_ATOMIC(uint64_t) shared_writes; /* in debug builds: see vg_count_shared() */
};

/*
 * What a worker shows of itself besides: written by it alone, relaxed but for `polling`. An observer sees each word as it was a
 * moment ago, as long as a store takes to arrive.
 *
 * polling  The task that is being polled; NULL between polls. Set with release, so that whoever sees it
 *          (acquire) finds its slot prepared. counts.polls is bumped before it is set. If an
 *          observer sees the same count twice, and a task both times, the worker was in that one
 *          poll all the time between: a poll that had ended would have set NULL, and the next one the count.
 * state    enum vg_worker_state
 * blocks_on  The name of the lock that the worker's thread is blocked for; NULL: of none that is known.
 * blocks_owner  The task that had it then; 0: not known.
 * step_ns  How long a step has taken lately, on average.
 */
struct vg_pulse {
    VG_ATOMIC(struct vg_task *) polling;
    VG_ATOMIC(uint32_t) state;
    VG_ATOMIC(int) thread; /* of the system; 0: none */
    VG_ATOMIC(uint32_t) step_ns;
    VG_ATOMIC(const char *) blocks_on;
    VG_ATOMIC(uint64_t) blocks_owner;
};

/* Tasks that did not fit into the ring; thieves may take from it too. */
struct vg_overflow {
    struct vg_spin guard;
    VG_ATOMIC(uint32_t) length; /* read without the guard to see whether it is worth taking it */
    struct vg_fifo list;
};

struct vg_worker {
    struct vg_forks forks; /* first: vg_fork() finds it so */
    _Alignas(VG_LINE) struct vg_fork_side fork;

    /* the worker's own */
    _Alignas(VG_LINE) struct vg_exec *exec;
    unsigned index;
    unsigned tick;      /* tasks run */
    unsigned turned;    /* tick of the driver's last turn */
    unsigned aged_tick; /* when the injection queue, or the ring, came first */
    bool aged_ring;     /* which of them it was */
    bool alone;         /* there are no other workers */
    bool filled;        /* something was put into its queues since they were last seen empty */
    unsigned lifo_run;  /* tasks in a row that came from the private slot */
    struct vg_cx *cx;   /* of the poll in progress: */
    struct vg_cx context;
    const struct vg_waits *waits; /* where it records waits; NULL: it tells the probe of each */
    uint64_t now;                 /* the clock, as last read; see clock.c */
    uint64_t read_at;             /* the same, before a wake's stamp moved it on */
    unsigned stride;              /* steps between two readings */
    unsigned blind;               /* steps that are left until the next one */
    uint64_t burst;               /* how long it has been between two readings at most, lately */
    unsigned known; /* `blind` at the last one: if it is less now, the clock is stale */
    uint32_t ticks; /* of the executor, as last seen */
    uint64_t rng;
    uint64_t looted_at;   /* when it last stole */
    unsigned looted_tick; /* its tick then */
    unsigned poor;        /* steals in a row that were not worth their cost: see steal.c */
    struct vg_resource *thread_lock; /* the last that a poll has taken */
    bool searching;
    bool saw_work; /* in its last look, so that it did not sleep */
    bool
        gathers; /* in its driver or its timers: what is woken there is announced afterwards, at once */
    bool dozing; /* a stepped worker that has announced its sleep */
    bool parked; /* inside the driver: `now` is of before it slept */
    struct vg_slab_cache cache[VG_SLAB_CLASSES];
    struct vg_slot *free_slots;
    unsigned free_slots_count;
    int64_t oldest; /* child on the deque, when the clock was read last; and since when: */
    uint64_t oldest_since;
    uint64_t turned_at; /* when the last turn of the driver ended */
    uint32_t refused;   /* leaves, in this poll, for want of budget; the last: */
    const struct vg_future *refused_fut;
    struct vg_resource *waking; /* whose waiters a poll is waking; NULL: nobody's */
    struct vg_os_thread thread;

    /* shared with thieves */
    _Alignas(VG_LINE) struct vg_deque deque; /* tasks with a handle, spawned here */
    _Alignas(VG_LINE) struct vg_runq runq;   /* wakes and detached spawns */
    _Alignas(VG_LINE) struct vg_overflow overflow;
    struct vg_pocket pocket; /* what the running task has woken last */
    _Alignas(VG_LINE) struct vg_wheel wheel;

    /* read by anybody */
    _Alignas(VG_LINE) struct vg_counts counts;
    struct vg_pulse pulse;
};

/*
 * phase of the executor
 * RUNNING  spawns are accepted
 * CLOSING  set by vg_exec_close(): spawns are refused, every task has been or will be cancelled; each
 *          task that ends bumps `ended` and wakes the closer
 * QUIT     the workers leave their loops
 */
enum vg_phase { VG_PHASE_RUNNING, VG_PHASE_CLOSING, VG_PHASE_QUIT };

struct vg_exec {
    struct vg_exec *next, **link; /* of all that are open: see vg_execs */
    struct vg_alloc alloc;
    struct vg_driver *driver;
    struct vg_driver_futex *own_driver;
    struct vg_probe *probe;
    const struct vg_site *sites, *sites_end;
    char name[12];
    bool heals, quiet;
    bool exact;       /* every step reads the clock: it is virtual */
    bool exact_clock; /* likewise, because it is configured so */
    int budget;       /* of a poll */
    const int *cpus;
    unsigned cpus_count;
    void (*worker_started)(void *arg, unsigned worker);
    void (*worker_stops)(void *arg, unsigned worker);
    void *worker_arg;
    unsigned workers_count;
    unsigned started; /* workers whose thread runs, or whose driver part is set up */
    struct vg_worker *workers;
    size_t workers_size;
    struct vg_slabs slabs;
    struct vg_spin slots_guard;
    struct vg_slot_block *slot_blocks;
    struct vg_slot *free_slots; /* what workers have too many of; under slots_guard */
    struct vg_counts outside;   /* fetch_add: many threads */
    VG_ATOMIC(uint64_t)
    dropped_types; /* relaxed; a bit for each kind of future that was dropped: drop.h */

    _Alignas(VG_LINE) VG_ATOMIC(uint32_t) phase; /* enum vg_phase */
    VG_ATOMIC(uint32_t) ended;                   /* futex of the closer and of vg_block_on() */
    VG_ATOMIC(uint32_t) ready;                   /* workers that are set up, or failed to be */
    VG_ATOMIC(int) start_error;
    VG_ATOMIC(uint32_t) guests; /* threads outside that are using the executor: it waits for them */
    VG_ATOMIC(uint32_t) ticks;  /* bumped by an observer, relaxed: time has passed */
    struct vg_inject inject;
    struct vg_idle idle;
};

/* The worker that runs on this thread, NULL outside, is vg_worker_here of <vigil/fork.h>. */

/* A counter that only this worker writes. */
static inline void vg_count(VG_ATOMIC(uint64_t) *counter, uint64_t n)
{
    vg_store(counter, vg_load(counter, relaxed) + n, relaxed);
}

/*
 * In debug builds: the worker of this thread writes to what the others write, too: who sleeps and who searches, the injection queue,
 * the depot of slots; or takes from another one's queues. Once for each such operation. What a worker does to its own queues is not
 * counted, though thieves read them, nor are wakes: how many go to tasks of other workers is the program's affair.
 */
static inline void vg_count_shared(void)
{
#if VG_DEBUG
    if (vg_worker_here != NULL)
        vg_count(&vg_worker_here->counts.shared_writes, 1);
#endif
}

/* Asks the worker to give a fork away. False: it has been asked before. Any thread. */
static inline bool vg_fork_ask(struct vg_worker *worker)
{
    /* The owner may have set the limit back just after it was lowered: lower it again. */
    if (vg_load(&worker->fork.asked, relaxed) != 0 &&
        vg_load(vg_forks_limit(&worker->forks), relaxed) == 0)
        return false;
    vg_store(&worker->fork.asked, 1u, relaxed);
    vg_store(vg_forks_limit(&worker->forks), 0u, relaxed);
    return true;
}

/* Whose poll that is. */
static inline struct vg_worker *vg_worker_of(const struct vg_cx *cx)
{
    return (struct vg_worker *)((uintptr_t)cx - offsetof(struct vg_worker, context));
}

static inline uint64_t vg_rng(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- queue.c: where a runnable task goes, and what runs next ------------------------------- */

enum vg_place_in_queue {
    VG_QUEUE_WARM, /* woken by the task that runs: next, if its turn allows */
    VG_QUEUE_BACK, /* behind what is queued: completions, joins, requeues, detached spawns */
    VG_QUEUE_SCOPE, /* a child, and the parent of the last one: last in first out, stolen oldest first */
};

/* The caller owns the task. From any thread. */
void vg_enqueue(struct vg_exec *exec, struct vg_task *task, enum vg_place_in_queue where);

/* The same by the worker itself, of the task's executor. */
void vg_enqueue_here(struct vg_worker *worker, struct vg_task *task, enum vg_place_in_queue where);

/* Puts a task that was just polled behind the others. */
void vg_requeue(struct vg_worker *worker, struct vg_task *task);

/* The next task of this worker's own queues and of the injection queue; NULL: none. */
struct vg_task *vg_pick_next(struct vg_worker *worker);

/* Whether the worker's queues hold something that others could steal. From any thread. */
static inline bool vg_has_stealable(struct vg_worker *worker)
{
    return !vg_runq_empty_any(&worker->runq) || !vg_deque_empty_any(&worker->deque) ||
           vg_load(&worker->overflow.length, relaxed) > 0 ||
           vg_pocket_stealable_any(&worker->pocket);
}

/*
 * The same, without what the worker itself will have run before a thief is worth its cost: one that takes the only task of
 * a busy worker makes both wait for each other's caches. If the worker does not come out of its poll, the thief takes
 * it all the same. From any thread.
 */
enum { VG_STEAL_NS = 2000 };
static inline bool vg_lasts(struct vg_worker *worker, uint64_t queued)
{
    return queued * vg_load(&worker->pulse.step_ns, relaxed) >= VG_STEAL_NS;
}

static inline bool vg_ring_worth_stealing(struct vg_worker *worker)
{
    return vg_lasts(worker, vg_runq_length_any(&worker->runq));
}

/* Likewise of children, each of which may have many more: the oldest is taken all the same if it stays the oldest, see
 * vg_share_oldest(); without an observer, who would call others for it, at once. */
static inline bool vg_deque_worth_stealing(struct vg_worker *worker)
{
    const uint64_t queued = vg_deque_length_any(&worker->deque);

    return queued > 0 && (worker->exec->probe == NULL || vg_lasts(worker, queued));
}

/* Whether there is anything that is. */
static inline bool vg_worth_stealing(struct vg_worker *worker)
{
    return vg_ring_worth_stealing(worker) || vg_deque_worth_stealing(worker) ||
           vg_load(&worker->overflow.length, relaxed) > 0 ||
           vg_pocket_stealable_any(&worker->pocket);
}

/* Whether the calling worker's own queues hold something. */
static inline bool vg_has_queued(struct vg_worker *worker)
{
    if (worker->filled)
        worker->filled = !vg_pocket_empty_owner(&worker->pocket) || vg_has_stealable(worker);
    return worker->filled;
}

/* Whether any queue of the executor holds something this worker could run. */
bool vg_work_anywhere(struct vg_worker *worker);

/* steal.c: a task of another worker, or timers of theirs that are overdue. NULL: found nothing. */
struct vg_task *vg_steal(struct vg_worker *worker);

/* Whether the worker has missed timers of its own, so that others may fire them. */
bool vg_is_overdue(const struct vg_worker *worker, uint64_t now);

/* Until when a worker may park: its own timers, and those of a busy worker if that one misses them. */
uint64_t vg_park_deadline(struct vg_worker *worker);

/* queue.c: up to half of an overflow list, for its owner or a thief; the first is returned. */
struct vg_task *vg_overflow_take(struct vg_overflow *overflow, struct vg_runq *into);

/*
 * What was woken while the worker gathered, and what a poll puts into the ring or on the deque: others are told if it is expected to
 * take the worker so long, judging by its polls lately, that waking another one is worth it. Should a poll be longer
 * than expected, what waits behind it waits for that one, or for vg_exec_rescue().
 */
enum { VG_SHARE_NS = 20000 };
void vg_share_gathered(struct vg_worker *worker);

/* Of a child nobody knows how many more it will have; that others are done before it comes to the oldest one shows. They are told
 * of one that has stayed the oldest for so long. Whenever the clock was read. */
enum { VG_STUCK_NS = 5000 };
void vg_share_oldest(struct vg_worker *worker);

/* Wakes one worker, if work was published that nobody looks for. */
void vg_idle_ring(struct vg_exec *exec);

/* ---- clock.c ------------------------------------------------------------------------------- */

/* Reads the clock. The time since the last reading goes to the state that the worker was in. */
void vg_worker_read_clock(struct vg_worker *worker, enum vg_worker_state next);

/* At the start of a step: whether the clock is known well enough. */
static inline bool vg_worker_knows_time(struct vg_worker *worker)
{
    if (worker->blind == 0 || vg_load(&worker->exec->ticks, relaxed) != worker->ticks)
        return false;
    worker->blind--;
    return true;
}

/* Whether steps have been taken since the clock was read. */
static inline bool vg_worker_is_stale(const struct vg_worker *worker)
{
    return worker->blind != worker->known;
}

/* If it is not: reads it, and decides how many steps are to share the next reading. */
void vg_worker_step_clock(struct vg_worker *worker);

/* The time for a poll that needs it exactly, as a timer does. */
uint64_t vg_cx_now(struct vg_cx *cx);

/* ---- worker.c ------------------------------------------------------------------------------ */

int vg_worker_setup(struct vg_worker *worker); /* on its thread */
void vg_worker_run(struct vg_worker *worker);
enum vg_step vg_worker_step(struct vg_worker *worker);
void vg_worker_teardown(struct vg_worker *worker);

/* Announces sleep and takes the last look. True: there is nothing to do. Followed by vg_worker_rise(). */
bool vg_worker_doze(struct vg_worker *worker);
void vg_worker_rise(struct vg_worker *worker);

/* exec.c: all executors of the process, for debuggers: instrument/vigil-gdb.py. Under a lock of its own. */
extern struct vg_exec *vg_execs;

/* ---- the rest ------------------------------------------------------------------------------ */

uint64_t vg_exec_sum(const struct vg_exec *exec, size_t offset); /* of a counter in vg_counts */
void vg_slots_release(struct vg_exec *exec);                     /* waker.c */
bool vg_task_ask_cancel(struct vg_task *task);                   /* handle.c */
void vg_exec_task_ended(struct vg_exec *exec);                   /* close.c */
void vg_exec_stop_workers(struct vg_exec *exec);                 /* exec.c */
struct vg_driver *
vg_driver_gone(void); /* driver_futex.c: for its clock, once the real one is closed */
void vg_exec_destroy(struct vg_exec *exec, bool left); /* exec.c */

#endif
