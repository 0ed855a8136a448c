/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "harness.h"
#include "instrument/accept.h"
#include "instrument/request.h"

TEST(the_accept_field_decides_between_the_formats)
{
    static const struct {
        const char *value;
        bool openmetrics;
    } cases[] = {
        {"application/openmetrics-text", true},
        {"application/openmetrics-text;version=1.0.0", true},
        {"application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", true},
        {"Application/OpenMetrics-Text ; VERSION=1.0.0", true},
        {"application/openmetrics-text;version=0.0.1", false},
        {"application/openmetrics-text;version=1.0.0;q=0", false},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.5", true},
        {"application/openmetrics-text;q=0.4,text/plain;q=0.5", false},
        {"application/openmetrics-text;q=0.75;version=0.0.1,"
         "application/openmetrics-text;version=1.0.0,text/plain;q=0.9",
         true},
        {"text/plain", false},
        {"*/*", false},
        {"", false},
        {",,;;,q=1", false},
        {"application/openmetrics-text;q=", false},
        {"application/openmetrics-text;q=2", false},
        {"application/openmetrics-text;q=1.000", true},
        {"application/openmetrics-textual", false},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vg_accept_openmetrics(cases[i].value, strlen(cases[i].value)) != cases[i].openmetrics)
            FAIL("'%s'", cases[i].value);
}

/* The bytes are in a block of exactly their size: whatever is read beyond them shows. */
TEST(every_prefix_of_a_request_is_incomplete_and_the_whole_is_read)
{
    static const char request[] = "GET /tasks?a=b HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n"
                                  "Accept: application/openmetrics-text\r\nX:\t y \r\n\r\n";
    struct vg_request parsed;

    for (size_t length = 0; length < sizeof request - 1; length++)
        CHECK(!vg_request_complete(request, length));
    CHECK(vg_request_complete(request, sizeof request - 1));
    vg_request_parse(&parsed, request, sizeof request - 1, false);
    CHECK_EQ(parsed.status, 200);
    CHECK_EQ(parsed.path, VG_PATH_TASKS);
    CHECK(parsed.openmetrics);
    CHECK(!parsed.head_only);
    for (size_t length = 0; length < sizeof request - 1; length++) {
        vg_request_parse(&parsed, request, length, false);
        CHECK(parsed.status == 400);
    }
}

TEST(hosts_of_this_machine_are_told_from_others)
{
    static const struct {
        const char *host;
        unsigned status;
    } cases[] = {{"localhost", 200},  {"LOCALHOST:9464", 200},
                 {"127.0.0.1", 200},  {"127.1.2.3:80", 200},
                 {"[::1]", 200},      {"[::1]:9464", 200},
                 {"localhost.", 400}, {"127.0.0.1.nip.io", 400},
                 {"1270.0.0.1", 400}, {"127.", 400},
                 {"[::2]", 400},      {"example.com:9464", 400},
                 {"localhost:", 200}, {"127.0.0.1:x", 400},
                 {"", 400},           {"user@localhost", 400}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vg_request parsed;
        char request[128];

        snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        vg_request_parse(&parsed, request, strlen(request), false);
        if (parsed.status != cases[i].status)
            FAIL("'%s': %u", cases[i].host, parsed.status);
        vg_request_parse(&parsed, request, strlen(request), true);
        CHECK_EQ(parsed.status, 200);
    }
}
