/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "vg_ticks.h"

/* The kernel's clocks that are made of the counter. */
#if defined(__x86_64__)

#include <cpuid.h>

static const char *const sources[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page"};

static bool is_steady(void)
{
    enum { POWER_MANAGEMENT = 0x80000007, INVARIANT = 1 << 8 };
    unsigned a, b, c, d;

    return __get_cpuid(POWER_MANAGEMENT, &a, &b, &c, &d) != 0 && (d & INVARIANT) != 0;
}

#else

static const char *const sources[] = {"arch_sys_counter"};

static bool is_steady(void)
{
    return true; /* the architecture demands it */
}

#endif

static bool is_known(const char *source)
{
    for (unsigned i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(source, sources[i]) == 0)
            return true;
    return false;
}

bool vg_ticks_trusted(void)
{
    char source[64] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

    if (file == NULL)
        return false;
    if (fgets(source, sizeof source, file) != NULL)
        source[strcspn(source, "\n")] = 0;
    fclose(file);
    return is_steady() && is_known(source);
}
