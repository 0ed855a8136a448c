/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/tcp.h>

enum {
    DRAIN_MAX_S = 3600,
    CONNECTIONS_MAX = 1000000,
    FIRST_LIMIT = 256, /* the option's value for getopt; of the next limit 257, and so on */
};

static void print_usage(FILE *out, const struct server *server)
{
    fprintf(out,
            "usage: %s [--listen ADDR:PORT] [--workers N] [--connections N] [--drain SECONDS]\n"
            "       [--report FILE] [--telemetry ADDR:PORT|unix:PATH] [--level N]",
            server->name);
    for (unsigned i = 0; i < server->limit_count; i++)
        fprintf(out, " [--%s N]", server->limits[i].name);
    fputs("\n", out);
}

static void print_limits(const struct server *server)
{
    for (unsigned i = 0; i < server->limit_count; i++) {
        const struct serve_limit *limit = &server->limits[i];
        const int width = (int)(sizeof "--listen ADDR:PORT" - sizeof "-- N" - strlen(limit->name));

        printf("  --%s N%*s  %s, %u to %u, by default %u\n", limit->name, width, "", limit->what,
               limit->min, limit->max, limit->value);
    }
}

static void print_help(const struct server *server)
{
    print_usage(stdout, server);
    printf(
        "  --listen ADDR:PORT  where to listen, 127.0.0.1:8080 by default. ADDR: IPv4, [IPv6], or\n"
        "                      nothing for all of IPv4; PORT 0: any free one, which is printed\n"
        "  --workers N         threads, 1 to %d; by default as many as the machine allows\n"
        "  --connections N     served at once, 1 to %d; further ones wait. By default as many as\n"
        "                      there are descriptors for\n"
        "  --drain SECONDS     how long connections may take to end after SIGTERM or SIGINT,\n"
        "                      0 to %d, by default 5. If some have not, the exit code is 1\n"
        "  --report FILE       at the end, write what was measured to FILE, as JSON\n"
        "  --telemetry ADDR:PORT|unix:PATH\n"
        "                      serve /metrics, /tasks and /verdicts over HTTP there. ADDR: "
        "127.0.0.1\n"
        "                      or [::1], no other machine; PORT 0: any free one, which is "
        "printed;\n"
        "                      PATH: a socket for this user alone\n"
        "  --level N           of the instruments: 0 off, 1 verdicts, 2, the default, also how "
        "long\n"
        "                      woken futures wait to be polled; 3 each of them timed exactly\n",
        VG_WORKERS_MAX, CONNECTIONS_MAX, DRAIN_MAX_S);
    print_limits(server);
    puts("SIGUSR1 prints what was measured so far.");
}

/* Decimal digits only. */
static bool parse_number(const char *text, unsigned min, unsigned max, unsigned *value)
{
    unsigned long parsed;

    if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
        return false;
    parsed = strtoul(text, NULL, 10);
    *value = (unsigned)parsed;
    return parsed >= min && parsed <= max;
}

static bool parse_limit(struct serve_limit *limit, const char *value)
{
    return parse_number(value, limit->min, limit->max, &limit->value);
}

static bool parse_option(struct server *server, int option, const char *value)
{
    struct serve_options *options = &server->options;
    struct sockaddr_storage addr;

    if (option >= FIRST_LIMIT)
        return parse_limit(&server->limits[option - FIRST_LIMIT], value);
    switch (option) {
    case 'l':
        options->listen = value;
        return vg_tcp_parse(value, &addr) >= 0;
    case 'w':
        return parse_number(value, 1, VG_WORKERS_MAX, &options->workers);
    case 'c':
        return parse_number(value, 1, CONNECTIONS_MAX, &options->connections);
    case 'd':
        return parse_number(value, 0, DRAIN_MAX_S, &options->drain_s);
    case 'r':
        options->report = value;
        return *value != '\0';
    case 'i':
        return parse_number(value, VG_LEVEL_OFF, SERVE_LEVEL_EXACT, &options->level);
    case 't':
        options->telemetry = value;
        return *value != '\0';
    default:
        return false;
    }
}

static const struct option common[] = {
    {"listen", required_argument, NULL, 'l'},      {"workers", required_argument, NULL, 'w'},
    {"connections", required_argument, NULL, 'c'}, {"drain", required_argument, NULL, 'd'},
    {"report", required_argument, NULL, 'r'},      {"telemetry", required_argument, NULL, 't'},
    {"level", required_argument, NULL, 'i'},       {"help", no_argument, NULL, 'h'},
};

enum { COMMON = sizeof common / sizeof *common };

/* The last one stays zero, as getopt_long() wants it. */
static void list_options(const struct server *server, struct option *known)
{
    memcpy(known, common, sizeof common);
    for (unsigned i = 0; i < server->limit_count; i++)
        known[COMMON + i] =
            (struct option){server->limits[i].name, required_argument, NULL, FIRST_LIMIT + (int)i};
}

int serve_args(struct server *server, int argc, char **argv)
{
    struct option known[COMMON + SERVE_LIMITS_MAX + 1] = {{.name = NULL}};
    int option, index;

    server->options =
        (struct serve_options){.listen = "127.0.0.1:8080", .drain_s = 5, .level = VG_LEVEL_FULL};
    list_options(server, known);
    while (index = -1, (option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == 'h') {
            print_help(server);
            return -1;
        }
        if (option != '?' && !parse_option(server, option, optarg))
            fprintf(stderr, "%s: --%s cannot be '%s'\n", server->name, known[index].name, optarg);
        else if (option != '?')
            continue;
        print_usage(stderr, server);
        return SERVE_USAGE;
    }
    if (optind == argc)
        return SERVE_OK;
    fprintf(stderr, "%s: what is '%s'?\n", server->name, argv[optind]);
    print_usage(stderr, server);
    return SERVE_USAGE;
}
