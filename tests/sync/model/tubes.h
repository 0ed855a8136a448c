/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_MODEL_TUBES_H
#define VIGIL_TESTS_MODEL_TUBES_H

#include <vigil/mpmc.h>
#include <vigil/mpsc.h>
#include <vigil/unbounded.h>

enum { VALUES = 512, CAPACITY = 3, SENDERS = 8 };

/* What has become of the values of a channel: they count up from 1, and each sender's go in order. */
enum fate { FATE_NONE, FATE_PENDING, FATE_SENT, FATE_REFUSED, FATE_RECEIVED };

struct tube {
    uint32_t values; /* so far */
    uint8_t fate[VALUES], sender[VALUES];
    uint32_t last[SENDERS]; /* received, of each sender */
    unsigned received;
};

struct tubes {
    struct vg_mpsc mpsc;
    struct vg_unbounded unbounded;
    struct vg_mpmc mpmc;
    uint32_t slots[2][CAPACITY];
    struct tube mpsc_tube, unbounded_tube, mpmc_tube;
};

#endif
