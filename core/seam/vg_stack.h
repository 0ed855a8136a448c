/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_STACK_H
#define VIGIL_SEAM_STACK_H

#include <vigil/base.h>

/*
 * The stack of another thread of this process, taken by that thread in the handler of a signal.
 *
 * Signal    One real-time signal for the whole process. Once taken over it stays so: a signal that arrives
 *           late must not end the process. Threads of vg_os_thread_start() that begin afterwards let it
 *           through, and block all others.
 * Harm      Calls that the handler interrupts are restarted where the system can do that (SA_RESTART:
 *           read, write, connect, accept, flock, futex waits, ...). nanosleep, poll, select, epoll_wait, io_uring_enter,
 *           semop and sockets with a timeout are not restarted, whoever asks: they fail with EINTR. So ask
 *           seldom, and about threads that are in trouble already.
 * Silence   A thread in an uninterruptible sleep, or one that blocks the signal, does not answer. Nor does,
 *           under ThreadSanitizer, one that computes without a call.
 */

enum { VG_STACK_FRAMES = 32 };

/* Innermost first: the instruction that was interrupted, then return addresses. */
struct vg_stack {
    unsigned frames;
    void *frame[VG_STACK_FRAMES];
};

/* Takes the signal over; 0: any that nobody uses. -EBUSY: somebody handles it, or another one was taken over before;
 * -EINVAL: it is not a real-time signal. Before the threads start that are to be asked. */
VG_API int vg_stack_open(int signal);

/* The signal that was taken over; 0: none. */
VG_API int vg_stack_signal(void);

/*
 * Has a thread write down its stack, and call `also` in the same handler; false if it has not begun to do so after
 * `patience`: then it never will. One at a time: false if another thread is asking.
 *
 * If the thread has ended and its number belongs to another one of this process, that one answers. The
 * caller has to make sure afterwards that it was the right one.
 */
VG_API bool vg_stack_take(int thread, struct vg_stack *stack, void (*also)(void *arg), void *arg,
                          uint64_t patience);

/* "program+0x1234 (name+0x12)", as far as the dynamic linker knows. */
VG_API void vg_stack_name(const void *address, char *text, size_t size);

#endif
