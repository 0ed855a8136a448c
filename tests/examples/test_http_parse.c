/* SPDX-License-Identifier: MIT */
#include "examples/http.h"

#include <stdlib.h>

#include "harness.h"

/*
 * What http_server reads in a stream of bytes does not depend on how the network cuts it: every stream below
 * has the same requests and the same refusal whole, byte by byte, cut anywhere once or twice, and in
 * random pieces.
 */

#define HOST "Host: t\r\n"
#define GET "GET /get HTTP/1.1\r\n" HOST
#define POST "POST /post HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

/* What is read, in order: the path of each request, with a + if the connection is kept, then the status of the
 * refusal, or "..." if a request has begun and is not complete. */
static const struct {
    const char *stream;
    size_t len;
    const char *read;
} cases[] = {
#define CASE(text, read)                                                                           \
    {                                                                                              \
        text, sizeof(text) - 1, read                                                               \
    }
    CASE("", ""),
    CASE(GET "\r\n", "/get+ "),
    CASE(GET "Connection: close\r\n\r\n", "/get "),
    CASE(GET "\r\n" POST "Content-Length: 3\r\n\r\nabc" GET "\r\n", "/get+ /post+ /get+ "),
    CASE("\r\n\r\n" GET "\r\n", "/get+ "),
    CASE(CHUNKED "3\r\nabc\r\n1;name=value\r\nd\r\n0\r\nTrailer: x\r\n\r\n" GET "\r\n",
         "/post+ /get+ "),
    CASE("GET http://t/get?a=b HTTP/1.1\r\n" HOST "\r\n", "/get+ "),
    CASE("GET /get HTTP/1.0\r\n\r\n", "/get "),
    CASE("GET /get HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/get+ "),
    CASE(GET "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n" GET "\r\n", "/get+ /get+ "),
    CASE(GET "Ho", "..."),
    CASE("GET /get HTTP/1.1\nHost: t\n\n", "/get+ "),
    CASE(GET "X: a\r\n b\r\n\r\n", "/get+ "),
    CASE("GET /get HTTP/1.1\r\nHost:\r\n t\r\n\r\n", "/get+ "),
    CASE(POST "Content-Length:\r\n 2\r\n\r\nab" GET "\r\n", "/post+ /get+ "),
    CASE(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" GET "\r\n", "/post+ /get+ "),

    CASE("GET /get HTTP/1.1\r\n\r\n", "400"),
    CASE(GET HOST "\r\n", "400"),
    CASE(GET "\r\nnonsense\r\n", "/get+ 400"),
    CASE("GET /get HTTP/1.1\r\n Host: t\r\n\r\n", "400"),
    CASE("GET /get HTTP/1.1\r\nHost : t\r\n\r\n", "400"),
    CASE(POST "Content-Length : 5\r\n\r\nabcde", "400"),
    CASE(GET "X Y: z\r\n\r\n", "400"),
    CASE(GET "X\t: z\r\n\r\n", "400"),
    CASE(GET ": z\r\n\r\n", "400"),
    CASE(GET "X: a\rb\r\n\r\n", "400"),
    CASE(GET "X: a\0b\r\n\r\n", "400"),
    CASE(GET "X\0: a\r\n\r\n", "400"),
    CASE("GET /\0 HTTP/1.1\r\n" HOST "\r\n", "400"),
    CASE("get / HTTP/1.1\r\n" HOST "\r\n", "400"),
    CASE("GET / HTTP/1.10\r\n" HOST "\r\n", "400"),
    CASE("GET / HTTP/2.0\r\n" HOST "\r\n", "505"),
    CASE("GET /\r\n\r\n", "505"),
    CASE("\026\003\001\002\000\001\000", "400"),

    CASE(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    CASE(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400"),
    CASE(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400"),
    CASE(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\na", "400"),
    CASE(POST "Content-Length: 1, 1\r\n\r\na", "400"),
    CASE(POST "Content-Length: 1\r\n 2\r\n\r\na", "400"),
    CASE(POST "Content-Length: +1\r\n\r\na", "400"),
    CASE(POST "Content-Length: -1\r\n\r\na", "400"),
    CASE(POST "Content-Length: 0x1\r\n\r\na", "400"),
    CASE(POST "Content-Length:\r\n\r\n", "400"),
    CASE(POST "Content-Length: 18446744073709551615\r\n\r\na", "400"),
    CASE(POST "Content-Length: 18446744073709551617\r\n\r\na", "400"),
    CASE(POST "Content-Length: 99999999999999999999999999\r\n\r\na", "400"),
    CASE(POST "Content-Length: 65537\r\n\r\na", "413"),
    CASE(POST "Transfer-Encoding: gzip\r\n\r\na", "400"),
    CASE(POST "Transfer-Encoding: chunked, gzip\r\n\r\na", "400"),
    CASE(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "400"),
    CASE(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400"),
    CASE(CHUNKED "FFFFFFFFFFFFFFFFF\r\na", "400"),
    CASE(CHUNKED "FFFFFFFFFFFFFFF\r\na", "413"),
    CASE(CHUNKED "1\r\na\r\n10000\r\na", "413"),
    CASE(CHUNKED "-1\r\na", "400"),
    CASE(CHUNKED "0x1\r\na", "400"),
    CASE(CHUNKED "1\r\nab\r\n0\r\n\r\n", "400"),
#undef CASE
};

enum { CASES = sizeof cases / sizeof *cases, READ_MAX = 64 };

struct reader {
    struct http_request request;
    bool refused;
    char read[READ_MAX];
};

static void reader_init(struct reader *reader)
{
    memset(reader, 0, sizeof *reader);
    http_parse_init();
    http_request_init(&reader->request);
}

static void note(struct reader *reader, enum http_step step)
{
    const struct http_request *request = &reader->request;
    const size_t at = strlen(reader->read);
    char *const end = reader->read + at;
    const char *path;
    size_t len;

    reader->refused = step == HTTP_REFUSED;
    if (reader->refused) {
        snprintf(end, READ_MAX - at, "%u", request->status);
        return;
    }
    http_path(request, &path, &len);
    snprintf(end, READ_MAX - at, "%.*s%s ", (int)len, path, request->keep_alive ? "+" : "");
}

/* One piece, as it was received: in a block of its own, so that sanitizers see what is read beyond it. */
static void feed(struct reader *reader, const char *data, size_t len)
{
    char *const piece = (char *)memcpy(malloc(len + (len == 0)), data, len);
    size_t at = 0, used;
    enum http_step step;

    while (at < len && !reader->refused) {
        step = http_parse(&reader->request, piece + at, len - at, &used);
        at += used;
        if (step == HTTP_MORE)
            CHECK_EQ(at, len);
        else
            note(reader, step);
    }
    free(piece);
}

static void check(struct reader *reader, unsigned i, const char *how)
{
    if (reader->request.begun && !reader->refused)
        strcat(reader->read, "...");
    if (strcmp(reader->read, cases[i].read) != 0)
        FAIL("%s: '%s' instead of '%s' in:\n%s", how, reader->read, cases[i].read, cases[i].stream);
}

TEST(a_stream_that_comes_whole_is_read_as_documented)
{
    for (unsigned i = 0; i < CASES; i++) {
        struct reader reader;

        reader_init(&reader);
        feed(&reader, cases[i].stream, cases[i].len);
        check(&reader, i, "whole");
    }
}

TEST(a_stream_that_comes_byte_by_byte_is_read_alike)
{
    for (unsigned i = 0; i < CASES; i++) {
        struct reader reader;

        reader_init(&reader);
        for (size_t at = 0; at < cases[i].len; at++)
            feed(&reader, cases[i].stream + at, 1);
        check(&reader, i, "byte by byte");
    }
}

TEST(a_stream_that_is_cut_anywhere_once_or_twice_is_read_alike)
{
    for (unsigned i = 0; i < CASES; i++)
        for (size_t a = 0; a <= cases[i].len; a++)
            for (size_t b = a; b <= cases[i].len; b++) {
                struct reader reader;

                reader_init(&reader);
                feed(&reader, cases[i].stream, a);
                feed(&reader, cases[i].stream + a, b - a);
                feed(&reader, cases[i].stream + b, cases[i].len - b);
                check(&reader, i, "in three pieces");
            }
}

/* Several streams on end are one stream, as long as nothing is refused. */
TEST(a_thousand_requests_in_random_pieces_are_all_read)
{
    FOR_SEEDS (seed, 50) {
        uint64_t random = seed * 2 + 1;
        unsigned complete = 0;
        struct reader reader;

        reader_init(&reader);
        for (unsigned i = 0; i < 1000; i++) {
            static const char request[] = POST "Content-Length: 3\r\n\r\nabc";

            for (size_t at = 0, len; at < sizeof request - 1; at += len) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
                len = 1 + (random >> 33) % 20;
                len = len < sizeof request - 1 - at ? len : sizeof request - 1 - at;
                reader.read[0] = '\0';
                feed(&reader, request + at, len);
                complete += strcmp(reader.read, "/post+ ") == 0;
            }
        }
        CHECK_EQ(complete, 1000);
    }
}

/* Whatever is wrong with it. What it reads as is not known here, so it is compared with itself. */
TEST(a_garbled_stream_is_read_alike_whole_and_byte_by_byte)
{
    FOR_SEEDS (seed, 2000) {
        uint64_t random = seed * 2 + 1;
        const unsigned i = (unsigned)(seed % CASES);
        char stream[512];
        struct reader whole, bytes;

        CHECK(cases[i].len <= sizeof stream);
        memcpy(stream, cases[i].stream, cases[i].len);
        for (unsigned n = 0; n < 1 + seed % 4 && cases[i].len > 0; n++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            stream[(random >> 33) % cases[i].len] = "\r\n \t:,0a\0\377"[(random >> 20) % 10];
        }
        reader_init(&whole);
        reader_init(&bytes);
        feed(&whole, stream, cases[i].len);
        for (size_t at = 0; at < cases[i].len; at++)
            feed(&bytes, stream + at, 1);
        CHECK_EQ(strcmp(whole.read, bytes.read), 0);
        CHECK_EQ(whole.request.begun, bytes.request.begun);
    }
}

/* Bodies up to the limit, whatever they consist of: the last byte decides. */
TEST(a_chunked_body_may_be_as_long_as_a_plain_one)
{
    static const char chunk[] = "100\r\n";
    char data[256 + 2];

    memset(data, 'x', 256);
    data[256] = '\r';
    data[257] = '\n';
    for (unsigned extra = 0; extra < 2; extra++) {
        struct reader reader;

        reader_init(&reader);
        feed(&reader, CHUNKED, sizeof CHUNKED - 1);
        for (unsigned i = 0; i < HTTP_BODY_MAX / 256; i++) {
            feed(&reader, chunk, sizeof chunk - 1);
            feed(&reader, data, sizeof data);
        }
        if (extra == 1)
            feed(&reader, "1\r\nx\r\n", 6);
        feed(&reader, "0\r\n\r\n", 5);
        CHECK_EQ(strcmp(reader.read, extra == 1 ? "413" : "/post+ "), 0);
    }
}
