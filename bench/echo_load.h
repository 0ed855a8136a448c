/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_ECHO_LOAD_H
#define VIGIL_BENCH_ECHO_LOAD_H

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The parts of echo_load that do no I/O: options, and what is counted. Times in nanoseconds. */

struct load_options {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    pid_t pid;          /* the server's; 0: its processor time is not measured */
    const char *thread; /* also count the server's threads of this name apart; NULL: none */
    unsigned connections, size;
    uint64_t warm_up_ns, run_ns;
    uint64_t requests; /* 0: as many as the time allows */
};

/* Processor time, and what it was spent on. */
struct load_usage {
    uint64_t server_ns;              /* all threads */
    uint64_t user_ms10, system_ms10; /* the same, in ticks of 10 ms as the kernel counts them */
    uint64_t thread_ns;              /* the threads of the given name */
    uint64_t sleeps;                 /* times a thread of the server had nothing to do */
    uint64_t load_ns;                /* of this process */
};

/* Latencies fall into classes 1/32 wide. */
enum { LOAD_CLASSES = 64 * 32 };

struct load_figures {
    uint64_t requests, ns;
    uint64_t longest_ns;
    uint32_t latency[LOAD_CLASSES];
    struct load_usage usage;
};

/* echo_load_options.c. -1: said on stderr what is wrong. */
int load_parse(struct load_options *options, int argc, char **argv);

/* echo_load_usage.c. Failure, as when the server is gone, ends the process. */
void load_usage(struct load_usage *usage, const struct load_options *options);
void load_difference(struct load_usage *usage, const struct load_usage *after,
                     const struct load_usage *before);

/* echo_load_figures.c */
void load_record(struct load_figures *figures, uint64_t latency_ns);
void load_print(const struct load_figures *figures, const struct load_options *options, FILE *out);

#endif
