/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_STREAM_SCENE_H
#define VIGIL_TESTS_CORE_STREAM_SCENE_H

#include <vigil/stream.h>

#include "nodes.h"
#include "rig.h"

/* Streams whose items wait for events that the test sets, and a frame that reads them. */

enum { GATES = 6, READ_MAX = 64 };

/* Gives the numbers from `first` on; number i waits for event i. Where `fails` is set it fails with -EIO instead. */
struct gate {
    struct vg_source source;
    struct event_wait wait;
    struct event event[GATES];
    bool fails[GATES];
    int first, value;
    unsigned passed;
};

static inline struct vg_future *gate_start(struct vg_source *source)
{
    struct gate *const gate = (struct gate *)(void *)source;

    return &event_wait(&gate->wait, &gate->event[gate->passed])->fut;
}

static inline int gate_finish(struct vg_source *source, void **item)
{
    struct gate *const gate = (struct gate *)(void *)source;
    const unsigned i = gate->passed;

    if (gate->wait.ret < 0)
        return gate->wait.ret;
    gate->passed++;
    if (gate->fails[i])
        return -EIO;
    gate->value = gate->first + (int)i;
    *item = &gate->value;
    return 1;
}

static inline struct vg_stream *gate(struct gate *gate, int first)
{
    static const struct vg_source_ops ops = {.start = gate_start, .finish = gate_finish};

    gate->first = first;
    gate->passed = 0;
    return vg_stream_source(&gate->source, &ops);
}

static inline bool gate_waits(const struct gate *gate)
{
    return gate->event[gate->passed].waiter != NULL;
}

/* ---- numbers that are there ------------------------------------------------------------------- */

struct count {
    int at, end;
};

static inline void *count_next(void *arg)
{
    struct count *const count = (struct count *)arg;

    return count->at < count->end ? (++count->at, &count->at) : NULL;
}

/* ---- who reads ---------------------------------------------------------------------------------- */

struct log {
    int value[READ_MAX]; /* 0 for the end, negative for a failure */
    unsigned length;
};

static inline void note(struct log *log, int value)
{
    CHECK(log->length < READ_MAX);
    log->value[log->length++] = value;
}

#define CHECK_LOG(log, ...)                                                                        \
    do {                                                                                           \
        const int expected_[] = {__VA_ARGS__};                                                     \
        CHECK_EQ((log)->length, sizeof expected_ / sizeof *expected_);                             \
        for (unsigned i_ = 0; i_ < sizeof expected_ / sizeof *expected_; i_++)                     \
            CHECK_EQ((log)->value[i_], expected_[i_]);                                             \
    } while (0)

struct reading {
    struct vg_stream *stream;
    int (*value)(const void *item);
    struct event busy[GATES]; /* the body waits for number i at item number i, if is_busy */
    bool is_busy;
    bool goes_on; /* after failures */
    struct log log;
};

static inline int value_of(const void *item)
{
    return *(const int *)item;
}

/* Reads until the stream ends, and closes it. */
struct reader {
    VG_FRAME(int);
    struct reading *reading;
    unsigned items;
    struct event_wait busy;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    int rc, closed;
    do {
        VG_EACH (rc, f->reading->stream) {
            note(&f->reading->log, f->reading->value(f->reading->stream->item));
            if (f->reading->is_busy)
                VG_AWAIT(rc, event_wait(&f->busy, &f->reading->busy[f->items]));
            f->items++;
        }
        note(&f->reading->log, rc);
    } while (rc < 0 && rc != -ECANCELED && f->reading->goes_on);
    VG_STREAM_CLOSE(closed, f->reading->stream);
    VG_RETURN(closed);
}

static inline struct reader *reader(struct reader *f, struct reading *reading)
{
    VG_SETUP(f, reader);
    f->reading = reading;
    f->items = 0;
    return f;
}

/* Opens the gate's next event and runs. */
static inline void let(struct rig *rig, struct gate *gate, unsigned i)
{
    event_set(&gate->event[i]);
    rig_run(rig);
}

#endif
