/* SPDX-License-Identifier: MIT */
#include "echo_reference.h"

#include <errno.h>

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vigil/tcp.h>

enum { WORKERS_MAX = 64 };

struct worker {
    pthread_t thread;
    int listener;
    void (*serve)(int listener);
};

_Noreturn void echo_die(const char *what, int error)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(error));
    _exit(1);
}

static void *run(void *arg)
{
    struct worker *worker = (struct worker *)arg;

    worker->serve(worker->listener);
    return NULL;
}

/* The first finds out which port 0 is. */
static int listen_on(char *address, size_t size)
{
    const int fd = vg_tcp_listen(address, ECHO_BACKLOG);
    char *colon = strrchr(address, ':');

    if (fd < 0)
        echo_die(address, -fd);
    snprintf(colon, size - (size_t)(colon - address), ":%d", vg_tcp_port(fd));
    return fd;
}

static void start(struct worker *worker, int workers, char *address, size_t size)
{
    for (int i = 0; i < workers; i++)
        worker[i].listener = listen_on(address, size);
    for (int i = 0; i < workers; i++) {
        const int error = pthread_create(&worker[i].thread, NULL, run, &worker[i]);

        if (error != 0)
            echo_die("pthread_create", error);
    }
}

static int parse(int argc, char **argv, char *address, size_t size, int *workers)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'l')
            snprintf(address, size, "%s", optarg);
        else if (option == 'w')
            *workers = atoi(optarg);
        else
            return -1;
    }
    return optind == argc && strchr(address, ':') != NULL && *workers >= 1 &&
                   *workers <= WORKERS_MAX
               ? 0
               : -1;
}

int echo_reference(int argc, char **argv, void (*serve)(int listener))
{
    static struct worker worker[WORKERS_MAX];
    char address[128] = "127.0.0.1:8080";
    int workers = 1, signal_number;
    sigset_t signals;

    if (parse(argc, argv, address, sizeof address, &workers) < 0) {
        fprintf(stderr, "usage: %s [--listen ADDR:PORT] [--workers N]\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < workers; i++)
        worker[i].serve = serve;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    start(worker, workers, address, sizeof address);
    printf("listening on %s\n", address);
    fflush(stdout);
    sigwait(&signals, &signal_number);
    _exit(
        0); /* the kernel holds the only pointers to connections: a leak check would report them */
}
