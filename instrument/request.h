/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_REQUEST_H
#define VIGIL_INSTRUMENT_REQUEST_H

#include <vigil/base.h>

/*
 * The head of an HTTP/1 request, read strictly: lines end in CR LF, there are no folded lines and no control
 * characters. A body, or whatever else follows the head, is not looked at: the connection ends with the
 * response.
 */

enum { VG_HEAD_MAX = 8192 };

enum vg_path {
    VG_PATH_INDEX,
    VG_PATH_METRICS,
    VG_PATH_TASKS,
    VG_PATH_TASKS_JSON,
    VG_PATH_VERDICTS
};

struct vg_request {
    unsigned status; /* 200, or why it is refused */
    enum vg_path path;
    bool head_only;   /* HEAD */
    bool openmetrics; /* rather than Prometheus' own format */
};

/* Whether the head is complete; data need not end in a zero. */
bool vg_request_complete(const char *data, size_t length);

/* Reads a complete head. With `local`, as for Unix sockets, any Host will do. */
void vg_request_parse(struct vg_request *request, const char *data, size_t length, bool local);

#endif
