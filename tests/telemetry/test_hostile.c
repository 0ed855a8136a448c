/* SPDX-License-Identifier: MIT */
#include "tasks.h"

/* Clients that mean no good, or know no better. After each of them the next one is served. */

static void still_serves(const struct place *place)
{
    CHECK_EQ(get_status(place->address, "/metrics"), 200);
}

/* Answered with this status, and then the connection ends. */
static void refuse(const char *request, int status)
{
    struct place place;
    int got;

    place_open(&place, 1);
    got = ask_status(place.address, request);
    if (got != status)
        FAIL("%d instead of %d for '%.60s'", got, status, request);
    still_serves(&place);
    place_close(&place);
}

TEST(other_paths_are_not_found)
{
    static const char *const paths[] = {
        "/nowhere",           "/metrics/", "//metrics",   "/../etc/passwd",      "/tasks/../tasks",
        "/%2e%2e/etc/passwd", "/METRICS",  "/metrics%00", "/metrics;x",          "/./metrics",
        "/tasks.json/",       "/..",       "/metrics#",   "/verdicts\\..\\tasks"};
    struct place place;

    place_open(&place, 1);
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
        if (get_status(place.address, paths[i]) != 404)
            FAIL("%s", paths[i]);
    still_serves(&place);
    place_close(&place);
}

TEST(other_methods_are_not_allowed)
{
    static const char *const methods[] = {"POST", "PUT",   "DELETE", "OPTIONS",
                                          "get",  "HEADS", "GE",     "CONNECT"};
    struct place place;

    place_open(&place, 1);
    for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++) {
        char request[96], *response;

        snprintf(request, sizeof request, "%s /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 methods[i]);
        response = ask(place.address, request);
        CHECK_EQ(status_of(response), 405);
        CHECK_STR(response, "\r\nAllow: GET, HEAD\r\n");
        free(response);
    }
    place_close(&place);
}

TEST(what_is_no_request_is_refused)
{
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\n\n\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* no Host */
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost:80:80\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n folded: yes\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: \x01\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n",
        "GET / FTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "G\x7fT / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x01\xfc\x03\x03\r\n\r\n"};
    struct place place;

    place_open(&place, 1);
    for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
        const int status = ask_status(place.address, requests[i]);

        if (status != 400)
            FAIL("%d for request %u", status, i);
    }
    still_serves(&place);
    place_close(&place);
}

TEST(other_versions_are_refused)
{
    refuse("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505);
}

TEST(a_head_without_end_is_too_large)
{
    struct place place;
    char *response;
    int fd;

    place_open(&place, 1);
    fd = dial(place.address);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 400; i++)
        say(fd, "Cookie: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
    response = hear(fd);
    CHECK_EQ(status_of(response), 431);
    free(response);
    still_serves(&place);
    place_close(&place);
}

TEST(random_bytes_do_no_harm)
{
    static const char alphabet[] = "GET /metrics HTTP/1.1\r\n\r\n: \t?Hostlca\x00\x80\xff";
    struct place place;

    place_open(&place, 1);
    FOR_SEEDS (seed, 60) {
        uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        char bytes[700];
        char *response;
        int fd, status;

        for (unsigned i = 0; i < sizeof bytes; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[i] = alphabet[random % sizeof alphabet];
        }
        fd = dial(place.address);
        put(fd, bytes, sizeof bytes);
        shutdown(fd, SHUT_WR);
        response = hear(fd);
        status = status_of(response);
        if (status != 400 && status != 405 && status != 404 && status != 505)
            FAIL("status %d", status);
        free(response);
    }
    still_serves(&place);
    place_close(&place);
}

/* ---- slow ones: the endpoint is as patient as it is by default ------------------------------ */

static const struct vg_telemetry_config by_default = {.alloc = &test_alloc};

/* Unless this test itself was too slow. */
static void serves_meanwhile(const struct place *place)
{
    const int status = get_status(place->address, "/");

    CHECK(status == 200 || status == 408);
}

TEST(a_request_that_dribbles_in_runs_out_of_time)
{
    struct place place;
    struct pollfd ready;
    char *response;

    place_open_with(&place, 1, "127.0.0.1:0", &by_default);
    ready = (struct pollfd){.fd = dial(place.address), .events = POLLIN};
    say(ready.fd, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ");
    do {
        say(ready.fd, "a");
        serves_meanwhile(&place);
    } while (poll(&ready, 1, 20) == 0);
    response = hear(ready.fd);
    CHECK_EQ(status_of(response), 408);
    free(response);
    place_close(&place);
}

TEST(whoever_says_nothing_is_closed)
{
    struct place place;

    place_open_with(&place, 1, "127.0.0.1:0", &by_default);
    CHECK_EQ(ask_status(place.address, ""), 408);
    close(dial(place.address));
    while (get_status(place.address, "/") != 200)
        usleep(1000);
    place_close(&place);
}

/* The socket's buffers take only a part of this page. */
TEST(whoever_does_not_read_is_closed)
{
    enum { TASKS = 8000 };
    static struct vg_handle handle[TASKS];
    struct place place;
    char address[64];
    char *whole, *response;
    int fd;

    snprintf(address, sizeof address, "unix:/tmp/vigil-test-%d", getpid());
    place_open_with(&place, 1, address, &by_default);
    spawn_sleepers(&place.room, handle, TASKS);
    do {
        whole = get(address, "/tasks");
        fd = strstr(whole, "8000 tasks shown") != NULL;
        free(whole);
    } while (!fd);
    fd = dial(address);
    say(fd, "GET /tasks HTTP/1.0\r\n\r\n");
    for (int i = 0; i < 30; i++) {
        serves_meanwhile(&place);
        usleep(50000);
    }
    response = hear(fd);
    CHECK_EQ(status_of(response), 200);
    CHECK(strstr(response, "8000 tasks shown") == NULL);
    free(response);
    end_tasks(handle, TASKS);
    place_close(&place);
}

/* ---- many of them --------------------------------------------------------------------------------- */

TEST(a_pipeline_has_one_answer)
{
    static const char one[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct place place;
    char *response, *second;
    int fd;

    place_open(&place, 1);
    fd = dial(place.address);
    for (int i = 0; i < 50; i++)
        say(fd, one);
    response = hear(fd);
    CHECK_EQ(status_of(response), 200);
    second = strstr(response + 1, "HTTP/1.1 ");
    CHECK(second == NULL);
    free(response);
    still_serves(&place);
    place_close(&place);
}

TEST(a_client_that_has_ended_its_stream_is_answered)
{
    struct place place;
    char *response;
    int fd;

    place_open(&place, 1);
    fd = dial(place.address);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    shutdown(fd, SHUT_WR);
    response = hear(fd);
    CHECK_EQ(status_of(response), 200);
    CHECK_STR(response, "vigil_telemetry_responses_total{code=\"505\"}");
    free(response);

    fd = dial(place.address);
    say(fd, "GET /metrics HTTP/1.1\r\nHost: loc");
    shutdown(fd, SHUT_WR);
    response = hear(fd);
    CHECK_EQ(status_of(response), 400);
    free(response);
    place_close(&place);
}

TEST(of_many_at_once_four_are_served)
{
    enum { CROWD = 100 };
    struct place place;
    int fd[CROWD], count[600] = {0};

    place_open_with(&place, 1, "127.0.0.1:0", &by_default);
    for (unsigned i = 0; i < CROWD; i++)
        fd[i] = dial(place.address);
    for (unsigned i = 0; i < CROWD; i++)
        say(fd[i], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (unsigned i = 0; i < CROWD; i++) {
        char *response = hear(fd[i]);

        count[status_of(response)]++;
        free(response);
    }
    /* 408: if this test was so slow that the first ones ran out of time; 0: reset */
    CHECK(count[200] + count[408] >= VG_TELEMETRY_CONNECTIONS);
    CHECK(count[503] > 0);
    CHECK_EQ(count[200] + count[503] + count[408] + count[0], CROWD);
    still_serves(&place);
    place_close(&place);
}

/* A connection that is closed before everything that came has been read is reset, and what was not yet
 * delivered is lost. */
TEST(what_is_sent_after_the_request_does_not_cost_the_answer)
{
    enum { TASKS = 2000 };
    static struct vg_handle handle[TASKS];
    static char junk[100 * 1024];
    const int small = 65536;
    struct pollfd ready;
    struct place place;
    char *response;
    int fd;

    place_open(&place, 1);
    spawn_sleepers(&place.room, handle, TASKS);
    memset(junk, 'x', sizeof junk);
    fd = dial(place.address);
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    say(fd, "GET /tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 102400\r\n\r\n");
    ready = (struct pollfd){.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&ready, 1, -1), 1); /* a part of the response is here, and more cannot come */
    put(fd, junk, sizeof junk);
    response = hear(fd);
    CHECK_EQ(status_of(response), 200);
    CHECK_STR(response, "2000 tasks shown, 0 left out\n");
    free(response);
    end_tasks(handle, TASKS);
    place_close(&place);
}

TEST(a_client_that_resets_is_forgotten)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct place place;

    place_open(&place, 1);
    for (int i = 0; i < 50; i++) {
        const int fd = dial(place.address);

        say(fd, i % 2 ? "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" : "GET");
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
        close(fd);
    }
    while (get_status(place.address, "/metrics") != 200) /* until the dead ones are noticed */
        usleep(1000);
    place_close(&place);
}
