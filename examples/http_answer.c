/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <inttypes.h>
#include <string.h>

static const char page[] = "<!DOCTYPE html>\n"
                           "<title>vigil</title>\n"
                           "<h1>vigil</h1>\n"
                           "<p><a href=\"/count\">/count</a> counts behind a mutex,\n"
                           "<a href=\"/sleep\">/sleep</a> sleeps for a millisecond.</p>\n";

static enum http_route find_route(const struct http_request *request)
{
    static const struct {
        const char *path;
        enum http_route route;
    } routes[] = {
        {"/", HTTP_ROUTE_PAGE},
        {"/count", HTTP_ROUTE_COUNT},
        {"/sleep", HTTP_ROUTE_SLEEP},
    };
    const char *path;
    size_t len;

    http_path(request, &path, &len);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strlen(routes[i].path) == len && memcmp(path, routes[i].path, len) == 0)
            return routes[i].route;
    return HTTP_ROUTE_NONE;
}

static void set(struct http_answer *f, unsigned status, const char *type, const char *body,
                size_t len)
{
    f->response.status = status;
    f->response.type = type;
    f->response.body = body;
    f->response.body_len = len;
}

/* The status says it all. */
static void set_status(struct http_answer *f, unsigned status)
{
    const int len = snprintf(f->body, sizeof f->body, "%u %s\n", status,
                             http_status_str((enum http_status)status));

    set(f, status, "text/plain", f->body, (size_t)len);
}

static enum http_route choose(struct http_answer *f)
{
    const struct http_request *request = &f->connection->request;
    const unsigned method = request->parser.method;
    enum http_route route = HTTP_ROUTE_NONE;

    if (request->status != 0) {
        set_status(f, request->status);
        return route;
    }
    f->response.head_only = method == HTTP_HEAD;
    if (method != HTTP_GET && method != HTTP_HEAD) {
        set_status(f, HTTP_STATUS_METHOD_NOT_ALLOWED);
        return route;
    }
    route = find_route(request);
    if (route == HTTP_ROUTE_NONE)
        set_status(f, HTTP_STATUS_NOT_FOUND);
    return route;
}

/* Whether more requests are read is decided last: the server may have begun to drain meanwhile. */
static unsigned respond(struct http_answer *f)
{
    struct http_connection *connection = f->connection;

    if (!connection->request.keep_alive || vg_cancelled(&connection->fut))
        connection->closing = true;
    f->response.keep_alive = !connection->closing;
    http_respond(&connection->out, &connection->date, &f->response);
    return f->response.status;
}

VG_ASYNC(http_answer)
{
    VG_BEGIN(f);
    int rc;

    f->route = choose(f);
    switch (f->route) {
    case HTTP_ROUTE_NONE:
        break;
    case HTTP_ROUTE_PAGE:
        set(f, HTTP_STATUS_OK, "text/html", page, sizeof page - 1);
        break;
    case HTTP_ROUTE_COUNT:
        VG_TRY(rc, vg_lock(&f->lock, &f->connection->server->count_mutex));
        rc = snprintf(f->body, sizeof f->body, "%" PRIu64 "\n", ++f->connection->server->count);
        vg_unlock(&f->connection->server->count_mutex);
        set(f, HTTP_STATUS_OK, "text/plain", f->body, (size_t)rc);
        break;
    case HTTP_ROUTE_SLEEP:
        VG_TRY(rc, vg_sleep(&f->nap, VG_MSEC(1)));
        set(f, HTTP_STATUS_OK, "text/plain", "slept\n", 6);
        break;
    }
    VG_RETURN((int)respond(f));
}

struct http_answer *http_answer(struct http_answer *f, struct http_connection *connection)
{
    VG_SETUP(f, http_answer);
    f->connection = connection;
    f->response = (struct http_response){.status = 0};
    return f;
}
