/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_EXAMPLES_HTTP_H
#define VIGIL_EXAMPLES_HTTP_H

#include <http_parser.h>
#include <time.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/io.h>
#include <vigil/mutex.h>

#include "serve.h"

/*
 * The parts of http_server: a small HTTP/1.1 server with keep-alive and pipelining.
 *
 *     http_parse.c       bytes to requests, and what is refused
 *     http_answer.c      a request to a response: the routes
 *     http_respond.c     how a response is written
 *     http_deliver.c     sending and closing so that the client sees the response
 *     http_connection.c  the task of a connection, which does these in turn
 *     http_stats.c       what was served
 *
 * Limits: the constants below, and those that options set. A request that breaks one is answered with the status
 * beside it, and the connection is closed. docs/http_server.md has all of them, and what is refused besides.
 */

enum {
    HTTP_HEAD_MAX = 8192,   /* request line and header fields, in bytes: 431 */
    HTTP_TARGET_MAX = 1024, /* request target: 414 */
    HTTP_BODY_MAX = 65536,  /* request body, which is read and dropped: 413 */

    HTTP_IN = 4096,            /* received at once */
    HTTP_OUT = 4096,           /* responses gathered before they are sent */
    HTTP_RESPONSE_MAX = 1024,  /* size of any response */
    HTTP_LINGER_MAX = 4 << 20, /* bytes read and dropped after the last response */
};

#define HTTP_LINGER_NS VG_SEC(2) /* for a client to notice that the connection is closed */

/* Limits in seconds that have an option each. */
enum http_deadline {
    HTTP_DEADLINE_REQUEST, /* from a request's first byte to its last: 408 */
    HTTP_DEADLINE_IDLE,    /* without a byte of a request: closed */
    HTTP_DEADLINE_SEND,    /* for a client to take what is sent, up to HTTP_OUT bytes: closed */
    HTTP_DEADLINES
};

/* ---- requests ------------------------------------------------------------------------------ */

enum http_step {
    HTTP_MORE, /* all bytes are consumed, and the request is not complete */
    HTTP_REQUEST_DONE,
    HTTP_REFUSED, /* `status` says why; nothing more can be read from this connection */
};

struct http_request {
    http_parser parser;
    unsigned status;    /* of a refusal; 0: none */
    unsigned hosts;     /* Host fields seen */
    unsigned field_len; /* bytes of the present field's name seen */
    bool is_host;       /* they are those of "Host" */
    bool in_value;      /* the name is complete */
    bool begun;         /* the first byte has been seen */
    bool keep_alive;
    uint64_t body_len;
    unsigned target_len;
    char target[HTTP_TARGET_MAX];
};

/* Before the first request of the process. */
void http_parse_init(void);

void http_request_init(struct http_request *request);

/* Parses up to the end of a request. *used: how many bytes that took. */
enum http_step http_parse(struct http_request *request, const char *data, size_t len, size_t *used);

/* The path of the target, without query. An empty one if there is none. */
void http_path(const struct http_request *request, const char **path, size_t *len);

/* ---- responses ----------------------------------------------------------------------------- */

struct http_response {
    unsigned status;
    const char *type; /* of the body */
    const char *body;
    size_t body_len;
    bool head_only; /* the answer to HEAD: all but the body */
    bool keep_alive;
};

/* The Date field, made once a second. */
struct http_date {
    time_t at;
    char text[32];
};

struct http_out {
    size_t len;
    char buf[HTTP_OUT];
};

/* Whether another response surely fits. */
static inline bool http_out_has_room(const struct http_out *out)
{
    return sizeof out->buf - out->len >= HTTP_RESPONSE_MAX;
}

void http_respond(struct http_out *out, struct http_date *date,
                  const struct http_response *response);

/* ---- the server ---------------------------------------------------------------------------- */

struct http_totals {
    uint64_t connections;
    uint64_t requests;
    uint64_t ok;      /* 2xx */
    uint64_t refused; /* 4xx and 5xx */
};

struct http_server {
    struct server server; /* first */
    struct vg_mutex count_mutex;
    uint64_t count; /* guarded by count_mutex */
    struct vg_mutex totals_mutex;
    struct http_totals totals; /* guarded by totals_mutex */
    struct serve_limit deadline[HTTP_DEADLINES];
};

static inline uint64_t http_deadline_ns(const struct http_server *server, enum http_deadline which)
{
    return VG_SEC(server->deadline[which].value);
}

/* Called with totals_mutex held. */
void http_totals_add(struct http_totals *sum, const struct http_totals *more);

int http_connect(struct server *server, int fd);
void http_report_text(struct server *server, FILE *out);
void http_report_json(struct server *server, FILE *out);

/* ---- async functions, and the frames they embed in each other ------------------------------ */

struct http_connection;

enum http_route { HTTP_ROUTE_NONE, HTTP_ROUTE_PAGE, HTTP_ROUTE_COUNT, HTTP_ROUTE_SLEEP };

/* Appends the response to the connection's request to its output. */
struct http_answer {
    VG_FRAME(int); /* the status */
    struct http_connection *connection;
    enum http_route route;
    struct http_response response;
    struct vg_lock lock;
    struct vg_sleep nap;
    char body[64];
};
struct http_answer *http_answer(struct http_answer *f, struct http_connection *connection);

/* Sends all of it in `patience`. If it is cancelled meanwhile, the client is given `grace` to take the rest. */
struct http_deliver {
    VG_FRAME(int); /* 0, or negative errno: the connection is of no use any more */
    int fd;
    const char *data;
    size_t len;
    uint64_t patience, grace;
    struct vg_timeout limit;
    struct vg_send_all send;
};
struct http_deliver *http_deliver(struct http_deliver *f, int fd, const struct http_out *out,
                                  uint64_t patience, uint64_t grace);

/* Ends the stream and waits for the client to end its own, dropping what still comes: closing at once would
 * have the kernel reset the connection, and the client could lose the last response. */
struct http_linger {
    VG_FRAME(int);
    int fd;
    size_t dropped;
    struct vg_io io;
    char buf[1024];
};
struct http_linger *http_linger(struct http_linger *f, int fd);

struct http_connection {
    VG_FRAME(int);
    struct http_server *server;
    int fd;
    bool closing;          /* no request will be read after this one */
    uint64_t since;        /* when the request began, or the wait for one */
    size_t in_len, in_pos; /* received, and parsed of it */
    struct http_totals totals;
    struct http_request request;
    struct http_date date;
    struct vg_timeout limit;
    struct vg_lock lock;
    union {
        struct vg_io io;
        struct http_answer answer;
        struct http_deliver deliver;
        struct http_linger linger;
    };
    char in[HTTP_IN];
    struct http_out out;
};

#endif
