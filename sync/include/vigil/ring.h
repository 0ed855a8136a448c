/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_RING_H
#define VIGIL_RING_H

#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What bounded channels keep their values in. Complete only so that channels can be embedded: programs have no
 * use for it, and its members are private.
 */

/* Values of one size in the order in which they came. Guarded by the guard of the channel. */
struct vg_ring {
    unsigned char *slots;
    uint32_t size; /* bytes of a value */
    uint32_t capacity;
    uint32_t head; /* slot of the oldest value */
    uint32_t length;
};

#ifdef __cplusplus
}
#endif
#endif
