/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_ACCEPT_H
#define VIGIL_INSTRUMENT_ACCEPT_H

#include <vigil/base.h>

/* Whether the value of an Accept field wants OpenMetrics 1.0 at least as much as plain text. */
bool vg_accept_openmetrics(const char *value, size_t length);

#endif
