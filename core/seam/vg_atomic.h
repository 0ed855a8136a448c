/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_VG_ATOMIC_H
#define VIGIL_CORE_VG_ATOMIC_H

/*
 * Atomic operations. The only file of the library that may include <stdatomic.h>.
 *
 *     uint32_t head = vg_load(&q->head, acquire);       (pairs with the release store in push)
 *     vg_store(&q->tail, tail + 1, release);
 *     if (vg_cas(&w->state, &seen, seen | OWNED, acq_rel, acquire))
 *         ...
 *
 * The memory order is written as a bare token: relaxed, acquire, release, acq_rel or seq_cst. There are
 * no implicit orders and no operators on atomics, so an order is always there to be read and argued about.
 *
 * vg_load, vg_store      as they say
 * vg_xchg                returns the old value
 * vg_cas                 strong: fails only if *expected differs, and then stores what it saw there
 * vg_fetch_add, _sub, _or, _and   return the old value
 * vg_fence               full fence; the only kind allowed. It orders an earlier store before a later
 *                        load and carries no hand-over: publish data with a release store
 * vg_pause               tells the processor that this is a spin loop
 * VG_RD(p), VG_WR(p)     mark a plain read or write of *p that another thread made, or will make, visible
 *                        through an atomic. Nothing in a build; the race check of the explorer
 *
 * A build with -DVG_EXPLORE sends all of them to the explorer (tests/explore/explore.h), which runs the
 * same source under every schedule and every stale read the memory model allows.
 */

#include <vigil/base.h>

#ifdef VG_EXPLORE
#include "explore.h"
#else

#include <stdatomic.h>

#include <ck_pr.h>

#include "vg_sanitizer.h"

#define vg_load(p, order) atomic_load_explicit((p), memory_order_##order)
#define vg_store(p, v, order) atomic_store_explicit((p), (v), memory_order_##order)
#define vg_xchg(p, v, order) atomic_exchange_explicit((p), (v), memory_order_##order)
#define vg_fetch_add(p, v, order) atomic_fetch_add_explicit((p), (v), memory_order_##order)
#define vg_fetch_sub(p, v, order) atomic_fetch_sub_explicit((p), (v), memory_order_##order)
#define vg_fetch_or(p, v, order) atomic_fetch_or_explicit((p), (v), memory_order_##order)
#define vg_fetch_and(p, v, order) atomic_fetch_and_explicit((p), (v), memory_order_##order)
#define vg_cas(p, expected, v, order, order_failed)                                                \
    atomic_compare_exchange_strong_explicit((p), (expected), (v), memory_order_##order,            \
                                            memory_order_##order_failed)

/*
 * x86-64: a locked operation on the top of the stack is a full fence at a tenth of the cost of the mfence
 * that clang 14 emits. ThreadSanitizer ignores either form (gcc warns: the build passes -Wno-tsan). Nothing
 * here relies on a fence for a hand-over, so that hides no race and reports no false one.
 */
static inline void vg_fence(void)
{
#if defined(__x86_64__) && !VG_TSAN
    __asm__ __volatile__("lock; orl $0, (%%rsp)" ::: "memory", "cc");
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline void vg_pause(void)
{
    ck_pr_stall();
}

#define VG_RD(p) ((void)0)
#define VG_WR(p) ((void)0)

#endif
#endif
