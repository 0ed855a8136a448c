/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include <stddef.h>

/* One for each file bench_*.c. */
extern const struct bench bench_alone[], bench_depth[], bench_floor[], bench_io[], bench_memory[],
    bench_mutex[], bench_oneshot[], bench_remote[], bench_select[], bench_set[], bench_spawn[],
    bench_timer[], bench_tree[], bench_yield[], bench_scope[], bench_fork[], bench_semaphore[],
    bench_notify[], bench_rwlock[], bench_barrier[], bench_cond[], bench_oncecell[], bench_rate[],
    bench_mpsc[], bench_broadcast[], bench_watch[], bench_stream[], bench_dump[];

const struct bench *const bench_parts[] = {
    bench_floor, bench_alone,     bench_spawn,  bench_yield,  bench_oneshot,
    bench_tree,  bench_remote,    bench_timer,  bench_depth,  bench_select,
    bench_set,   bench_memory,    bench_mutex,  bench_io,     bench_scope,
    bench_fork,  bench_semaphore, bench_notify, bench_rwlock, bench_barrier,
    bench_cond,  bench_oncecell,  bench_rate,   bench_mpsc,   bench_broadcast,
    bench_watch, bench_stream,    bench_dump,   NULL,
};
