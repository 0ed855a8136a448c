/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_BUSY_H
#define VIGIL_TESTS_LIVENESS_BUSY_H

#include "quiet.h"

/* For programs that are always busy: a step takes some time, or the clock would stand still. */

enum { DRIFT = 10000, ROUGH = 200000, SPINS = 10 };

static inline void open_lab(struct lab *lab, uint64_t seed)
{
    lab_open(lab, seed, true);
    lab->sim.limits.drift_ns = DRIFT;
}

#endif
