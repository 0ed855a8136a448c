/* SPDX-License-Identifier: MIT */
#include "vg_fault.h"

#if VG_FAULTS

#include <stddef.h>

#include "vg_atomic.h"

static VG_ATOMIC(vg_fault_hook) installed;

void vg_fault_install(vg_fault_hook hook)
{
    vg_store(&installed, hook, release);
}

int vg_fault_fire(const char *name)
{
    const vg_fault_hook hook = vg_load(&installed, acquire); /* pairs with vg_fault_install() */

    return hook != NULL ? hook(name) : 0;
}

#endif
