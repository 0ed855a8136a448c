/* SPDX-License-Identifier: MIT */
#include "accept.h"

#include <string.h>
#include <strings.h>

/* One element of a list, without the blanks around it; the rest moves on behind the separator. */
static size_t next(const char **at, const char *end, char separator, const char **item)
{
    const char *stop = (const char *)memchr(*at, separator, (size_t)(end - *at));
    const char *last = stop != NULL ? stop : end;

    *item = *at;
    *at = stop != NULL ? stop + 1 : end;
    while (*item < last && (**item == ' ' || **item == '\t'))
        ++*item;
    while (last > *item && (last[-1] == ' ' || last[-1] == '\t'))
        last--;
    return (size_t)(last - *item);
}

static bool starts(const char *item, size_t length, const char *with)
{
    return length >= strlen(with) && strncasecmp(item, with, strlen(with)) == 0;
}

static bool is(const char *item, size_t length, const char *what)
{
    return length == strlen(what) && starts(item, length, what);
}

/* "0.75" as 750; anything else than a number from 0 to 1 as 0. */
static unsigned thousandths(const char *text, size_t length)
{
    unsigned value = 0, scale = 1000;

    if (length == 0 || (text[0] != '0' && text[0] != '1') || (length > 1 && text[1] != '.'))
        return 0;
    value = (unsigned)(text[0] - '0') * scale;
    for (size_t i = 2; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
        scale /= 10;
        value += (unsigned)(text[i] - '0') * scale;
    }
    return value < 1000 ? value : 1000;
}

struct preference {
    unsigned openmetrics, text;
};

/* "application/openmetrics-text; version=1.0.0; q=0.5" */
static void consider(struct preference *preference, const char *range, const char *end)
{
    const char *type, *parameter;
    const size_t type_length = next(&range, end, ';', &type);
    unsigned quality = 1000;
    bool known = true;

    while (range < end) {
        const size_t length = next(&range, end, ';', &parameter);

        if (starts(parameter, length, "q="))
            quality = thousandths(parameter + 2, length - 2);
        if (starts(parameter, length, "version="))
            known = is(parameter, length, "version=1.0.0") ||
                    is(parameter, length, "version=\"1.0.0\"");
    }
    if (is(type, type_length, "text/plain") && quality > preference->text)
        preference->text = quality;
    if (known && is(type, type_length, "application/openmetrics-text") &&
        quality > preference->openmetrics)
        preference->openmetrics = quality;
}

bool vg_accept_openmetrics(const char *value, size_t length)
{
    struct preference preference = {0, 0};
    const char *const end = value + length;

    while (value < end) {
        const char *range;
        const size_t range_length = next(&value, end, ',', &range);

        consider(&preference, range, range + range_length);
    }
    return preference.openmetrics > 0 && preference.openmetrics >= preference.text;
}
