/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SEAM_FAULT_H
#define VIGIL_SEAM_FAULT_H

#include <vigil/base.h>

/*
 * Named points where a test may widen a race or make a step fail. VG_FAULT("name") is a constant 0 unless
 * the tree is built with VG_FAULTS, as debug builds are; there it asks the hook that a test has installed (NULL:
 * none), on whatever thread comes by: nonzero means "fail here"; at those marked with *, a negative errno
 * says how.
 *
 * slab, slots     no memory for tasks; none for waker slots
 * thread          no more threads
 * reserve, watchdog   no address space for the instruments; no thread for their watchdog
 * telemetry       no thread for the endpoint
 * bell*, ring*    a worker's doorbell or its ring is not to be had
 * register        a thread may not register its ring's descriptor
 * enter*          the kernel takes nothing of what is to be submitted
 * fired           a waker has won its slot and has not woken yet (nonzero: it never does)
 * push, notify    a wake: stamped and not pushed; pushed, and its task not queued
 * disarm          a waiter or slot is about to be taken back although it was woken
 * advance         a worker with tasks goes on without a look at its timers and its driver
 * lifo            the private slot is not capped
 * rescue          nobody is told of what waits behind a long poll
 * end, ended      before and after a poll gives its task back
 */
#if VG_FAULTS && !defined(VG_EXPLORE)
typedef int (*vg_fault_hook)(const char *name);
VG_API void vg_fault_install(vg_fault_hook hook);
VG_API int vg_fault_fire(const char *name);
#define VG_FAULT(name) vg_fault_fire(name)
#else
#define VG_FAULT(name) 0
#endif

#endif
