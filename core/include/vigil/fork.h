/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_FORK_H
#define VIGIL_FORK_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fork and join for plain C functions: a computation that is cut into parts, which idle workers help with.
 *
 *     static long fib(int n);
 *     struct part { int n; long ret; };
 *     static void run(void *arg)
 *     {
 *         struct part *part = (struct part *)arg;
 *         part->ret = fib(part->n);
 *     }
 *     static long fib(int n)
 *     {
 *         struct part part = {n - 2, 0};
 *         struct vg_fork fork;
 *         long other;
 *         if (n < 2)
 *             return n;
 *         vg_fork(&fork, run, &part);
 *         other = fib(n - 1);
 *         vg_fork_join(&fork);
 *         return other + part.ret;
 *     }
 *
 * A fork is only noted down, and the join runs it, as a call would; only when another worker has nothing to do is the
 * oldest fork, which is likely to be the largest part, made into a task that can be stolen. So where all workers are busy a fork costs
 * hardly more than the call, and no parts have to be made large enough by hand.
 *
 * For computations that do not wait. Nothing here suspends: the computation is one poll of its task, however long it
 * is, and other tasks of this worker wait for it unless others steal them. The instruments report it like any long poll. What
 * is to wait, to be cancelled or to run beside other tasks is a task: see <vigil/scope.h>.
 *
 * Order     Joins come in the reverse order of forks, before the function that forked returns, on the same
 *           thread. Joining another than the newest fork panics, and so does a poll that ends with a fork that was not joined.
 * Idle      A worker that finds nothing else to do asks those that fork, and gets a fork within about 5 us of their next
 *           call of vg_fork(); one that sleeps is woken for it after 50 us of computing. Between
 *           two forks that are given away 5 us or 50 us pass likewise.
 * Join      A fork that nobody has taken is run by the join, stolen or not. While another worker runs it, the join runs
 *           forks that were made within it, and nothing else: no other task, so that the stack is as deep as that
 *           of a single thread at most; else it sleeps.
 * Nesting   Forked functions may fork. They may spawn tasks, wake, unlock and whatever else does not wait. They run in the poll of the
 *           task that forked them, or of a task named "fork"; so they must neither open scopes nor spawn into one.
 * Memory    A vg_fork is the caller's, usually on its stack; so is what `arg` points to, up to the join. Each worker notes
 *           down 256 forks; more than these, one within the other, are run by their joins. A fork that is given away is
 *           a task. Where there is no memory for that, or the executor is closing, it is not given away.
 * Threads   Workers only: panics elsewhere. `run` may be called on any worker.
 * Ordering  What precedes vg_fork() happens before `run`, and that before the return of vg_fork_join().
 * Errors    None.
 * Cost      Fork and join: some 20 instructions without atomics between them. A fork that is given away: that of a task, and a wake of a
 *           worker; where it is run elsewhere, a join may wait.
 */

typedef void vg_fork_fn(void *arg);

struct vg_worker;
struct vg_forks;

struct vg_fork {
    /* private */
    vg_fork_fn *run;
    void *arg;
    struct vg_forks *forks;
    uint32_t index;
};

enum { VG_FORKS_MAX = 256 };

/* private: the forks of a worker that have not been joined, oldest first. By that worker alone, but for `limit`. */
struct vg_forks {
    uint32_t top;      /* how many; those beyond VG_FORKS_MAX are not noted down */
    uint32_t promoted; /* of these, the oldest, that are tasks; their `arg` is the task's root */
    /*
     * VG_FORKS_MAX - 1, or 0: the next fork is to see whether it should give one away. Atomic: relaxed, written by any worker,
     * and only a hint. The outermost fork looks in any case.
     */
    uint32_t limit;
    struct {
        vg_fork_fn *run;
        void *arg;
    } noted[VG_FORKS_MAX];
};

/* private: the worker that runs on this thread, which begins with its vg_forks; NULL elsewhere. */
extern VG_API __thread struct vg_worker *vg_worker_here __attribute__((tls_model("initial-exec")));

#ifdef VG_EXPLORE /* a model of it: see vg_atomic.h */
#include "vg_atomic.h"
#define VG_FORKS_LIMIT_(forks) vg_load((VG_ATOMIC(uint32_t) *)(void *)&(forks)->limit, relaxed)
#else
#define VG_FORKS_LIMIT_(forks) __atomic_load_n(&(forks)->limit, __ATOMIC_RELAXED)
#endif

VG_API void vg_fork_offer_(struct vg_forks *forks);
VG_API void vg_fork_slow_(struct vg_forks *forks, vg_fork_fn *run, void *arg);
VG_API void vg_fork_join_slow_(struct vg_forks *forks, uint32_t index);
VG_API VG_NORETURN void vg_fork_panic_(const struct vg_forks *forks);

/* Lets run(arg) be called some time before the join returns, here or on another worker. */
static inline void vg_fork(struct vg_fork *fork, vg_fork_fn *run, void *arg)
{
    struct vg_forks *const forks = (struct vg_forks *)(void *)vg_worker_here;
    uint32_t top;

    if (VG_UNLIKELY(forks == NULL))
        vg_fork_panic_(forks);
    top = forks->top;
    fork->run = run;
    fork->arg = arg;
    fork->forks = forks;
    fork->index = top;
    forks->top = top + 1;
    if (VG_LIKELY(top - 1 < VG_FORKS_LIMIT_(forks))) { /* 0 wraps */
        forks->noted[top].run = run;
        forks->noted[top].arg = arg;
    } else {
        vg_fork_slow_(forks, run, arg);
    }
}

/* Returns when run(arg) has. Calls it unless another worker has begun to. */
static inline void vg_fork_join(struct vg_fork *fork)
{
    struct vg_forks *const forks = fork->forks;
    const uint32_t index = fork->index;

    if (VG_UNLIKELY(forks->top != index + 1))
        vg_fork_panic_(forks);
    forks->top = index;
    if (VG_LIKELY(index >= forks->promoted))
        fork->run(fork->arg);
    else
        vg_fork_join_slow_(forks, index);
}

/*
 * Calls body(context, i, j) for parts [i, j) of [begin, end), at most `grain` long each (0 is 1), that together are the
 * whole; several at a time on several workers, as by forks. Returns when all are done. Not for loops that take less than some 20
 * us: unlike vg_fork() it gives parts away, and wakes workers for them, from the start, for there may be few and long ones.
 */
VG_API void vg_parallel_for(size_t begin, size_t end, size_t grain,
                            void (*body)(void *context, size_t begin, size_t end), void *context);

#ifdef __cplusplus
}
#endif
#endif
