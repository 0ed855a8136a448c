/* SPDX-License-Identifier: MIT */
#include "instrument/json.h"
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

/* Asks for the page until it says so. */
static char *get_until(const char *address, const char *path, const char *what)
{
    for (;;) {
        char *response = get(address, path);

        CHECK_EQ(status_of(response), 200);
        if (strstr(response, what) != NULL)
            return response;
        free(response);
        usleep(1000);
    }
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

    response = get_until(place.address, "/verdicts", "\"active\":[\n{\"rule\":\"futurelock\"");
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
    response = get_until(place.address, "/verdicts", "\"ended\":true");
    CHECK_STR(response, "\"active\":[]");
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
