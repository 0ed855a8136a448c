/* SPDX-License-Identifier: MIT */
#include "instrument/json.h"
#include "instrument/live.h"
#include "tasks.h"

/* A futurelock, from its beginning to its end, as the endpoint tells it. */

struct locker {
    VG_FRAME(int);
    struct room *room;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_lock first, second;
};

VG_ASYNC(locker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->first, &f->room->mutex)),
                               VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(5)))));
    VG_AWAIT(f->ret, vg_lock(&f->second, &f->room->mutex));
    if (f->ret == 0)
        vg_unlock(&f->room->mutex);
    VG_AWAIT_CANCEL(f->ret, &f->first);
    if (f->ret == 0)
        vg_unlock(&f->room->mutex);
    VG_RETURN(0);
}

static struct locker *locker(struct locker *f, struct room *room)
{
    VG_SETUP(f, locker);
    f->room = room;
    return f;
}

TEST(a_futurelock_is_active_and_then_past)
{
    struct place place;
    struct vg_handle handle;
    char *response;

    room_open(&place.room, 2, false);
    CHECK_EQ(vg_telemetry_open(&place.telemetry, place.room.live, "127.0.0.1:0", NULL), 0);
    place.address = vg_telemetry_address(place.telemetry);
    CHECK(vg_trylock(&place.room.mutex));
    CHECK_EQ(VG_SPAWN(place.room.exec, &handle, locker, &place.room), 0);

    response = get_until_both(place.address, "/verdicts", "\"active\":[\n{\"rule\":\"futurelock\"",
                              "\"number\":1,");
    CHECK(json_is_valid(body_of(response)));
    CHECK_STR(response, "\"confidence\":\"confirmed\"");
    CHECK_STR(response, "\"task_name\":\"locker\"");
    CHECK_STR(response, "\"resource\":{\"kind\":\"mutex\",\"name\":\"room\"");
    CHECK_STR(response, "\"reports\":[\n{\"number\":1,");
    CHECK_STR(response, "\"text\":\"vigil: futurelock, confirmed: task ");
    CHECK(strstr(response, "0x") == NULL);
    free(response);
    response = get(place.address, "/metrics");
    CHECK_STR(response, "\nvigil_verdict_active{rule=\"futurelock\"} 1\n");
    CHECK_STR(response, "\nvigil_verdicts_total{rule=\"futurelock\",confidence=\"confirmed\"} 1\n");
    CHECK_STR(response, "\nvigil_starvation_duration_seconds_count{rule=\"futurelock\"} 0\n");
    free(response);

    vg_task_cancel(&handle);
    response = get_until_both(place.address, "/verdicts", "\"active\":[]", "\"ended\":true");
    CHECK_STR(response, "\"number\":2,");
    CHECK(json_is_valid(body_of(response)));
    free(response);
    response = get(place.address, "/metrics");
    CHECK_STR(response, "\nvigil_starvation_duration_seconds_count{rule=\"futurelock\"} 1\n");
    CHECK_STR(response, "\nvigil_verdict_active{rule=\"futurelock\"} 0\n");
    free(response);
    vg_unlock(&place.room.mutex);
    end_tasks(&handle, 1);
    place_close(&place);
}

/* ---- the end ----------------------------------------------------------------------------------- */

struct witness {
    struct vg_liveness *live;
    unsigned reports;
};

static void take_snapshot(const struct vg_report *report, void *arg)
{
    struct witness *witness = (struct witness *)arg;
    struct vg_snapshot *snapshot;

    CHECK_EQ(report->verdict, VG_VERDICT_FUTURELOCK);
    CHECK_EQ(vg_snapshot(witness->live, &snapshot), 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_FUTURELOCK].confirmed, 1);
    vg_snapshot_free(snapshot);
    witness->reports++;
}

/* Nobody scans before the executor is closed, which then makes the report. */
TEST(a_report_that_is_made_at_the_end_may_take_a_snapshot)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;
    struct witness witness = {.reports = 0};
    struct room room = {.live = NULL};
    struct vg_handle handle;

    TEST_TIMEOUT(20); /* what goes wrong here is a deadlock */
    watch.manual = true;
    watch.to_stderr = false;
    watch.report = take_snapshot;
    watch.arg = &witness;
    CHECK_EQ(vg_liveness_open(&witness.live, &watch), 0);
    config.probe = vg_liveness_probe(witness.live);
    config.workers = 1;
    config.no_healing = true;
    CHECK_EQ(vg_exec_open(&room.exec, &config), 0);
    vg_mutex_init(&room.mutex, "room");
    CHECK(vg_trylock(&room.mutex));
    CHECK_EQ(VG_SPAWN(room.exec, &handle, locker, &room), 0);
    while (!vg_post_pending(witness.live))
        usleep(1000);
    vg_task_cancel(&handle);
    vg_unlock(&room.mutex);
    end_tasks(&handle, 1);
    CHECK_EQ(witness.reports, 0);
    CHECK_EQ(vg_exec_close(room.exec, VG_SEC(60)), 0);
    CHECK(witness.reports >= 1);
    vg_mutex_fini(&room.mutex);
    vg_liveness_close(witness.live);
}
