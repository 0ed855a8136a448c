/* SPDX-License-Identifier: MIT */
#include "futurelock.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: futurelock [--policy cancel|keep|park] [--healing on|off] "
                            "[--deadline MS] [--report FILE]\n";

static const char help[] =
    "  --policy    what becomes of op1 when the select is left; by default park\n"
    "  --healing   whether a mutex granted to a future that nobody polls goes to the next;\n"
    "              by default on\n"
    "  --deadline  when to give up, in milliseconds; by default 2000\n"
    "  --report    file for what was seen, as JSON\n"
    "exit codes: 0 finished, 3 hung until the deadline with the futurelock reported, 2 bad usage,\n"
    "            1 anything else\n";

static const char *const policies[] = {
    [VG_POLICY_CANCEL] = "cancel", [VG_POLICY_KEEP] = "keep", [VG_POLICY_PARK] = "park"};

const char *fl_policy_name(enum vg_policy policy)
{
    return policies[policy];
}

static bool parse_policy(const char *text, enum vg_policy *policy)
{
    for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++) {
        if (strcmp(text, policies[i]) == 0) {
            *policy = (enum vg_policy)i;
            return true;
        }
    }
    return false;
}

static bool parse_deadline(const char *text, unsigned *ms)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 6)
        return false;
    *ms = (unsigned)strtoul(text, NULL, 10);
    return *ms > 0;
}

static bool parse_option(struct fl_options *options, int option, const char *value)
{
    switch (option) {
    case 'p':
        return parse_policy(value, &options->policy);
    case 'h':
        options->healing = strcmp(value, "on") == 0;
        return options->healing || strcmp(value, "off") == 0;
    case 'd':
        return parse_deadline(value, &options->deadline_ms);
    case 'r':
        options->report = value;
        return *value != '\0';
    default:
        return false;
    }
}

int fl_args(struct fl_options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"policy", required_argument, NULL, 'p'},   {"healing", required_argument, NULL, 'h'},
        {"deadline", required_argument, NULL, 'd'}, {"report", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, '?' + 1},       {NULL, 0, NULL, 0},
    };
    int option, index;

    *options = (struct fl_options){VG_POLICY_PARK, true, 2000, NULL};
    while (index = -1, (option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == '?' + 1) {
            printf("%s%s", usage, help);
            return -1;
        }
        if (option != '?' && !parse_option(options, option, optarg))
            fprintf(stderr, "futurelock: --%s cannot be '%s'\n", known[index].name, optarg);
        else if (option != '?')
            continue;
        fputs(usage, stderr);
        return FL_USAGE;
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "futurelock: what is '%s'?\n%s", argv[optind], usage);
    return FL_USAGE;
}
