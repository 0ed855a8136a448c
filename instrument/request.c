/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <string.h>
#include <strings.h>

#include "accept.h"

/* A piece of the head. */
struct span {
    const char *at;
    size_t length;
};

static bool is(struct span span, const char *text)
{
    return span.length == strlen(text) && memcmp(span.at, text, span.length) == 0;
}

static bool is_nocase(struct span span, const char *text)
{
    return span.length == strlen(text) && strncasecmp(span.at, text, span.length) == 0;
}

/* Up to the character, which is taken off too; false if there is none. */
static bool cut(struct span *from, char c, struct span *piece)
{
    const char *found = (const char *)memchr(from->at, c, from->length);

    if (found == NULL)
        return false;
    *piece = (struct span){from->at, (size_t)(found - from->at)};
    from->at = found + 1;
    from->length -= piece->length + 1;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
    while (span.length > 0 && is_blank(span.at[0]))
        span.at++, span.length--;
    while (span.length > 0 && is_blank(span.at[span.length - 1]))
        span.length--;
    return span;
}

/* The characters that names of methods and fields are made of. */
static bool is_token(struct span span)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < span.length; i++) {
        const char c = span.at[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return span.length > 0;
}

bool vg_request_complete(const char *data, size_t length)
{
    return memmem(data, length, "\r\n\r\n", 4) != NULL;
}

/* The next line; false if it does not end in CR LF, or holds what no line may. */
static bool next_line(struct span *head, struct span *line)
{
    if (!cut(head, '\n', line) || line->length == 0 || line->at[line->length - 1] != '\r')
        return false;
    line->length--;
    for (size_t i = 0; i < line->length; i++) {
        const unsigned char c = (unsigned char)line->at[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static unsigned find_path(struct vg_request *request, struct span target)
{
    static const char *const paths[] = {
        [VG_PATH_INDEX] = "/",
        [VG_PATH_METRICS] = "/metrics",
        [VG_PATH_TASKS] = "/tasks",
        [VG_PATH_TASKS_JSON] = "/tasks.json",
        [VG_PATH_VERDICTS] = "/verdicts",
    };
    struct span path = target;

    (void)cut(&target, '?', &path);
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (is(path, paths[i])) {
            request->path = (enum vg_path)i;
            return 200;
        }
    }
    return 404;
}

/* "GET /metrics HTTP/1.1" */
static unsigned parse_first(struct vg_request *request, struct span line, bool *needs_host)
{
    struct span method, target;

    if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target) || !is_token(method) ||
        target.length == 0)
        return 400;
    *needs_host = is(line, "HTTP/1.1");
    if (!*needs_host && !is(line, "HTTP/1.0"))
        return line.length == 8 && memcmp(line.at, "HTTP/", 5) == 0 ? 505 : 400;
    request->head_only = is(method, "HEAD");
    if (!request->head_only && !is(method, "GET"))
        return 405;
    return target.at[0] == '/' ? find_path(request, target) : 400;
}

/* "127.0.0.1:9464", "[::1]", "localhost": a name that another machine gave out would be something else. */
static bool is_this_machine(struct span host)
{
    struct span name = host;
    size_t digits = 0;

    while (digits < host.length && host.at[host.length - 1 - digits] >= '0' &&
           host.at[host.length - 1 - digits] <= '9')
        digits++;
    if (digits < host.length && host.at[host.length - 1 - digits] == ':')
        name.length = host.length - 1 - digits;
    if (is_nocase(name, "localhost") || is(name, "[::1]"))
        return true;
    if (name.length < 9 || memcmp(name.at, "127.", 4) != 0)
        return false;
    for (size_t i = 0; i < name.length; i++)
        if (name.at[i] != '.' && (name.at[i] < '0' || name.at[i] > '9'))
            return false;
    return true;
}

/* "Name: value" */
static unsigned parse_field(struct vg_request *request, struct span line, bool local,
                            unsigned *hosts)
{
    struct span name;

    if (!cut(&line, ':', &name) || !is_token(name))
        return 400;
    line = trim(line);
    if (is_nocase(name, "Accept"))
        request->openmetrics = vg_accept_openmetrics(line.at, line.length);
    if (!is_nocase(name, "Host"))
        return 200;
    ++*hosts;
    return local || is_this_machine(line) ? 200 : 400;
}

static unsigned parse(struct vg_request *request, struct span head, bool local)
{
    struct span line;
    unsigned hosts = 0, status, field;
    bool needs_host;

    if (!next_line(&head, &line))
        return 400;
    status = parse_first(request, line, &needs_host);
    if (status == 400 || status == 505)
        return status;
    for (;;) {
        if (!next_line(&head, &line))
            return 400;
        if (line.length == 0)
            break;
        field = parse_field(request, line, local, &hosts);
        if (field != 200)
            return field;
    }
    return hosts > 1 || (needs_host && hosts == 0) ? 400 : status;
}

void vg_request_parse(struct vg_request *request, const char *data, size_t length, bool local)
{
    *request = (struct vg_request){.path = VG_PATH_INDEX};
    request->status = parse(request, (struct span){data, length}, local);
}
