/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_TBB_OUTSIDE_H
#define VIGIL_BENCH_TBB_OUTSIDE_H

#include "peer.h"

/* outside.cc: see bench/peers/README.md. */
peer_run remote_spawn_idle(unsigned workers);
peer_run remote_spawn_busy(unsigned workers);

#endif
