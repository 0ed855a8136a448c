/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kinds[] = {
    [MC_OK] = "ok",       [MC_ASSERTION] = "assertion", [MC_RACE] = "race",
    [MC_FREED] = "freed", [MC_LOST_WAKE] = "lost-wake", [MC_DEADLOCK] = "deadlock",
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

/* Asks addr2line; the answers are kept, as a trace asks often. */
static const char *place_of(const void *pc)
{
    enum { KNOWN = 512 };
    static struct {
        const void *pc;
        char text[120];
    } known[KNOWN];
    extern const char __executable_start[];
    char command[200];
    FILE *pipe;
    int i = 0;

    while (i < KNOWN - 1 && known[i].pc && known[i].pc != pc)
        i++;
    if (known[i].pc == pc)
        return known[i].text;
    known[i].pc = pc;
    snprintf(known[i].text, sizeof known[i].text, "%p", pc);
    snprintf(command, sizeof command, "addr2line -s -e /proc/%d/exe %#lx", (int)getpid(),
             (unsigned long)((const char *)pc - __executable_start) - 1);
    pipe = popen(command, "r");
    if (pipe) {
        if (fgets(known[i].text, sizeof known[i].text, pipe))
            known[i].text[strcspn(known[i].text, " \n")] = '\0';
        pclose(pipe);
    }
    return known[i].text;
}

static void describe_place(const struct mc_site *site, char *text, size_t size)
{
    if (site->pc)
        snprintf(text, size, "%s", place_of(site->pc));
    else
        snprintf(text, size, "%s:%d", base_name(site->file), site->line);
}

const char *report_site(const struct mc_site *site)
{
    static char text[256];
    char place[120];

    describe_place(site, place, sizeof place);
    snprintf(text, sizeof text, "%s%s%s", site->pc ? "" : site->text, site->pc ? "" : ", ", place);
    return text;
}

/* Only atomics, locks and marks: plain accesses found by the compiler are too many to read. */
void report_step(const struct mc_site *site, const char *fmt, ...)
{
    char result[160], place[120];
    va_list args;

    if (!mc_run.tracing || site->pc)
        return;
    va_start(args, fmt);
    vsnprintf(result, sizeof result, fmt, args);
    va_end(args);
    describe_place(site, place, sizeof place);
    if (mc_run.current == MC_MAIN)
        printf("      -  %-18s %s %s\n", place, site->text, result);
    else
        printf("  %5d  %*sT%d  %-18s %s %s\n", mc_run.steps, 4 * mc_run.current, "", mc_run.current,
               place, site->text, result);
}

/* occasion=taken.occasion=taken ...; "-" if all choices are the first. */
void report_schedule(char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "-");

    for (int i = 0; i < mc_search.depth && at + 24 < size; i++) {
        const struct choice *choice = &mc_search.choices[i];
        if (choice->taken == 0)
            continue;
        if (text[0] == '-')
            at = 0;
        at += (size_t)snprintf(text + at, size - at, "%s%d=%d", at ? "." : "", choice->occasion,
                               choice->taken);
    }
}

static bool parse_choice(const char **text)
{
    char *end;
    long occasion = strtol(*text, &end, 10), taken;

    if (end == *text || *end != '=' || occasion < 0 || mc_search.known == MC_CHOICES)
        return false;
    *text = end + 1;
    taken = strtol(*text, &end, 10);
    if (end == *text || taken < 1 || taken > 255)
        return false;
    *text = end;
    mc_search.choices[mc_search.known++] = (struct choice){(int)occasion, (uint8_t)taken, 255};
    return true;
}

bool report_read_schedule(const char *text)
{
    search_begin(SEARCH_REPLAY, -1);
    mc_search.known = 0;
    if (strcmp(text, "-") == 0)
        return true;
    while (parse_choice(&text)) {
        if (*text == '\0' || *text == '\n')
            return true;
        if (*text++ != '.')
            return false;
    }
    return false;
}
