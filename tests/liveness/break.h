/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_BREAK_H
#define VIGIL_TESTS_LIVENESS_BREAK_H

#include "real_case.h"
#include "vg_fault.h"

/*
 * For cases of the corpus that a sound scheduler does not have: their programs are the look-alikes. The faults are put into
 * it by fault points, which only debug builds have.
 */

#if VG_FAULTS
static VG_ATOMIC(const char *) broken; /* a fault point */

static inline int break_one(const char *name)
{
    const char *point = vg_load(&broken, acquire);

    return point != NULL && strcmp(name, point) == 0;
}

static inline void install(const char *name)
{
    vg_store(&broken, name, release);
    vg_fault_install(break_one);
}
#endif

#endif
