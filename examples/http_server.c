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
                   .limits = http.deadline,
                   .limit_count = HTTP_DEADLINES,
                   .report_text = http_report_text,
                   .report_json = http_report_json},
        .deadline =
            {
                [HTTP_DEADLINE_REQUEST] = {"request",
                                           "seconds from a request's first byte to its last", 1,
                                           3600, 10},
                [HTTP_DEADLINE_IDLE] = {"idle", "seconds without a byte of a request", 1, 3600, 60},
                [HTTP_DEADLINE_SEND] = {"send", "seconds for a client to take what is sent", 1,
                                        3600, 10},
            },
    };

    vg_mutex_init(&http.count_mutex, "count");
    vg_mutex_init(&http.totals_mutex, "totals");
    http_parse_init();
    return serve(&http.server, argc, argv);
}
