/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_TICKS_H
#define VIGIL_SEAM_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/* The processor's counter. It is read without a barrier, so it may be some instructions early or late. */
static inline uint64_t vg_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
#error "x86-64 and ARM64 only"
#endif
}

/* Whether it runs at one rate, and alike on all processors: the kernel's own clock is made of it. Reads a file of the
 * kernel. */
bool vg_ticks_trusted(void);

#endif
