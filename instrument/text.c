/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vigil/exec.h>
#include <vigil/future.h>

enum { NAME_MAX_SHOWN = 80 };

void vg_text_init(struct vg_text *text, char *buffer, size_t size)
{
    text->start = text->at = buffer;
    text->end = buffer + size - 1;
    *buffer = '\0';
}

void vg_text_add(struct vg_text *text, const char *format, ...)
{
    size_t room = (size_t)(text->end - text->at);
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(text->at, room + 1, format, args);
    va_end(args);
    if (length > 0)
        text->at += (size_t)length < room ? (size_t)length : room;
}

static void add_char(struct vg_text *text, char c)
{
    if (text->at == text->end)
        return;
    *text->at++ = c;
    *text->at = '\0';
}

void vg_text_name(struct vg_text *text, const char *name)
{
    if (name == NULL)
        name = "?";
    for (unsigned n = 0; *name != '\0'; name++, n++) {
        const unsigned char c = (unsigned char)*name;

        if (n == NAME_MAX_SHOWN) {
            vg_text_add(text, "...");
            return;
        }
        if (c < 0x20 || c > 0x7e)
            vg_text_add(text, "\\x%02x", c);
        else
            add_char(text, (char)c);
    }
}

void vg_text_duration(struct vg_text *text, uint64_t ns)
{
    static const struct {
        uint64_t unit;
        const char *name;
    } scale[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}, {1, "ns"}};
    unsigned long long whole, tenth;
    unsigned i = 0;

    while (i < 3 && ns < scale[i].unit)
        i++;
    whole = ns / scale[i].unit;
    tenth = ns % scale[i].unit * 10 / scale[i].unit;
    if (whole >= 100 || tenth == 0)
        vg_text_add(text, "%llu %s", whole, scale[i].name);
    else
        vg_text_add(text, "%llu.%llu %s", whole, tenth, scale[i].name);
}

static void add_line(struct vg_text *text, const char *file, int line)
{
    const char *shown = file, *slash;
    unsigned parts = 0;

    for (slash = file + strlen(file); slash != file && parts < 2; slash--) {
        if (slash[-1] != '/')
            continue;
        if (++parts == 2)
            shown = slash;
    }
    vg_text_name(text, shown);
    vg_text_add(text, ":%d", line);
}

void vg_text_site(struct vg_text *text, const struct vg_site *site)
{
    if (site == NULL)
        vg_text_add(text, "?");
    else
        add_line(text, site->file, site->line);
}

void vg_text_func(struct vg_text *text, const struct vg_site *site)
{
    static const char suffix[] = "_body"; /* the compiler's name for it, by VG_ASYNC */
    size_t length = strlen(site->func);

    if (length >= sizeof suffix && strcmp(site->func + length - sizeof suffix + 1, suffix) == 0)
        length -= sizeof suffix - 1;
    vg_text_add(text, "%.*s", (int)length, site->func);
}

void vg_text_place(struct vg_text *text, const struct vg_place *place)
{
    if (place == NULL)
        vg_text_add(text, "?");
    else
        add_line(text, place->file, place->line);
}

void vg_text_task(struct vg_text *text, uint64_t id)
{
    const unsigned worker = (unsigned)(id >> 1) % 128;

    if (worker < VG_WORKERS_MAX)
        vg_text_add(text, "%u.%llu", worker, (unsigned long long)(id >> 8));
    else
        vg_text_add(text, "out.%llu", (unsigned long long)(id >> 8));
}
