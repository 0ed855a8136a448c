/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <string.h>

void view_clear(struct view *view)
{
    view->locations = 0;
    memset(view->clock, 0, sizeof view->clock);
}

void view_copy(struct view *to, const struct view *from)
{
    to->locations = from->locations;
    memcpy(to->at, from->at, sizeof to->at[0] * (size_t)from->locations);
    memcpy(to->clock, from->clock, sizeof to->clock);
}

static void grow(struct view *view, int count)
{
    while (view->locations < count)
        view->at[view->locations++] = 0;
}

void view_join_locations(struct view *to, const struct view *from)
{
    grow(to, from->locations);
    for (int i = 0; i < from->locations; i++)
        if (to->at[i] < from->at[i])
            to->at[i] = from->at[i];
}

void view_join(struct view *to, const struct view *from)
{
    view_join_locations(to, from);
    for (int i = 0; i < MC_THREADS; i++)
        if (to->clock[i] < from->clock[i])
            to->clock[i] = from->clock[i];
}

void view_set(struct view *view, int location, uint16_t at)
{
    grow(view, location + 1);
    if (view->at[location] < at)
        view->at[location] = at;
}

uint16_t view_at(const struct view *view, int location)
{
    return location < view->locations ? view->at[location] : 0;
}
