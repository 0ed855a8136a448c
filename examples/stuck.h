/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_EXAMPLES_STUCK_H
#define VIGIL_EXAMPLES_STUCK_H

#include <vigil/exec.h>

/* Each starts tasks that get stuck in its own way. Negative errno: none, or not all, were started. */
int stuck_sleep(struct vg_exec *exec);
int stuck_compute(struct vg_exec *exec);
int stuck_endless(struct vg_exec *exec);
int stuck_forget(struct vg_exec *exec);
int stuck_spin(struct vg_exec *exec);
int stuck_cross(struct vg_exec *exec);

#endif
