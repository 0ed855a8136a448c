/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TELEMETRY_H
#define VIGIL_TELEMETRY_H

#include <vigil/alloc.h>
#include <vigil/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the instruments know, over HTTP, on this machine only.
 *
 *     struct vg_telemetry *telemetry;
 *
 *     rc = vg_telemetry_open(&telemetry, live, "127.0.0.1:9464", NULL);
 *     ...
 *     vg_telemetry_close(telemetry);
 *
 *     curl http://127.0.0.1:9464/metrics
 *
 * /metrics        Prometheus' text format, or OpenMetrics 1.0 if the request prefers that. docs/telemetry.md lists
 *                 every metric.
 * /tasks          every task: what it waits for, as a tree, or how long it has been queued; text
 * /tasks.json     the same as JSON
 * /verdicts       what is wrong now, and the last reports; JSON
 * /               an index
 *
 * There is no endpoint unless the program opens one. It runs on a thread of its own, over poll(2), without the
 * executor: it answers when every worker is stuck.
 *
 * Requests  GET and HEAD of these paths. Others: 404; other methods: 405; what is no HTTP/1 request, or names a
 *           host that is not this machine (a page that a browser was tricked into): 400; a head of more than 8 KiB:
 *           431; more than VG_TELEMETRY_CONNECTIONS at once, or no memory: 503. One response a connection.
 * Limits    A second (`patience`) for the request and another for reading the response, then the connection is
 *           reset. A page ends at page_max bytes; /tasks says how many tasks are left out, /metrics is refused
 *           with 503. The 64 busiest await sites have series of their own, from their first scrape on; further
 *           ones are site="other".
 * Privacy   No addresses of memory, no payload, no environment, no arguments. Names of types, functions, files
 *           and resources, as the program spells them, escaped and cut off.
 * Memory    Four pages at most, from the allocation hooks, and about 200 KiB.
 * Threads   vg_telemetry_open() and vg_telemetry_close() from any thread, inside vg_liveness_open() and
 *           vg_liveness_close(). The executor may come and go meanwhile; vg_exec_open() and vg_exec_close()
 *           wait for a page that is being made.
 * Ordering  As vg_snapshot(): numbers are read while they are written.
 * Cost      Nothing until asked. /metrics is a vg_snapshot(). /tasks holds each idle task for the copy of up to
 *           40 futures, a few microseconds, during which a wake of that task waits; it never holds two. Whoever
 *           may connect can keep one processor busy: prefer a Unix socket where others use the machine.
 */

struct vg_liveness;
struct vg_pool;
struct vg_telemetry;

enum { VG_TELEMETRY_CONNECTIONS = 4, VG_TELEMETRY_POOLS = 8 };

struct vg_telemetry_config {
    const struct vg_alloc *alloc; /* of pages, from the endpoint's thread; NULL: vg_alloc_default */
    size_t page_max;              /* bytes; 0: 8 MiB */
    uint64_t patience;            /* for a request, and again for its response; 0: a second */
    /* Pools of threads (<vigil/pool.h>) whose figures /metrics shows: at most VG_TELEMETRY_POOLS, read by vg_telemetry_open() only. The
     * pools outlive the endpoint. */
    struct vg_pool *const *pools;
    unsigned pools_count;
};

/*
 * Listens on `address`:
 *
 *     "127.0.0.1:9464"   or any other address in 127/8
 *     "[::1]:9464"       port 0: any free one
 *     "unix:PATH"        a socket for this user alone (mode 0600 from the start). One that nobody listens on is
 *                        replaced. It is removed at the end.
 *
 * -EINVAL: none of these, or too many pools. -EACCES: the address is not this machine's alone, or the directory forbids it.
 * -EADDRINUSE: somebody listens there. -EEXIST: something else than a socket is at PATH. -ENAMETOOLONG: PATH has
 * more than 107 bytes. -ENOMEM; -EAGAIN: no thread; -EMFILE, or what socket(2) and bind(2) fail with.
 */
VG_API VG_MUST_USE int vg_telemetry_open(struct vg_telemetry **telemetry, struct vg_liveness *live,
                                         const char *address,
                                         const struct vg_telemetry_config *config);

/* Where it listens, as above, with the port that 0 became. Valid until the close. */
VG_API const char *vg_telemetry_address(const struct vg_telemetry *telemetry);

/* Closes all connections and ends the thread, after the page it is at. NULL does nothing. */
VG_API void vg_telemetry_close(struct vg_telemetry *telemetry);

#ifdef __cplusplus
}
#endif
#endif
