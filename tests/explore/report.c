/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
    [MC_OK] = "ok",        [MC_ASSERTION] = "assertion", [MC_RACE] = "race",
    [MC_FREED] = "freed",  [MC_LOST_WAKE] = "lost-wake", [MC_DEADLOCK] = "deadlock",
};

const char *report_kind(enum mc_kind kind)
{
    return kinds[kind];
}

int report_parse_kind(const char *text)
{
    for (int i = 0; i < (int)(sizeof kinds / sizeof kinds[0]); i++)
        if (strcmp(text, kinds[i]) == 0)
            return i;
    return -1;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *report_site(const struct mc_site *site)
{
    static char text[256];

    snprintf(text, sizeof text, "%s, %s:%d", site->text, base_name(site->file), site->line);
    return text;
}

void report_step(const struct mc_site *site, const char *fmt, ...)
{
    char result[160], place[80];
    va_list args;

    if (!mc_run.tracing)
        return;
    va_start(args, fmt);
    vsnprintf(result, sizeof result, fmt, args);
    va_end(args);
    snprintf(place, sizeof place, "%s:%d", base_name(site->file), site->line);
    if (mc_run.current == MC_MAIN)
        printf("      -  %-18s %s %s\n", place, site->text, result);
    else
        printf("  %5d  %*sT%d  %-18s %s %s\n", mc_run.steps, 4 * mc_run.current, "", mc_run.current,
               place, site->text, result);
}

/* bound:choice.choice.0*count. ...; trailing zeros are left out. */
void report_schedule(char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "%d:", mc_search.bound);
    int depth = mc_search.depth;

    while (depth > 0 && mc_search.choices[depth - 1].taken == 0)
        depth--;
    for (int i = 0; i < depth && at + 16 < size;) {
        int zeros = 0;
        while (mc_search.choices[i + zeros].taken == 0)
            zeros++;
        if (zeros > 1)
            at += (size_t)snprintf(text + at, size - at, "%s0*%d", i ? "." : "", zeros);
        else
            at += (size_t)snprintf(text + at, size - at, "%s%d", i ? "." : "",
                                   mc_search.choices[i].taken);
        i += zeros > 1 ? zeros : 1;
    }
}

static bool add(long taken, long count)
{
    if (taken < 0 || taken > 255 || count < 1)
        return false;
    for (; count > 0; count--) {
        if (mc_search.known == MC_CHOICES)
            return false;
        mc_search.choices[mc_search.known++].taken = (uint8_t)taken;
    }
    return true;
}

bool report_read_schedule(const char *text)
{
    char *end;
    long bound = strtol(text, &end, 10);

    if (end == text || *end != ':')
        return false;
    search_begin(SEARCH_REPLAY, (int)bound);
    mc_search.known = 0;
    while (*end == ':' || *end == '.') {
        long count = 1, taken;
        text = end + 1;
        if (*text == '\0' || *text == '\n')
            return true; /* nothing but first choices */
        taken = strtol(text, &end, 10);
        if (end != text && *end == '*') {
            text = end + 1;
            count = strtol(text, &end, 10);
        }
        if (end == text || !add(taken, count))
            return false;
    }
    return *end == '\0' || *end == '\n';
}
