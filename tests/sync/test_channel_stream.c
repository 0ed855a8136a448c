/* SPDX-License-Identifier: MIT */
#include <vigil/channel_stream.h>
#include <vigil/exec.h>

#include "../core/rig.h"
#include "harness.h"
#include "sim.h"

/* Channels as streams. */

enum { CAPACITY = 4, READ_MAX = 16 };

struct reader {
    VG_FRAME(int);
    struct vg_stream *stream;
    int *log;
    unsigned length;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    int rc, closed;
    do {
        VG_EACH (rc, f->stream) {
            CHECK(f->length < READ_MAX);
            f->log[f->length++] = *(const int *)f->stream->item;
        }
        f->log[f->length++] = rc;
    } while (rc == -EOVERFLOW);
    VG_STREAM_CLOSE(closed, f->stream);
    VG_RETURN(closed < 0 ? closed : (int)f->length);
}

static struct reader *reader(struct reader *f, struct vg_stream *stream, int *log)
{
    VG_SETUP(f, reader);
    f->stream = stream;
    f->log = log;
    f->length = 0;
    return f;
}

static void check_log(struct rig *rig, const int *log, const int *expected, int length)
{
    rig_run(rig);
    CHECK_EQ(RIG_RET(rig, 0, struct reader), length);
    for (int i = 0; i < length; i++)
        CHECK_EQ(log[i], expected[i]);
    rig_close(rig);
}

TEST(an_mpsc_channel_gives_its_values_and_ends_when_it_is_closed_and_empty)
{
    struct vg_receive_stream stream;
    struct vg_mpsc channel;
    int slots[CAPACITY], value, log[READ_MAX] = {0};
    struct rig rig;

    vg_mpsc_init(&channel, "numbers", slots, CAPACITY);
    rig_open(&rig);
    rig_spawn(&rig, reader, vg_mpsc_stream(&stream, &channel, &value), log);
    for (int i = 1; i <= 3; i++)
        CHECK_EQ(vg_mpsc_try_send(&channel, &i), 0);
    rig_run(&rig);
    CHECK_EQ(vg_mpsc_try_send(&channel, &(int){4}), 0);
    vg_mpsc_close(&channel);
    check_log(&rig, log, (const int[]){1, 2, 3, 4, 0}, 5);
    vg_mpsc_fini(&channel);
}

TEST(an_unbounded_channel_does_too)
{
    struct vg_receive_stream stream;
    struct vg_unbounded channel;
    int value, log[READ_MAX] = {0};
    struct rig rig;

    vg_unbounded_init(&channel, "numbers", sizeof(int), NULL);
    rig_open(&rig);
    rig_spawn(&rig, reader, vg_unbounded_stream(&stream, &channel, &value), log);
    for (int i = 1; i <= 3; i++)
        CHECK_EQ(vg_unbounded_send(&channel, &i), 0);
    vg_unbounded_close(&channel);
    check_log(&rig, log, (const int[]){1, 2, 3, 0}, 4);
    vg_unbounded_fini(&channel);
}

TEST(an_mpmc_channel_does_too)
{
    struct vg_mpmc_stream stream;
    struct vg_mpmc channel;
    int slots[CAPACITY], value, log[READ_MAX] = {0};
    struct rig rig;

    vg_mpmc_init(&channel, "numbers", slots, CAPACITY);
    rig_open(&rig);
    rig_spawn(&rig, reader, vg_mpmc_stream(&stream, &channel, &value), log);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(vg_mpmc_try_send(&channel, &i), 0);
        rig_run(&rig);
    }
    vg_mpmc_close(&channel);
    check_log(&rig, log, (const int[]){1, 2, 3, 0}, 4);
    vg_mpmc_fini(&channel);
}

TEST(a_subscriber_is_told_what_it_has_lost_and_goes_on)
{
    struct vg_broadcast_stream stream;
    struct vg_broadcast channel;
    struct vg_subscription subscription;
    int slots[CAPACITY], value, log[READ_MAX] = {0};
    struct rig rig;

    vg_broadcast_init(&channel, "news", slots, CAPACITY);
    vg_broadcast_subscribe(&subscription, &channel);
    for (int i = 1; i <= CAPACITY + 2; i++)
        CHECK_EQ(vg_broadcast_send(&channel, &i), 0);
    rig_open(&rig);
    rig_spawn(&rig, reader, vg_broadcast_stream(&stream, &subscription, &value), log);
    CHECK_EQ(subscription.lost, 2);
    vg_broadcast_close(&channel);
    check_log(&rig, log, (const int[]){-EOVERFLOW, 3, 4, 5, 6, 0}, 6);
    vg_broadcast_fini(&channel);
}

TEST(a_cancelled_reader_takes_nothing_out_of_the_channel)
{
    struct vg_receive_stream stream;
    struct vg_mpsc channel;
    int slots[CAPACITY], value, log[READ_MAX] = {0};
    struct rig rig;

    vg_mpsc_init(&channel, "numbers", slots, CAPACITY);
    rig_open(&rig);
    rig_spawn(&rig, reader, vg_mpsc_stream(&stream, &channel, &value), log);
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK_EQ(vg_mpsc_try_send(&channel, &(int){1}), 0);
    check_log(&rig, log, (const int[]){-ECANCELED}, 1);
    CHECK_EQ(vg_mpsc_length(&channel), 1);
    vg_mpsc_fini(&channel);
}
