/* SPDX-License-Identifier: MIT */
/*
 * stream_each: an item that is there, taken by VG_EACH. stream_pipe: the same through map and filter. buffered/0: an item made into a
 * future that ends at once, 16 in flight. buffered/1: into one that yields once, so that what it costs beyond yield/64
 * is the stream's.
 */
#include <stdlib.h>

#include <vigil/stream.h>
#include <vigil/time.h>

#include "runner.h"

enum { FLIGHTS = 16 };
enum pipe { EACH, PIPE, NOW, YIELD };

struct flight {
    struct vg_stream_slot slot;
    union {
        struct vg_yield yield;
        struct vg_iter iter;
    };
};

struct reader {
    VG_FRAME(int);
    enum pipe pipe;
    int64_t at, end;
    struct vg_iter iter;
    struct vg_sift map, filter;
    struct vg_buffered buffered;
    struct flight flight[FLIGHTS];
    struct vg_stream *stream;
    int64_t sum;
};

static void *next(void *arg)
{
    struct reader *const f = (struct reader *)arg;

    return f->at < f->end ? (f->at++, &f->at) : NULL;
}

static void *same(void *arg, void *item)
{
    (void)arg;
    return item;
}

static bool any(void *arg, const void *item)
{
    (void)arg;
    return item != NULL;
}

static struct vg_future *start(void *arg, void *item, struct vg_stream_slot *slot)
{
    struct reader *const f = (struct reader *)arg;
    struct flight *const flight = (struct flight *)(void *)slot;

    (void)item;
    if (f->pipe == YIELD)
        return &vg_yield(&flight->yield)->fut;
    return &vg_stream_iter(&flight->iter, next, f)->fut; /* any leaf that is ready */
}

static struct vg_stream *lay(struct reader *f)
{
    struct vg_stream *const items = vg_stream_iter(&f->iter, next, f);

    if (f->pipe == EACH)
        return items;
    if (f->pipe == PIPE)
        return vg_stream_filter(&f->filter, vg_stream_map(&f->map, items, same, NULL), any, NULL);
    return vg_buffered(&f->buffered, items, f->flight, start, f);
}

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    int rc;

    f->stream = lay(f);
    VG_EACH (rc, f->stream)
        f->sum++;
    VG_RETURN(rc);
}

static struct reader *reader(struct reader *f, enum pipe pipe, int64_t items)
{
    VG_SETUP(f, reader);
    f->pipe = pipe;
    f->at = f->sum = 0;
    f->end = items;
    return f;
}

static void run_reader(struct bench_run *run, enum pipe pipe)
{
    const int64_t items = bench_scaled(run, 1000000);
    struct vg_exec *exec = bench_open(run);
    static struct reader root;

    while (exec != NULL && bench_next(run, pipe == NOW ? items / 2 : items))
        if (!bench_batch(run, exec, &reader(&root, pipe, items)->fut))
            break;
    bench_close(exec);
}

static void each(struct bench_run *run, int64_t pipe)
{
    run_reader(run, (enum pipe)pipe);
}

static void buffered(struct bench_run *run, int64_t yields)
{
    run_reader(run, yields ? YIELD : NOW);
}

const struct bench bench_stream[] = {
    {"stream_each", each, EACH, 1},
    {"stream_pipe", each, PIPE, 1},
    {"buffered/0", buffered, 0, 1},
    {"buffered/1", buffered, 1, 1},
    {NULL, NULL, 0, 0},
};
