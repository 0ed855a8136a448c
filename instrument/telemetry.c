/* SPDX-License-Identifier: MIT */
#include "telemetry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vg_fault.h"

static const uint64_t PAUSE =
    VG_MSEC(100); /* before accepting again when descriptors have run out */
static const size_t PAGE_MAX = (size_t)8 << 20;

enum { ACCEPTS_MAX = 16 };

/* ---- clients ------------------------------------------------------------------------------------- */

static unsigned count_served(const struct vg_telemetry *telemetry)
{
    unsigned n = 0;

    for (unsigned i = 0; i < VG_CLIENTS_MAX; i++)
        n += telemetry->client[i].state == VG_CLIENT_READING ||
             telemetry->client[i].state == VG_CLIENT_WRITING;
    return n;
}

/* Whether the first of two lingering clients is to give way rather than the second. */
static bool gives_way(const struct vg_client *client, const struct vg_client *other)
{
    if (client->paged != other->paged)
        return !client->paged; /* there is less to lose */
    return client->deadline < other->deadline;
}

/* A free place, or that of a client that lingers. */
static struct vg_client *find_place(struct vg_telemetry *telemetry)
{
    struct vg_client *weakest = NULL;

    for (unsigned i = 0; i < VG_CLIENTS_MAX; i++) {
        struct vg_client *client = &telemetry->client[i];

        if (client->state == VG_CLIENT_FREE)
            return client;
        if (client->state == VG_CLIENT_LINGERING && (weakest == NULL || gives_way(client, weakest)))
            weakest = client;
    }
    if (weakest != NULL)
        vg_client_reset(weakest);
    return weakest;
}

/* One too many: told so at once, whatever it was going to ask. */
static void turn_away(struct vg_telemetry *telemetry, struct vg_client *client)
{
    vg_telemetry_refuse(telemetry, client, 503);
    if (client->state == VG_CLIENT_WRITING)
        vg_client_end(client); /* not even that fits */
}

/* False: there are no more for now. */
static bool accept_one(struct vg_telemetry *telemetry, uint64_t now)
{
    const bool has_room = count_served(telemetry) < VG_TELEMETRY_CONNECTIONS;
    const int fd = accept4(telemetry->endpoint.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct vg_client *client;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            telemetry->accept_after = now + PAUSE;
        return errno == EINTR || errno == ECONNABORTED;
    }
    client = find_place(telemetry);
    VG_ASSERT(client != NULL); /* more places than clients that are served */
    vg_client_begin(client, fd, telemetry->patience, now);
    if (!has_room)
        turn_away(telemetry, client);
    return true;
}

static void read_request(struct vg_telemetry *telemetry, struct vg_client *client)
{
    struct vg_request request;
    unsigned refused;

    if (!vg_client_read(client, &refused))
        return;
    if (refused != 0) {
        vg_telemetry_refuse(telemetry, client, refused);
        return;
    }
    vg_request_parse(&request, client->in, client->in_length, telemetry->endpoint.local);
    if (request.status != 200)
        vg_telemetry_refuse(telemetry, client, request.status);
    else
        vg_telemetry_answer(telemetry, client, &request);
}

static void expire(struct vg_telemetry *telemetry, struct vg_client *client)
{
    if (client->state == VG_CLIENT_READING)
        vg_telemetry_refuse(telemetry, client, 408);
    else
        vg_client_reset(client);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

struct turn {
    struct pollfd fd[2 + VG_CLIENTS_MAX]; /* the bell, the listener, the clients */
    struct vg_client *client[2 + VG_CLIENTS_MAX];
    unsigned count;
    uint64_t until;
};

static void add(struct turn *turn, int fd, short events, struct vg_client *client)
{
    turn->fd[turn->count] = (struct pollfd){.fd = fd, .events = events};
    turn->client[turn->count++] = client;
}

static void gather(struct vg_telemetry *telemetry, struct turn *turn, uint64_t now)
{
    const bool pausing = now < telemetry->accept_after;

    turn->count = 0;
    turn->until = pausing ? telemetry->accept_after : VG_NEVER;
    add(turn, telemetry->bell, POLLIN, NULL);
    add(turn, pausing ? -1 : telemetry->endpoint.fd, POLLIN, NULL);
    for (unsigned i = 0; i < VG_CLIENTS_MAX; i++) {
        struct vg_client *client = &telemetry->client[i];

        if (client->state == VG_CLIENT_FREE)
            continue;
        add(turn, client->fd, vg_client_events(client), client);
        turn->until = client->deadline < turn->until ? client->deadline : turn->until;
    }
}

/* In milliseconds, rounded up; -1: for ever. */
static int timeout_of(const struct turn *turn, uint64_t now)
{
    if (turn->until == VG_NEVER)
        return -1;
    return turn->until > now ? (int)((turn->until - now + VG_MSEC(1) - 1) / VG_MSEC(1)) : 0;
}

static void serve(struct vg_telemetry *telemetry, const struct turn *turn)
{
    for (unsigned i = 2; i < turn->count; i++) {
        struct vg_client *client = turn->client[i];
        const uint64_t now = vg_os_now(); /* a page may have taken long */

        if (turn->fd[i].revents != 0 && client->state == VG_CLIENT_READING)
            read_request(telemetry, client);
        else if (turn->fd[i].revents != 0)
            vg_client_continue(client, now);
        if (client->state != VG_CLIENT_FREE && client->deadline <= now)
            expire(telemetry, client);
    }
    for (unsigned i = 0; turn->fd[1].revents != 0 && i < ACCEPTS_MAX; i++)
        if (!accept_one(telemetry, vg_os_now()))
            break;
}

static void *run(void *arg)
{
    struct vg_telemetry *telemetry = (struct vg_telemetry *)arg;
    struct turn turn;

    /* Acquire: pairs with the release in vg_telemetry_close(). */
    while (!vg_load(&telemetry->stop, acquire)) {
        const uint64_t now = vg_os_now();

        gather(telemetry, &turn, now);
        if (poll(turn.fd, turn.count, timeout_of(&turn, now)) >= 0)
            serve(telemetry, &turn);
        telemetry->figures.cpu = vg_os_cpu_time();
    }
    for (unsigned i = 0; i < VG_CLIENTS_MAX; i++)
        vg_client_end(&telemetry->client[i]);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------------ */

static int start(struct vg_telemetry *telemetry, const char *address)
{
    int rc = vg_endpoint_open(&telemetry->endpoint, address);

    if (rc < 0)
        return rc;
    telemetry->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (telemetry->bell < 0) {
        rc = -errno;
        vg_endpoint_close(&telemetry->endpoint);
        return rc;
    }
    telemetry->thread.run = run;
    telemetry->thread.arg = telemetry;
    rc =
        VG_FAULT("telemetry") ? -EAGAIN : vg_os_thread_start(&telemetry->thread, "vigil-telemetry");
    if (rc < 0) {
        close(telemetry->bell);
        vg_endpoint_close(&telemetry->endpoint);
    }
    return rc;
}

int vg_telemetry_open(struct vg_telemetry **out, struct vg_liveness *live, const char *address,
                      const struct vg_telemetry_config *config)
{
    static const struct vg_telemetry_config defaults = {.page_max = 0};
    const struct vg_alloc *alloc;
    struct vg_telemetry *telemetry;
    int rc;

    *out = NULL;
    if (config == NULL)
        config = &defaults;
    if (config->pools_count > VG_TELEMETRY_POOLS)
        return -EINVAL;
    alloc = config->alloc != NULL ? config->alloc : &vg_alloc_default;
    telemetry = (struct vg_telemetry *)alloc->alloc(alloc->self, sizeof *telemetry, 64);
    if (telemetry == NULL)
        return -ENOMEM;
    memset(telemetry, 0, sizeof *telemetry);
    telemetry->alloc = *alloc;
    telemetry->page_max = config->page_max != 0 ? config->page_max : PAGE_MAX;
    telemetry->patience = config->patience != 0 ? config->patience : VG_SEC(1);
    telemetry->live = live;
    telemetry->figures.pools_count = config->pools_count;
    for (unsigned i = 0; i < config->pools_count; i++)
        telemetry->figures.pools[i] = config->pools[i];
    rc = start(telemetry, address);
    if (rc < 0) {
        alloc->free(alloc->self, telemetry, sizeof *telemetry, 64);
        return rc;
    }
    (void)vg_fetch_add(&live->endpoints, 1, relaxed);
    *out = telemetry;
    return 0;
}

const char *vg_telemetry_address(const struct vg_telemetry *telemetry)
{
    return telemetry->endpoint.address;
}

void vg_telemetry_close(struct vg_telemetry *telemetry)
{
    const struct vg_alloc alloc = telemetry != NULL ? telemetry->alloc : vg_alloc_default;
    const uint64_t one = 1;

    if (telemetry == NULL)
        return;
    vg_store(&telemetry->stop, 1, release); /* pairs with the acquire in run() */
    while (write(telemetry->bell, &one, sizeof one) < 0 && errno == EINTR)
        ;
    vg_os_thread_join(&telemetry->thread);
    close(telemetry->bell);
    vg_endpoint_close(&telemetry->endpoint);
    (void)vg_fetch_sub(&telemetry->live->endpoints, 1, relaxed);
    alloc.free(alloc.self, telemetry, sizeof *telemetry, 64);
}
