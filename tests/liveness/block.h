/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_BLOCK_H
#define VIGIL_TESTS_LIVENESS_BLOCK_H

#include "instrument/live.h"
#include "room.h"
#include "vg_sanitizer.h"

/* Tasks that do not come out of their polls, with real threads, and how to wait until they have been reported. */

/* Blocks its thread in read(). */
struct reader {
    VG_FRAME(int);
    int fd;
    struct vg_yield yield;
};

static VG_ATOMIC(int) reader_line;

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    vg_store(&reader_line, __LINE__ + 1, relaxed);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    char byte;
    CHECK_EQ(read(f->fd, &byte, 1), 1);
    VG_RETURN(0);
}

static inline struct reader *reader(struct reader *f, int fd)
{
    VG_SETUP(f, reader);
    f->fd = fd;
    return f;
}

static inline const struct room_report *find(const struct room *room,
                                             bool (*is)(const struct vg_report *))
{
    for (unsigned i = 0; i < vg_load(&room->count, acquire); i++)
        if (is(&room->seen[i].report))
            return &room->seen[i];
    return NULL;
}

static inline const struct room_report *wait_for_one(const struct room *room,
                                                     bool (*is)(const struct vg_report *))
{
    const struct room_report *seen;

    while ((seen = find(room, is)) == NULL)
        usleep(1000);
    return seen;
}

static inline bool is_of_worker_0(const struct vg_report *report)
{
    return !report->ended && report->worker == 0;
}

#endif
