/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BASE_H
#define VIGIL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What every other header needs: export and attribute macros, units, places in the source, and the
 * two ways to fail on a programmer's error.
 *
 * Errors  Operations that can fail return a negative errno. A call that breaks its contract panics:
 *         one message with file, line, task and await site on stderr, then abort().
 * Units   Times are uint64_t nanoseconds on CLOCK_MONOTONIC, durations included.
 */

#if !defined(__GNUC__) || !defined(__linux__)
#error "vigil needs gcc >= 12 or clang >= 14 on Linux"
#endif

#define VG_API __attribute__((visibility("default")))
#define VG_MUST_USE __attribute__((warn_unused_result))
#define VG_NORETURN __attribute__((noreturn))
#define VG_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define VG_LIKELY(x) __builtin_expect(!!(x), 1)
#define VG_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define VG_COLD __attribute__((cold, noinline)) /* it stays out of the way of who calls it */

/* An atomic word inside a public struct: C++ sees the plain type, of the same size and alignment. */
#ifndef VG_ATOMIC
#ifdef __cplusplus
#define VG_ATOMIC(T) T
#else
#define VG_ATOMIC(T) _Atomic(T)
#endif
#endif

#define VG_USEC(n) ((uint64_t)(n)*1000u)
#define VG_MSEC(n) ((uint64_t)(n)*1000000u)
#define VG_SEC(n) ((uint64_t)(n)*1000000000u)
#define VG_NEVER UINT64_MAX

#ifndef VG_DEBUG
#define VG_DEBUG 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A place in the program's source. Always static storage. */
struct vg_place {
    const char *file;
    const char *func;
    int line;
};

/* Evaluates to a pointer to a static struct vg_place that describes the line it stands on. */
#ifndef __cplusplus
#define VG_HERE                                                                                    \
    (__extension__({                                                                               \
        static const struct vg_place vg_here_ = {__FILE__, __func__, __LINE__};                    \
        &vg_here_;                                                                                 \
    }))
#endif

/* A spin lock's storage. Only the library's own code locks it; critical sections are a few
 * instructions and never suspend. Zero is unlocked. */
struct vg_spin {
    unsigned value;
};

/* Reports a programmer's error with the running task and its await site, then aborts. */
VG_API VG_NORETURN void vg_panic_at(const char *file, int line, const char *fmt, ...)
    VG_PRINTF(3, 4);

#define vg_panic(...) vg_panic_at(__FILE__, __LINE__, __VA_ARGS__)

/* Kept in release builds: one predictable branch. */
#define VG_ASSERT(x) (VG_LIKELY(x) ? (void)0 : vg_panic("assertion failed: %s", #x))

/* For checks too dear for production. */
#if VG_DEBUG
#define VG_DEBUG_ASSERT(x) VG_ASSERT(x)
#else
#define VG_DEBUG_ASSERT(x) ((void)sizeof(x))
#endif

#ifdef __cplusplus
}
#endif
#endif
