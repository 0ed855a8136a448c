/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>

#include "instrument/json.h"
#include "tasks.h"

/* What a client that behaves is given. */

static size_t content_length(const char *response)
{
    const char *field = strstr(response, "\r\nContent-Length: ");

    CHECK(field != NULL);
    return strtoul(field + 18, NULL, 10);
}

TEST(every_page_is_served_and_says_what_it_is)
{
    static const struct {
        const char *path, *type, *body;
    } pages[] = {
        {"/", "text/plain; charset=utf-8", "/metrics"},
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", "# TYPE vigil_tasks gauge\n"},
        {"/metrics?x=/tasks", "text/plain; version=0.0.4", "vigil_tasks{state=\"idle\"} 3\n"},
        {"/tasks", "text/plain; charset=utf-8", "\"sleeper\", spawned at "},
        {"/tasks.json", "application/json", "\"name\":\"sleeper\""},
        {"/verdicts", "application/json", "\"futurelock\":{\"suspected\":0"},
    };
    struct place place;
    struct vg_handle handle[3];

    place_open(&place, 2);
    spawn_sleepers(&place.room, handle, 3);
    free(get_until(place.address, "/metrics", "vigil_tasks{state=\"idle\"} 3\n"));
    while (get_status(place.address, "/tasks") != 200)
        usleep(1000);
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++) {
        char type[96], *response = get(place.address, pages[i].path);

        CHECK_EQ(status_of(response), 200);
        snprintf(type, sizeof type, "\r\nContent-Type: %s", pages[i].type);
        CHECK_STR(response, type);
        CHECK_STR(response, pages[i].body);
        CHECK_STR(response, "\r\nConnection: close\r\n");
        CHECK_EQ(content_length(response), strlen(body_of(response)));
        free(response);
    }
    end_tasks(handle, 3);
    place_close(&place);
}

TEST(what_is_said_to_be_json_is)
{
    static const char *const paths[] = {"/tasks.json", "/verdicts"};
    struct place place;
    struct vg_handle handle[20];

    place_open(&place, 2);
    spawn_sleepers(&place.room, handle, 20);
    for (unsigned i = 0; i < 2; i++) {
        char *response = get(place.address, paths[i]);

        if (!json_is_valid(body_of(response)))
            FAIL("invalid: %s", body_of(response));
        free(response);
    }
    end_tasks(handle, 20);
    place_close(&place);
}

TEST(head_is_answered_without_the_page)
{
    struct place place;
    char *response;

    place_open(&place, 1);
    response = ask(place.address, "HEAD / HTTP/1.0\r\n\r\n");
    CHECK_EQ(status_of(response), 200);
    CHECK(content_length(response) > 50);
    CHECK_EQ(strlen(body_of(response)), 0);
    free(response);
    place_close(&place);
}

TEST(the_format_of_metrics_is_negotiated)
{
    struct place place;
    char *response;

    place_open(&place, 1);
    response = ask(place.address,
                   "GET /metrics HTTP/1.1\r\nHost: [::1]:9\r\nAccept: application/openmetrics-text;"
                   "version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n\r\n");
    CHECK_STR(response, "\r\nContent-Type: application/openmetrics-text; version=1.0.0");
    CHECK_STR(response, "# TYPE vigil_worker_polls counter\n");
    CHECK_STR(response, "# UNIT vigil_worker_time_seconds seconds\n");
    CHECK(strcmp(response + strlen(response) - 6, "# EOF\n") == 0);
    free(response);
    place_close(&place);
}

/* ---- tasks ------------------------------------------------------------------------------------- */

struct family {
    VG_FRAME(int);
    struct room *room;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(family)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->room->mutex)),
                               VG_CANCEL(vg_sleep(&f->nap, VG_NEVER))));
    if (f->ret == 0 && f->lock.ret == 0)
        vg_unlock(&f->room->mutex);
    VG_RETURN(0);
}

static struct family *family(struct family *f, struct room *room)
{
    VG_SETUP(f, family);
    f->room = room;
    return f;
}

TEST(a_tree_shows_what_an_idle_task_waits_for)
{
    struct place place;
    struct vg_handle handle;
    char *response = NULL;

    place_open(&place, 1);
    CHECK(vg_trylock(&place.room.mutex));
    CHECK_EQ(VG_SPAWN(place.room.exec, &handle, family, &place.room), 0);
    do {
        free(response);
        usleep(1000);
        response = get(place.address, "/tasks");
    } while (strstr(response, ": idle for ") == NULL);
    CHECK_STR(response, "    family  telemetry/test_pages.c:");
    CHECK_STR(response, "  VG_SELECT(");
    CHECK_STR(response, "waits for mutex \"room\"");
    CHECK_STR(response, "(timer)");
    CHECK_STR(response, "1 tasks shown, 0 left out");
    CHECK(strstr(response, "0x") == NULL);
    free(response);
    vg_unlock(&place.room.mutex);
    end_tasks(&handle, 1);
    place_close(&place);
}

TEST(a_page_that_would_be_too_long_says_so)
{
    struct vg_telemetry_config config = {.alloc = &test_alloc, .patience = VG_SEC(50)};
    struct place place;
    struct vg_handle handle[100];
    char *response;

    config.page_max = 36 * 1024;
    place_open_with(&place, 1, "127.0.0.1:0", &config);
    spawn_sleepers(&place.room, handle, 100);
    response = get(place.address, "/tasks");
    CHECK_EQ(status_of(response), 200);
    CHECK(strstr(response, " 0 left out\n") == NULL);
    CHECK(strlen(body_of(response)) <= 36 * 1024);
    free(response);
    end_tasks(handle, 100);
    place_close(&place);

    config.page_max = 1024;
    place_open_with(&place, 1, "127.0.0.1:0", &config);
    CHECK_EQ(get_status(place.address, "/metrics"), 503);
    CHECK_EQ(get_status(place.address, "/"), 200);
    place_close(&place);
}

/* ---- life -------------------------------------------------------------------------------------- */

/* A file with a name is none of ours: the watchdog reads some of /proc now and then, and may be done with it. */
static bool is_named(int directory, const char *entry)
{
    char target[64];

    if (readlinkat(directory, entry, target, sizeof target) > 0)
        return target[0] == '/';
    return errno == ENOENT;
}

/* Of /proc/self/task or /proc/self/fd. */
static unsigned count_entries(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    unsigned n = 0;

    CHECK(directory != NULL);
    while ((entry = readdir(directory)) != NULL)
        n += !is_named(dirfd(directory), entry->d_name);
    closedir(directory);
    return n;
}

TEST(without_being_asked_for_there_is_no_thread_and_no_socket)
{
    struct room room;
    struct vg_telemetry *telemetry;
    unsigned threads, files;

    room_open(&room, 1, true);
    threads = count_entries("/proc/self/task");
    files = count_entries("/proc/self/fd");
    CHECK_EQ(vg_telemetry_open(&telemetry, room.live, "127.0.0.1:0", NULL), 0);
    CHECK_EQ(count_entries("/proc/self/task"), threads + 1);
    CHECK_EQ(count_entries("/proc/self/fd"), files + 2);
    vg_telemetry_close(telemetry);
    while (count_entries("/proc/self/task") != threads) /* the kernel's list is behind a join */
        usleep(1000);
    CHECK_EQ(count_entries("/proc/self/fd"), files);
    vg_telemetry_close(NULL);
    room_close(&room);
}

TEST(executors_come_and_go_under_an_open_endpoint)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness *live;
    struct vg_telemetry *telemetry;
    struct vg_exec *exec;

    watch.alloc = &test_alloc;
    CHECK_EQ(vg_liveness_open(&live, &watch), 0);
    CHECK_EQ(vg_telemetry_open(&telemetry, live, "127.0.0.1:0", NULL), 0);
    config.probe = vg_liveness_probe(live);
    config.workers = 2;
    for (int i = 0; i < 3; i++) {
        static const char *const paths[] = {"/metrics", "/tasks", "/tasks.json", "/verdicts"};

        for (unsigned p = 0; p < 4; p++)
            CHECK_EQ(get_status(vg_telemetry_address(telemetry), paths[p]), 200);
        CHECK_EQ(vg_exec_open(&exec, &config), 0);
        for (unsigned p = 0; p < 4; p++)
            CHECK_EQ(get_status(vg_telemetry_address(telemetry), paths[p]), 200);
        CHECK_EQ(vg_exec_close(exec, VG_SEC(60)), 0);
    }
    CHECK_PANICS("it has telemetry", vg_liveness_close(live));
    vg_telemetry_close(telemetry);
    vg_liveness_close(live);
}
