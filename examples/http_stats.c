/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <inttypes.h>

void http_totals_add(struct http_totals *sum, const struct http_totals *more)
{
    sum->connections += more->connections;
    sum->requests += more->requests;
    sum->ok += more->ok;
    sum->refused += more->refused;
}

void http_report_text(struct server *server, FILE *out)
{
    const struct http_server *http = (const struct http_server *)server;

    fprintf(out,
            "served %" PRIu64 " requests on %" PRIu64 " connections: %" PRIu64 " ok, %" PRIu64
            " refused; counted to %" PRIu64 "\n",
            http->totals.requests, http->totals.connections, http->totals.ok, http->totals.refused,
            http->count);
}

void http_report_json(struct server *server, FILE *out)
{
    const struct http_server *http = (const struct http_server *)server;

    fprintf(out,
            "{\"connections\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"ok\":%" PRIu64
            ",\"refused\":%" PRIu64 ",\"count\":%" PRIu64 "}",
            http->totals.connections, http->totals.requests, http->totals.ok, http->totals.refused,
            http->count);
}
