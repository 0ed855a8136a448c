/* SPDX-License-Identifier: MIT */
#include "instrument/json.h"
#include "tasks.h"

/* Every worker is in a poll that does not end: the endpoint answers, and says which. */

struct spinner {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop, *spinning;
};

VG_ASYNC(spinner)
{
    VG_BEGIN(f);
    vg_fetch_add(f->spinning, 1, acq_rel);
    while (!vg_load(f->stop, acquire)) /* pairs with the release in the test */
        usleep(100);
    VG_RETURN(0);
}

static struct spinner *spinner(struct spinner *f, VG_ATOMIC(uint32_t) *stop,
                               VG_ATOMIC(uint32_t) *spinning)
{
    VG_SETUP(f, spinner);
    f->stop = stop;
    f->spinning = spinning;
    return f;
}

/* How many verdicts stand; each must be of a blocked worker. */
static unsigned count_active(const char *response)
{
    const char *const end = strstr(response, "\"reports\":[");
    const char *at = strstr(response, "\"active\":[");
    unsigned count = 0;

    CHECK(at != NULL && end != NULL);
    while ((at = strstr(at + 1, "{\"rule\":")) != NULL && at < end) {
        CHECK(strncmp(at, "{\"rule\":\"blocked-worker\",", 25) == 0);
        CHECK_STR(at, "\"task_name\":\"spinner\"");
        count++;
    }
    return count;
}

static void wait_for_active(const char *address, unsigned expected)
{
    for (unsigned count = ~0u; count != expected; usleep(1000)) {
        char *const response = get(address, "/verdicts");

        CHECK(json_is_valid(body_of(response)));
        count = count_active(response);
        free(response);
    }
}

TEST(the_endpoint_answers_when_every_worker_is_stuck)
{
    VG_ATOMIC(uint32_t) stop = 0, spinning = 0;
    struct place place;
    struct vg_handle handle[3] = {{NULL}}, sleeping;
    char *response;

    place_open(&place, 2);
    spawn_sleepers(&place.room, &sleeping, 1);
    do {
        usleep(1000);
        response = get(place.address, "/metrics");
        handle[0].task = (void *)strstr(response, "vigil_tasks{state=\"idle\"} 1\n");
        free(response);
    } while (handle[0].task == NULL);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(VG_SPAWN(place.room.exec, &handle[i], spinner, &stop, &spinning), 0);
    wait_for(&spinning, 2);

    response = get(place.address, "/metrics");
    CHECK_STR(response, "vigil_tasks{state=\"running\"} 2\n");
    CHECK_STR(response, "vigil_tasks{state=\"scheduled\"} 1\n");
    CHECK_STR(response, "vigil_tasks{state=\"idle\"} 1\n");
    free(response);
    response = get(place.address, "/tasks");
    CHECK_STR(response, "\"spinner\", spawned at telemetry/test_stuck.c:");
    CHECK_STR(response, "running on worker 0\n");
    CHECK_STR(response, "running on worker 1\n");
    CHECK_STR(response, ": scheduled, woken ");
    CHECK_STR(response, "sleeper  telemetry/tasks.h:");
    CHECK_STR(response, "4 tasks shown, 0 left out\n");
    free(response);
    wait_for_active(place.address, 2);

    vg_store(&stop, 1, release);
    wait_for_active(place.address, 0);
    end_tasks(handle, 3);
    end_tasks(&sleeping, 1);
    place_close(&place);
}
