/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_OS_H
#define VIGIL_SEAM_OS_H

#include <stdio.h>

#include <vigil/base.h>

/*
 * The operating system as the library sees it: clock, threads, futexes, address space, and what the
 * machine allows. Everything else in the tree goes through here, so that tests can replace it.
 */

/* CLOCK_MONOTONIC in nanoseconds, to within 1 us: see os_clock.c. Does not go back on a thread. 10 to 15 ns a call where
 * the kernel's clock is the processor's counter, 20 to 50 elsewhere. Not for signal handlers. */
VG_API uint64_t vg_os_now(void);

/* CPU time of the calling thread, in nanoseconds. */
VG_API uint64_t vg_os_cpu_time(void);

VG_API void vg_os_yield(void);

/* Sleeps until *word differs from `expected`, a wake, or `deadline` (VG_NEVER: none). May return for no
 * reason: test again. */
VG_API void vg_os_wait(VG_ATOMIC(uint32_t) *word, uint32_t expected, uint64_t deadline);

/* Wakes up to `count` threads that sleep on the word. */
VG_API void vg_os_wake(VG_ATOMIC(uint32_t) *word, int count);

/* The calling thread, as the system numbers it. */
VG_API int vg_os_thread_id(void);

/* What the system's scheduler knows of a thread of this process. */
struct vg_os_look {
    uint64_t ran;      /* CPU time in nanoseconds */
    uint64_t waited;   /* time it was runnable and did not run, up to when it last began to */
    uint64_t switches; /* times it was given a processor */
    char state; /* 'R' running or runnable, 'S' or 'D' asleep in the kernel, 'T' stopped, ... */
};

/* Reads /proc: some 20 us. False: there is no such thread, or no /proc. */
VG_API bool vg_os_look_at(int thread, struct vg_os_look *look);

/* CPU time of a thread of this process, in nanoseconds; 0: there is no such thread. One system call. */
VG_API uint64_t vg_os_cpu_time_of(int thread);

struct vg_os_thread {
    void *(*run)(void *arg);
    void *arg;
    unsigned long handle;
    size_t stack_size; /* 0: what the system gives */
};

/* 0; -EINVAL: no thread can have a stack of that size. */
VG_API VG_MUST_USE int vg_os_check_stack_size(size_t size);

/* Starts a thread named `name` (at most 15 characters are kept) with all signals blocked but that of vg_stack.h. 0 or -EAGAIN.
 * The struct must stay until the join. */
VG_API VG_MUST_USE int vg_os_thread_start(struct vg_os_thread *thread, const char *name);
VG_API void vg_os_thread_join(struct vg_os_thread *thread);

/* Has the calling thread run on one processor only. 0; -EINVAL: there is no such processor, or it may not be used. */
VG_API VG_MUST_USE int vg_os_pin(int cpu);

/* Whether the address lies on the calling thread's stack. */
VG_API bool vg_os_on_stack(const void *address);

/* Has the system provide the pages of this range at once, which is cheaper than one by one when they are touched.
 * A hint: it may fail, or do nothing. */
VG_API void vg_os_populate(void *space, size_t size);

/* Would have this range, which begins at a multiple of 2 MiB, in huge pages. Likewise a hint. */
VG_API void vg_os_huge(void *space, size_t size);

/* Address space that costs memory only where it is touched; zeroed. NULL if refused. */
VG_API void *vg_os_reserve(size_t size);
VG_API void vg_os_unreserve(void *space, size_t size);

/* CPUs this process may use at once: the affinity mask, cut down to the cgroup's quota, rounded up. At
 * least 1. */
VG_API unsigned vg_os_cpus(void);

/*
 * A lock that blocks the thread and knows whose it is. It lives in `space`, of VG_OS_LOCK_SIZE bytes, aligned like a
 * uint64_t. All return 0 or an error, positive: EBUSY, held; EDEADLK, by this thread; EPERM, not by it; EAGAIN, ENOMEM.
 */
enum { VG_OS_LOCK_SIZE = 48 };
VG_API VG_MUST_USE int vg_os_lock_init(void *space);
VG_API VG_MUST_USE int vg_os_lock_fini(void *space);
VG_API VG_MUST_USE int vg_os_lock_try(void *space);
VG_API VG_MUST_USE int vg_os_lock_take(void *space);
VG_API VG_MUST_USE int vg_os_lock_give(void *space);

/*
 * Has a function called in the handler of a signal, on whatever thread that comes: one signal at a time in the process. 0;
 * -EBUSY: there is one; -EINVAL: it cannot have a handler. The end puts back what was there.
 */
VG_API VG_MUST_USE int vg_os_signal(int signal, void (*handler)(void *arg), void *arg);
VG_API void vg_os_signal_end(int signal);

/* Bits that differ from run to run. */
VG_API uint64_t vg_os_random(void);

#endif
