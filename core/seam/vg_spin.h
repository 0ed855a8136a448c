/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_VG_SPIN_H
#define VIGIL_CORE_VG_SPIN_H

/*
 * The lock behind wait lists and other critical sections of a few instructions: nothing inside may
 * suspend, allocate, enter the kernel or take a second lock unless the place says in which order.
 *
 * It is ck's fetch-and-store lock. A waiter looks at it now and then, then backs off, then yields the processor: with
 * more threads than cores the holder may be descheduled, and spinning on would only keep it off. It does not look all
 * the time, for a lock that two fight for is quicker if each has it several times in a row: what it guards then stays in
 * that one's cache. A channel from 8 tasks to one on two processors carries 1.7 to 2.3 times as much that way.
 *
 * Threads   Any. Not recursive. Not for signal handlers.
 * Ordering  What precedes vg_spin_unlock() happens before what follows the next successful lock. The
 *           unlocking store is the last access to the lock, so whoever takes it next may free it.
 */

#include <stdbool.h>

#include <vigil/base.h>

#include "vg_atomic.h"

#ifdef VG_EXPLORE

#include "explore.h"

#define vg_spin_look_again(looks) ((void)(looks), vg_pause())

#define vg_spin_lock(spin) mc_lock((spin), MC_SITE("lock " #spin))
#define vg_spin_trylock(spin) mc_trylock((spin), MC_SITE("trylock " #spin))
#define vg_spin_unlock(spin) mc_unlock((spin), MC_SITE("unlock " #spin))

#else

#include <ck_backoff.h>
#include <ck_spinlock.h>

#include "vg_os.h"

/* ck's lock is inline assembly, which ThreadSanitizer cannot see: tell it. */
#if VG_TSAN
#include <sanitizer/tsan_interface.h>
#define VG_SPIN_NOTE_(call) call
#else
#define VG_SPIN_NOTE_(call) ((void)0)
#endif

#if defined(__aarch64__) && defined(CK_MD_TSO)
#error "ck_md.h is that of another architecture: its barriers would compile to nothing"
#endif

_Static_assert(sizeof(struct vg_spin) == sizeof(ck_spinlock_fas_t), "vg_spin is a ck_spinlock");
_Static_assert(_Alignof(struct vg_spin) == _Alignof(ck_spinlock_fas_t), "vg_spin is a ck_spinlock");

enum {
    VG_SPIN_GAP_ = 16,             /* between two looks: half a microsecond or so */
    VG_SPIN_ROUNDS_ = 8,           /* looks before the first back-off */
    VG_SPIN_BACKOFF_MAX_ = 1 << 12 /* empty iterations; beyond that the holder does not run */
};

static inline ck_spinlock_fas_t *vg_spin_ck_(struct vg_spin *spin)
{
    return (ck_spinlock_fas_t *)(void *)spin;
}

static inline bool vg_spin_try_rounds_(ck_spinlock_fas_t *lock)
{
    for (int i = 0; i < VG_SPIN_ROUNDS_; i++) {
        if (!ck_spinlock_fas_locked(lock) && ck_spinlock_fas_trylock(lock))
            return true;
        for (int n = 0; n < VG_SPIN_GAP_; n++)
            ck_pr_stall();
    }
    return false;
}

/* Out of line: the lock is free nearly always. Ends when the holder, whose section is short, has run. */
static __attribute__((noinline, unused)) void vg_spin_wait_(ck_spinlock_fas_t *lock)
{
    ck_backoff_t backoff = CK_BACKOFF_INITIALIZER;

    while (!vg_spin_try_rounds_(lock)) {
        if (backoff < VG_SPIN_BACKOFF_MAX_)
            ck_backoff_eb(&backoff);
        else
            vg_os_yield();
    }
}

static inline void vg_spin_lock(struct vg_spin *spin)
{
    VG_SPIN_NOTE_(__tsan_mutex_pre_lock(spin, __tsan_mutex_linker_init));
    if (!ck_spinlock_fas_trylock(vg_spin_ck_(spin)))
        vg_spin_wait_(vg_spin_ck_(spin));
    VG_SPIN_NOTE_(__tsan_mutex_post_lock(spin, __tsan_mutex_linker_init, 0));
}

static inline bool vg_spin_trylock(struct vg_spin *spin)
{
    bool ok;

    VG_SPIN_NOTE_(__tsan_mutex_pre_lock(spin, __tsan_mutex_try_lock));
    ok = ck_spinlock_fas_trylock(vg_spin_ck_(spin));
    VG_SPIN_NOTE_(__tsan_mutex_post_lock(
        spin, __tsan_mutex_try_lock | (ok ? 0 : __tsan_mutex_try_lock_failed), 0));
    return ok;
}

static inline void vg_spin_unlock(struct vg_spin *spin)
{
    VG_SPIN_NOTE_(__tsan_mutex_pre_unlock(spin, 0));
    ck_spinlock_fas_unlock(vg_spin_ck_(spin));
    VG_SPIN_NOTE_(__tsan_mutex_post_unlock(spin, 0));
}

/* For who waits for a word that another thread changes within a few instructions: unless it has been taken off its processor. */
static inline void vg_spin_look_again(unsigned *looks)
{
    if ((*looks)++ < VG_SPIN_ROUNDS_ * VG_SPIN_GAP_)
        vg_pause();
    else
        vg_os_yield();
}

#endif
#endif
