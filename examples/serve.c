/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vigil/jemalloc.h>
#include <vigil/symbols.h>
#include <vigil/tcp.h>
#include <vigil/uring.h>

enum { BACKLOG = 1024 };

static int fail(const struct server *server, const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", server->name, what, strerror(-error));
    return error;
}

static int explain(const struct server *server, int error)
{
    char why[VG_URING_EXPLAIN_SIZE];

    fprintf(stderr, "%s: io_uring: %s\n", server->name, vg_uring_explain(error, why, sizeof why));
    return error;
}

/* Before any thread is made: they inherit the mask. */
static void block_signals(struct server *server)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&server->signals);
    sigaddset(&server->signals, SIGTERM);
    sigaddset(&server->signals, SIGINT);
    sigaddset(&server->signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &server->signals, NULL);
}

static int open_report(struct server *server)
{
    if (server->options.report == NULL)
        return 0;
    server->report = fopen(server->options.report, "we");
    return server->report == NULL ? fail(server, server->options.report, -errno) : 0;
}

static int open_executor(struct server *server)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    int rc;

    rc = vg_uring_open(&server->driver, NULL, &vg_jemalloc);
    if (rc < 0)
        return explain(server, rc);
    watch.symbolize = vg_symbols_name;
    watch.symbolize_arg = server->symbols = vg_symbols_open();
    config.exact_clock = server->options.level == SERVE_LEVEL_EXACT;
    watch.level = config.exact_clock ? VG_LEVEL_FULL : (uint8_t)server->options.level;
    rc = vg_liveness_open(&server->live, &watch);
    if (rc < 0)
        return fail(server, "instruments", rc);
    config.name = server->name;
    config.workers = server->options.workers;
    config.driver = server->driver;
    config.alloc = &vg_jemalloc;
    config.probe = vg_liveness_probe(server->live);
    rc = vg_exec_open(&server->exec, &config);
    if (rc < 0)
        return explain(server, rc);
    server->workers = vg_exec_workers(server->exec);
    return 0;
}

static int open_telemetry(struct server *server)
{
    const char *address = server->options.telemetry;
    int rc;

    if (address == NULL)
        return 0;
    rc = vg_telemetry_open(&server->telemetry, server->live, address, NULL);
    if (rc < 0)
        return fail(server, address, rc);
    printf("telemetry on %s\n", vg_telemetry_address(server->telemetry));
    return 0;
}

/* The first listener finds out which port 0 is; the others need to be told. */
static int listen_on(struct server *server, struct listener *listener)
{
    const char *colon = strrchr(server->address, ':');
    int port;

    listener->fd = vg_tcp_listen(server->address, BACKLOG);
    if (listener->fd < 0)
        return fail(server, server->address, listener->fd);
    port = vg_tcp_port(listener->fd);
    snprintf(server->address, sizeof server->address, "%.*s:%d", (int)(colon - server->address),
             server->options.listen, port);
    return 0;
}

static int open_listeners(struct server *server)
{
    int rc = 0;

    snprintf(server->address, sizeof server->address, "%s", server->options.listen);
    for (unsigned i = 0; i < server->workers && rc == 0; i++)
        rc = listen_on(server, &server->listener[i]);
    for (unsigned i = 0; i < server->workers && rc == 0; i++) {
        rc = serve_accept(server, &server->listener[i]);
        if (rc < 0)
            fail(server, "cannot start accepting", rc);
    }
    return rc;
}

static void wait_for_end(struct server *server)
{
    int signal_number;

    while (sigwait(&server->signals, &signal_number) != 0 || signal_number == SIGUSR1) {
        serve_report_text(server, stdout);
        fflush(stdout);
    }
}

/* True: no acceptor has failed. */
static bool close_executor(struct server *server)
{
    bool accepted = true;

    if (server->exec != NULL)
        server->tasks_left = vg_exec_close(server->exec, VG_SEC(server->options.drain_s));
    server->exec = NULL;
    for (unsigned i = 0; i < server->workers; i++)
        accepted = server->listener[i].error == 0 && accepted;
    return accepted;
}

/* Last of all: what should have gone by now. True: nothing is left. */
static bool end(struct server *server, unsigned descriptors)
{
    const uint64_t operations = serve_operations(server);
    unsigned now;

    vg_telemetry_close(server->telemetry);
    vg_liveness_close(server->live);
    vg_symbols_close(server->symbols);
    vg_uring_close(server->driver);
    now = serve_descriptors();
    now = now > descriptors ? now - descriptors : 0;
    if (server->workers > 0)
        printf("left behind: %d tasks, %" PRIu64 " operations, %u descriptors\n",
               server->tasks_left, operations, now);
    return server->tasks_left == 0 && operations == 0 && now == 0;
}

static bool end_report(struct server *server)
{
    bool written = true;

    if (server->report_text != NULL)
        server->report_text(server, stdout);
    serve_report_text(server, stdout);
    if (server->report != NULL)
        written = serve_report_file(server) == 0;
    return written;
}

int serve(struct server *server, int argc, char **argv)
{
    const int usage = serve_args(server, argc, argv);
    const unsigned descriptors = serve_descriptors();
    bool ok;

    if (usage != SERVE_OK)
        return usage < 0 ? SERVE_OK : usage;
    block_signals(server);
    ok = open_report(server) == 0 && open_executor(server) == 0 && open_telemetry(server) == 0 &&
         open_listeners(server) == 0;
    if (ok) {
        printf("listening on %s\n", server->address);
        fflush(stdout);
        wait_for_end(server);
        printf("%s: draining\n", server->name);
        fflush(stdout);
    }
    ok = close_executor(server) && ok;
    if (server->workers > 0)
        ok = end_report(server) && ok;
    ok = end(server, descriptors) && ok;
    return ok ? SERVE_OK : SERVE_FAILED;
}
