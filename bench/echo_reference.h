/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_BENCH_ECHO_REFERENCE_H
#define VIGIL_BENCH_ECHO_REFERENCE_H

#include <stdint.h>

/*
 * Echo servers written by hand, to compare examples/echo_server with: no runtime, no tasks, only the loop that somebody
 * who knows the interface well would write. All take --listen ADDR:PORT and --workers N, listen with
 * SO_REUSEPORT once a thread, send without delay, receive up to ECHO_SIZE bytes at a time, and send back every byte in
 * order, however it arrives and however slowly it is taken.
 */

enum { ECHO_SIZE = 4096, ECHO_BACKLOG = 1024 };

/*
 * The main function of such a server. Runs serve(listener), which never returns, on a thread for each worker, and prints
 * "listening on ADDR:PORT". Ends the process on SIGTERM or SIGINT, without ceremony. Returns the exit code.
 */
int echo_reference(int argc, char **argv, void (*serve)(int listener));

/* Prints what failed and the error, a positive errno, and ends the process. */
_Noreturn void echo_die(const char *what, int error);

#endif
