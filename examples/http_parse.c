/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <string.h>
#include <strings.h>

static struct http_request *request_of(http_parser *parser)
{
    return (struct http_request *)parser->data;
}

/* The callback's result that makes the parser stop. */
static int refuse(struct http_request *request, unsigned status)
{
    request->status = status;
    return -1;
}

static int on_begin(http_parser *parser)
{
    struct http_request *request = request_of(parser);

    request->status = 0;
    request->hosts = 0;
    request->field_len = 0;
    request->in_value = true;
    request->is_host = false;
    request->begun = true;
    request->body_len = 0;
    request->target_len = 0;
    return 0;
}

static int on_url(http_parser *parser, const char *data, size_t len)
{
    struct http_request *request = request_of(parser);

    if (len > sizeof request->target - request->target_len)
        return refuse(request, HTTP_STATUS_URI_TOO_LONG);
    memcpy(request->target + request->target_len, data, len);
    request->target_len += (unsigned)len;
    return 0;
}

/* A name comes in as many pieces as the network likes. The parser lets spaces pass, also before the colon: others
 * on the way may read the field differently. */
static int on_field(http_parser *parser, const char *data, size_t len)
{
    static const char host[] = "host";
    struct http_request *request = request_of(parser);
    const unsigned at = request->in_value ? 0 : request->field_len;

    if (memchr(data, ' ', len) != NULL)
        return refuse(request, HTTP_STATUS_BAD_REQUEST);
    request->is_host =
        (at == 0 || request->is_host) && at + len <= 4 && strncasecmp(data, host + at, len) == 0;
    request->field_len = at + (unsigned)len;
    request->in_value = false;
    return 0;
}

static int on_value(http_parser *parser, const char *data, size_t len)
{
    struct http_request *request = request_of(parser);

    (void)data, (void)len;
    if (!request->in_value && request->is_host && request->field_len == 4)
        request->hosts++;
    request->in_value = true;
    return 0;
}

static int on_headers(http_parser *parser)
{
    struct http_request *request = request_of(parser);

    if (parser->http_major != 1)
        return refuse(request, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED);
    if (request->hosts > 1 || (request->hosts == 0 && parser->http_minor >= 1))
        return refuse(request, HTTP_STATUS_BAD_REQUEST);
    if (parser->flags & F_CONTENTLENGTH && parser->content_length > HTTP_BODY_MAX)
        return refuse(request, HTTP_STATUS_PAYLOAD_TOO_LARGE);
    return 0;
}

/* The parser has the size of the chunk in content_length. */
static int on_chunk(http_parser *parser)
{
    struct http_request *request = request_of(parser);

    return parser->content_length > HTTP_BODY_MAX - request->body_len
               ? refuse(request, HTTP_STATUS_PAYLOAD_TOO_LARGE)
               : 0;
}

static int on_body(http_parser *parser, const char *data, size_t len)
{
    struct http_request *request = request_of(parser);

    (void)data;
    request->body_len += len;
    return request->body_len > HTTP_BODY_MAX ? refuse(request, HTTP_STATUS_PAYLOAD_TOO_LARGE) : 0;
}

static int on_complete(http_parser *parser)
{
    request_of(parser)->keep_alive = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void http_parse_init(void)
{
    http_parser_set_max_header_size(HTTP_HEAD_MAX);
}

void http_request_init(struct http_request *request)
{
    memset(request, 0, offsetof(struct http_request, target));
    http_parser_init(&request->parser, HTTP_REQUEST);
    request->parser.data = request;
}

static enum http_step refused(struct http_request *request)
{
    if (request->status == 0)
        request->status = HTTP_PARSER_ERRNO(&request->parser) == HPE_HEADER_OVERFLOW
                              ? HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE
                              : HTTP_STATUS_BAD_REQUEST;
    request->keep_alive = false;
    return HTTP_REFUSED;
}

enum http_step http_parse(struct http_request *request, const char *data, size_t len, size_t *used)
{
    *used = 0;
    while (*used < len) {
        *used += http_parser_execute(&request->parser, &settings, data + *used, len - *used);
        switch (HTTP_PARSER_ERRNO(&request->parser)) {
        case HPE_OK:
            break; /* it stops early where an upgrade was asked for, which we ignore, as we may */
        case HPE_PAUSED:
            http_parser_pause(&request->parser, 0);
            request->begun = false;
            return HTTP_REQUEST_DONE;
        default:
            return refused(request);
        }
    }
    return HTTP_MORE;
}

void http_path(const struct http_request *request, const char **path, size_t *len)
{
    struct http_parser_url url;

    *path = "";
    *len = 0;
    http_parser_url_init(&url);
    if (http_parser_parse_url(request->target, request->target_len, 0, &url) != 0 ||
        !(url.field_set & (1u << UF_PATH)))
        return;
    *path = request->target + url.field_data[UF_PATH].off;
    *len = url.field_data[UF_PATH].len;
}
