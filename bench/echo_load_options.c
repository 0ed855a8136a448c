/* SPDX-License-Identifier: MIT */
#include "echo_load.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>

#include <vigil/tcp.h>

static bool number(const char *text, double most, double *value)
{
    char *end;

    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= 0 && *value <= most;
}

static bool whole(const char *text, unsigned most, unsigned *value)
{
    double parsed;

    if (!number(text, most, &parsed) || parsed < 1)
        return false;
    *value = (unsigned)parsed;
    return true;
}

static bool seconds(const char *text, uint64_t *ns)
{
    double parsed;

    if (!number(text, 3600, &parsed))
        return false;
    *ns = (uint64_t)(parsed * 1e9);
    return true;
}

static bool address(struct load_options *options, const char *text)
{
    const int len = vg_tcp_parse(text, &options->addr);

    options->addr_len = (socklen_t)(len > 0 ? len : 0);
    return len > 0;
}

static bool parse_option(struct load_options *options, int option, const char *value)
{
    unsigned n = 0;

    switch (option) {
    case 'a':
        return address(options, value);
    case 'c':
        return whole(value, 10000, &options->connections);
    case 'b':
        return whole(value, 1 << 20, &options->size);
    case 'w':
        return seconds(value, &options->warm_up_ns);
    case 's':
        return seconds(value, &options->run_ns);
    case 't':
        options->thread = value;
        return true;
    case 'p':
    case 'n':
        if (!whole(value, 1u << 31, &n))
            return false;
        if (option == 'p')
            options->pid = (pid_t)n;
        else
            options->requests = n;
        return true;
    default:
        return false;
    }
}

int load_parse(struct load_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"connect", required_argument, NULL, 'a'},
        {"pid", required_argument, NULL, 'p'},
        {"connections", required_argument, NULL, 'c'},
        {"size", required_argument, NULL, 'b'},
        {"warm-up", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"requests", required_argument, NULL, 'n'},
        {"thread", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    int option;
    bool ok = true;

    *options = (struct load_options){
        .connections = 50, .size = 64, .warm_up_ns = 200000000, .run_ns = 1000000000};
    while (ok && (option = getopt_long(argc, argv, "", known, NULL)) != -1)
        ok = option != '?' && parse_option(options, option, optarg);
    if (ok && optind == argc && options->addr_len > 0)
        return 0;
    fprintf(stderr,
            "usage: %s --connect ADDR:PORT [--pid PID] [--thread NAME] [--connections N]\n"
            "       [--size BYTES] [--warm-up SECONDS] [--seconds SECONDS] [--requests N]\n",
            argv[0]);
    return -1;
}
