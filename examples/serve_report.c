/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include <vigil/uring.h>

enum { DESCRIPTORS_MAX = 1 << 16 }; /* looked at */

static void put_uring(struct server *server, FILE *out)
{
    struct vg_uring_stats stats;

    for (unsigned i = 0; i < server->workers; i++) {
        if (vg_uring_stats(server->driver, i, &stats) < 0)
            continue;
        fprintf(out,
                "%s{\"inflight\":%" PRIu64 ",\"abandoned\":%" PRIu64 ",\"submissions\":%" PRIu64
                ",\"completions\":%" PRIu64 ",\"enters\":%" PRIu64 ",\"parks\":%" PRIu64
                ",\"cancels\":%" PRIu64 ",\"doorbells\":%" PRIu64 ",\"cq_overflows\":%" PRIu64 "}",
                i > 0 ? "," : "", (uint64_t)stats.inflight, (uint64_t)stats.abandoned,
                stats.submissions, stats.completions, stats.enters, stats.parks, stats.cancels,
                stats.doorbells, stats.cq_overflows);
    }
}

static void put_accepted(const struct server *server, FILE *out)
{
    uint64_t accepted = 0, pauses = 0, full = 0, most = 0;

    for (unsigned i = 0; i < server->workers; i++) {
        accepted += server->listener[i].accepted;
        pauses += server->listener[i].pauses;
        full += server->listener[i].full;
        if (most < server->listener[i].most)
            most = server->listener[i].most;
    }
    fprintf(out,
            "\"accepted\":%" PRIu64 ",\"accept_pauses\":%" PRIu64 ",\"accept_full\":%" PRIu64
            ",\"most_connections\":%" PRIu64,
            accepted, pauses, full, most);
}

unsigned serve_descriptors(void)
{
    struct rlimit limit = {0};
    unsigned count = 0;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    for (unsigned fd = 0; fd < limit.rlim_cur && fd < DESCRIPTORS_MAX; fd++)
        if (fcntl((int)fd, F_GETFD) >= 0)
            count++;
    return count;
}

uint64_t serve_operations(struct server *server)
{
    struct vg_uring_stats stats;
    uint64_t sum = 0;

    for (unsigned i = 0; i < server->workers; i++)
        if (vg_uring_stats(server->driver, i, &stats) == 0)
            sum += (uint64_t)stats.inflight + (uint64_t)stats.abandoned;
    return sum;
}

void serve_report_text(struct server *server, FILE *out)
{
    struct vg_snapshot *snapshot;

    if (vg_snapshot(server->live, &snapshot) < 0)
        return;
    vg_snapshot_text(snapshot, out);
    vg_snapshot_free(snapshot);
}

/* The address was accepted by vg_tcp_parse(), so it needs no quoting. */
static void put_report(struct server *server, const struct vg_snapshot *snapshot, FILE *out)
{
    fprintf(out, "{\"program\":\"%s\",\"listen\":\"%s\",\"workers\":%u,", server->name,
            server->address, server->workers);
    put_accepted(server, out);
    if (server->report_json != NULL) {
        fputs(",\n\"server\":", out);
        server->report_json(server, out);
    }
    fputs(",\n\"uring\":[", out);
    put_uring(server, out);
    fputs("],\n\"liveness\":", out);
    vg_snapshot_json(snapshot, out);
    fputs("}\n", out);
}

int serve_report_file(struct server *server)
{
    struct vg_snapshot *snapshot;
    int rc = vg_snapshot(server->live, &snapshot);

    if (rc == 0) {
        put_report(server, snapshot, server->report);
        vg_snapshot_free(snapshot);
        if (ferror(server->report))
            rc = -EIO;
    }
    if (fclose(server->report) != 0 && rc == 0)
        rc = -errno;
    server->report = NULL;
    if (rc < 0)
        fprintf(stderr, "%s: %s: %s\n", server->name, server->options.report, strerror(-rc));
    return rc;
}
