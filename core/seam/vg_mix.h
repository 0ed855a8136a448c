/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_MIX_H
#define VIGIL_SEAM_MIX_H

#include <stdint.h>

/* Spreads a key, such as an address or an id, over 64 bits, of which the upper ones depend on all of it: take those. */
static inline uint64_t vg_mix(uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15); /* 2^64 by the golden ratio (Fibonacci hashing) */
}

#endif
