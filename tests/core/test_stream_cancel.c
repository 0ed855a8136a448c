/* SPDX-License-Identifier: MIT */
#include "stream_scene.h"

/* What a cancelled wait for an item leaves behind, and what a close waits for. */

/* A future that takes its time to end when it is cancelled: as an operation of the kernel does. */
struct slow {
    struct vg_future fut;
    struct event_wait wait, last; /* its end, and after a cancel this */
};

static vg_poll slow_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct slow *const slow = (struct slow *)(void *)fut;

    if (!vg_poll_future(&slow->wait.fut, cx).ready)
        return VG_PENDING;
    return slow->wait.ret < 0 ? vg_poll_future(&slow->last.fut, cx) : VG_READY;
}

static void slow_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct slow *const slow = (struct slow *)(void *)fut;

    if (slow->wait.fut.state == VG_RUNNING)
        vg_cancel(&slow->wait.fut, cx);
}

static struct slow *slow(struct slow *slow, struct event *end, struct event *last)
{
    static const struct vg_ops ops = {
        .poll = slow_poll,
        .cancel = slow_cancel,
        .name = "slow",
        .size = sizeof(struct slow),
        .kind = VG_KIND_NODE,
    };

    vg_future_init(&slow->fut, &ops);
    event_wait(&slow->wait, end);
    event_wait(&slow->last, last);
    return slow;
}

struct flight {
    struct vg_stream_slot slot;
    struct slow slow;
};

struct scene {
    struct reading reading;
    struct gate gate[2];
    struct count count;
    struct vg_iter iter;
    struct vg_both both;
    struct vg_chunks chunks;
    int chunk[3];
    struct vg_buffered buffered;
    struct flight flight[2];
    struct event end, last, go;
};

static void open_scene(struct rig *rig, struct scene *s)
{
    memset(s, 0, sizeof *s);
    s->reading.value = value_of;
    rig_open(rig);
}

/* Asks, is cancelled by the other arm, and asks again. */
struct twice {
    VG_FRAME(int);
    struct scene *scene;
    struct event_wait go;
    VG_ARMS(2) sel;
};

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    struct reading *const r = &f->scene->reading;
    int arm, rc;
    VG_AWAIT(arm, VG_SELECT(f->sel, VG_CANCEL(vg_stream_next(r->stream)),
                            VG_CANCEL(event_wait(&f->go, &f->scene->go))));
    note(&f->scene->reading.log, arm);
    note(&f->scene->reading.log, f->scene->reading.stream->ret);
    VG_AWAIT(rc, vg_stream_next(f->scene->reading.stream));
    note(&f->scene->reading.log,
         rc > 0 ? f->scene->reading.value(f->scene->reading.stream->item) : rc);
    VG_STREAM_CLOSE(rc, f->scene->reading.stream);
    VG_RETURN(rc);
}

static struct twice *twice(struct twice *f, struct scene *scene)
{
    VG_SETUP(f, twice);
    f->scene = scene;
    return f;
}

/* Cancels the wait after one side has had its item, and lets the other come. */
static void ask_twice(struct rig *rig, struct scene *s, struct vg_stream *stream)
{
    s->reading.stream = stream;
    rig_spawn(rig, twice, s);
    let(rig, &s->gate[0], 0);
    event_set(&s->go);
    rig_run(rig);
}

static int value_of_pair(const void *item)
{
    void *const *const pair = (void *const *)item;

    return 100 * *(const int *)pair[0] + *(const int *)pair[1];
}

TEST(a_zip_that_is_asked_again_still_has_the_one_side)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.value = value_of_pair;
    ask_twice(&rig, &s, vg_stream_zip(&s.both, gate(&s.gate[0], 11), gate(&s.gate[1], 21)));
    let(&rig, &s.gate[1], 0);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED, 1121);
    rig_close(&rig);
}

static int value_of_chunk(const void *item)
{
    const int *const value = (const int *)((const struct vg_chunks *)item)->items;

    CHECK_EQ(((const struct vg_chunks *)item)->count, 2);
    return 100 * value[0] + value[1];
}

TEST(chunks_that_are_asked_again_still_have_what_was_gathered)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.value = value_of_chunk;
    ask_twice(&rig, &s, vg_stream_chunks(&s.chunks, gate(&s.gate[0], 11), s.chunk, sizeof(int), 2));
    let(&rig, &s.gate[0], 1);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED, 1112);
    rig_close(&rig);
}

TEST(a_merge_that_is_asked_again_does_not_give_the_cancel_again)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.reading.stream = vg_stream_merge(&s.both, gate(&s.gate[0], 11), gate(&s.gate[1], 21));
    rig_spawn(&rig, twice, &s);
    event_set(&s.go);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED);
    let(&rig, &s.gate[1], 0);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED, 21);
    rig_close(&rig);
}

static struct vg_future *start_slow(void *arg, void *item, struct vg_stream_slot *slot)
{
    struct scene *const s = (struct scene *)arg;

    (void)item;
    return &slow(&((struct flight *)(void *)slot)->slow, &s->end, &s->last)->fut;
}

TEST(a_close_waits_for_the_end_of_all_that_is_in_flight)
{
    struct scene s = {0};
    struct rig rig;

    open_scene(&rig, &s);
    s.count.end = 1;
    ask_twice(&rig, &s,
              vg_buffered(&s.buffered, vg_stream_iter(&s.iter, count_next, &s.count), s.flight,
                          start_slow, &s));
    CHECK_LOG(&s.reading.log, 1, -ECANCELED);
    CHECK(s.end.waiter != NULL); /* the wait was cancelled, what is in flight was not */
    vg_task_cancel(&rig.task[0]);
    rig_run(&rig);
    CHECK(s.end.waiter == NULL);
    CHECK(!rig_done(&rig, 0));
    event_set(&s.last);
    rig_run(&rig);
    CHECK_LOG(&s.reading.log, 1, -ECANCELED, -ECANCELED);
    CHECK_EQ(RIG_RET(&rig, 0, struct twice), 0);
    rig_close(&rig);
}
