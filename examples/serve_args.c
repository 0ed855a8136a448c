/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <vigil/tcp.h>

enum { DRAIN_MAX_S = 3600 };

static void print_usage(FILE *out, const char *name)
{
    fprintf(out,
            "usage: %s [--listen ADDR:PORT] [--workers N] [--drain SECONDS] [--report FILE]\n"
            "       [--level N]\n",
            name);
}

static void print_help(const char *name)
{
    print_usage(stdout, name);
    printf(
        "  --listen ADDR:PORT  where to listen, 127.0.0.1:8080 by default. ADDR: IPv4, [IPv6], or\n"
        "                      nothing for all of IPv4; PORT 0: any free one, which is printed\n"
        "  --workers N         threads, 1 to %d; by default as many as the machine allows\n"
        "  --drain SECONDS     how long connections may take to end after SIGTERM or SIGINT,\n"
        "                      0 to %d, by default 5. If some have not, the exit code is 1\n"
        "  --report FILE       at the end, write what was measured to FILE, as JSON\n"
        "  --level N           of the instruments: 0 off, 1 verdicts, 2, the default, also how "
        "long\n"
        "                      woken futures wait to be polled\n"
        "SIGUSR1 prints what was measured so far.\n",
        VG_WORKERS_MAX, DRAIN_MAX_S);
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

static bool parse_option(struct serve_options *options, int option, const char *value)
{
    struct sockaddr_storage addr;

    switch (option) {
    case 'l':
        options->listen = value;
        return vg_tcp_parse(value, &addr) >= 0;
    case 'w':
        return parse_number(value, 1, VG_WORKERS_MAX, &options->workers);
    case 'd':
        return parse_number(value, 0, DRAIN_MAX_S, &options->drain_s);
    case 'r':
        options->report = value;
        return *value != '\0';
    case 'i':
        return parse_number(value, VG_LEVEL_OFF, VG_LEVEL_FULL, &options->level);
    default:
        return false;
    }
}

int serve_args(struct serve_options *options, const char *name, int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {"drain", required_argument, NULL, 'd'},
        {"report", required_argument, NULL, 'r'},
        {"level", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option, index;

    *options =
        (struct serve_options){.listen = "127.0.0.1:8080", .drain_s = 5, .level = VG_LEVEL_FULL};
    while (index = -1, (option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == 'h') {
            print_help(name);
            return -1;
        }
        if (option != '?' && !parse_option(options, option, optarg))
            fprintf(stderr, "%s: --%s cannot be '%s'\n", name, known[index].name, optarg);
        else if (option != '?')
            continue;
        print_usage(stderr, name);
        return SERVE_USAGE;
    }
    if (optind == argc)
        return SERVE_OK;
    fprintf(stderr, "%s: what is '%s'?\n", name, argv[optind]);
    print_usage(stderr, name);
    return SERVE_USAGE;
}
