/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_SET_H
#define VIGIL_CORE_SET_H

#include <vigil/set.h>

/* Takes out what ended first. There is something. */
struct vg_set_item *vg_set_take_ended(struct vg_set *set);

#endif
