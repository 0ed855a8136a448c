/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_PANIC_H
#define VIGIL_TESTS_PANIC_H

#include "harness.h"

/*
 * For CHECK_PANICS: a panic at a line of `file` with that message, in a task that this file has spawned and that
 * polls a future `polled`, at an await of this file. What follows it is the awaited expression.
 *
 *     CHECK_PANICS(PANIC("sync/mutex.c", "mutex db is free", "unlocker", "unlocker") "vg_sleep(", ...);
 */
#define PANIC(file, message, task, polled)                                                         \
    PANIC_IN_TASK(file, message, task, polled) ", at " __FILE__ ":...: "

/* The same before the first await. */
#define PANIC_IN_TASK(file, message, task, polled)                                                 \
    "vigil: panic at " file ":...: " message "...vigil:   in task " task ", spawned at " __FILE__  \
    ":..., polling " polled

#endif
