/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <string.h>

static const char *date_now(struct http_date *date)
{
    const time_t now = time(NULL);
    struct tm utc;

    if (date->at != now) {
        gmtime_r(&now, &utc);
        strftime(date->text, sizeof date->text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        date->at = now;
    }
    return date->text;
}

void http_respond(struct http_out *out, struct http_date *date,
                  const struct http_response *response)
{
    char *const at = out->buf + out->len;
    int len = snprintf(
        at, HTTP_RESPONSE_MAX,
        "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n",
        response->status, http_status_str((enum http_status)response->status), date_now(date),
        response->type, response->body_len,
        response->status == HTTP_STATUS_METHOD_NOT_ALLOWED ? "Allow: GET, HEAD\r\n" : "",
        response->keep_alive ? "" : "Connection: close\r\n");

    VG_ASSERT(http_out_has_room(out));
    VG_ASSERT(len > 0 && (size_t)len + response->body_len <= HTTP_RESPONSE_MAX);
    if (!response->head_only) {
        memcpy(at + len, response->body, response->body_len);
        len += (int)response->body_len;
    }
    out->len += (size_t)len;
}
