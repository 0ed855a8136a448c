/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_EXAMPLES_SERVE_H
#define VIGIL_EXAMPLES_SERVE_H

#include <signal.h>
#include <stdio.h>

#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/telemetry.h>

/*
 * What every server does besides its protocol: options, listeners, accepting, signals, draining, and the
 * report of the instruments.
 *
 *     static int greet(struct server *server, int fd)
 *     {
 *         return VG_SPAWN(server->exec, NULL, session, fd);
 *     }
 *     int main(int argc, char **argv)
 *     {
 *         struct server server = {.name = "greeter", .connect = greet};
 *         return serve(&server, argc, argv);
 *     }
 *
 * SIGTERM and SIGINT end the server: it accepts no more, all connections are cancelled, and it exits when
 * they have ended or the drain deadline has passed. SIGUSR1 prints what the instruments have measured.
 * Signals are blocked in all threads and taken by the main thread, which does nothing else. The last line it
 * prints says what was left behind; if anything was, the exit code is 1.
 *
 * Threads  connect() is called by the workers, the rest by the main thread.
 */

/* Exit codes. */
enum { SERVE_OK = 0, SERVE_FAILED = 1, SERVE_USAGE = 2 };

/* Beyond the instruments' own levels: each wait is timed to the poll (vg_config.exact_clock). */
enum { SERVE_LEVEL_EXACT = VG_LEVEL_FULL + 1 };

struct serve_options {
    const char *listen;    /* ADDR:PORT */
    unsigned workers;      /* 0: as many as the machine allows */
    unsigned connections;  /* served at once; 0: as many as there are descriptors for */
    unsigned drain_s;      /* how long connections may take to end after SIGTERM */
    const char *report;    /* file for the report as JSON; NULL: none */
    unsigned level;        /* of the instruments: VG_LEVEL_*, or SERVE_LEVEL_EXACT */
    const char *telemetry; /* where to serve what is measured; NULL: nowhere */
};

/* A limit of the program's own: a number with an option, --NAME N. */
struct serve_limit {
    const char *name;
    const char *what; /* for --help */
    unsigned min, max;
    unsigned value; /* by default; serve_args() puts here what was asked for */
};

/* One for each worker: the kernel divides new connections among listeners of the same address. */
struct listener {
    int fd;            /* the acceptor's, once it runs */
    int error;         /* what ended the acceptor; 0: the drain */
    uint64_t accepted; /* connections that were started */
    uint64_t pauses;   /* times it waited because descriptors or memory had run out */
    uint64_t full;     /* times it waited because as many connections as may be were served */
    uint64_t most;     /* connections of the server, seen when one was started here */
};

enum { SERVE_LIMITS_MAX = 8 };

struct server {
    /* the program's */
    const char *name;
    /* Starts the task of a connection. Negative errno: none runs, and the descriptor is still the caller's. */
    int (*connect)(struct server *server, int fd);
    struct serve_limit *limits; /* up to SERVE_LIMITS_MAX; NULL: none */
    unsigned limit_count;
    /* Own figures, asked for when all tasks have ended; may be NULL. JSON: one object. */
    void (*report_text)(struct server *server, FILE *out);
    void (*report_json)(struct server *server, FILE *out);

    /* serve()'s */
    struct serve_options options;
    struct vg_driver *driver;
    struct vg_liveness *live;
    struct vg_telemetry *telemetry;
    struct vg_symbols *symbols;
    struct vg_exec *exec;
    unsigned workers;
    struct listener listener[VG_WORKERS_MAX];
    char address[128]; /* as bound: with the port that 0 became */
    FILE *report;
    int tasks_left; /* when the drain deadline passed */
    sigset_t signals;
};

/* The whole life of a server. Returns the exit code. */
int serve(struct server *server, int argc, char **argv);

/* Reads the command line into the options and limits. SERVE_OK, or SERVE_USAGE after a line on stderr; -1: help
 * was asked for and printed. */
int serve_args(struct server *server, int argc, char **argv);

/* Starts a task that accepts on the listener until it is cancelled, then closes it. */
int serve_accept(struct server *server, struct listener *listener);

/* How many descriptors the process has. */
unsigned serve_descriptors(void);

/* Operations that the kernel has not given back. */
uint64_t serve_operations(struct server *server);

/* What was measured, for people on `out`, and for programs in the file that --report names. */
void serve_report_text(struct server *server, FILE *out);
int serve_report_file(struct server *server);

#endif
