/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_FAULT_H
#define VIGIL_SEAM_FAULT_H

#include <vigil/base.h>

/*
 * Named points where a test may widen a race or make a step fail. VG_FAULT("name") is a constant 0 unless
 * the tree is built with VG_FAULTS, where it asks the installed hook: nonzero means "fail here".
 */
#if VG_FAULTS
typedef int (*vg_fault_hook)(const char *name);
VG_API void vg_fault_install(vg_fault_hook hook);
VG_API int vg_fault_fire(const char *name);
#define VG_FAULT(name) vg_fault_fire(name)
#else
#define VG_FAULT(name) 0
#endif

#endif
