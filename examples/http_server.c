/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server that says at its end how long its futures waited to be polled.
 *
 *     /        a static page
 *     /count   a counter behind a mutex
 *     /sleep   a timer of one millisecond
 */
#include "http.h"

int main(int argc, char **argv)
{
    static struct http_server http = {
        .server = {.name = "http_server",
                   .connect = http_connect,
                   .report_text = http_report_text,
                   .report_json = http_report_json},
    };

    vg_mutex_init(&http.count_mutex, "count");
    vg_mutex_init(&http.totals_mutex, "totals");
    http_parse_init();
    return serve(&http.server, argc, argv);
}
