/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "harness.h"
#include "sim_private.h"

/* An operation in plain words, for the ledger */

static uint64_t digest_bytes(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static bool has_buffer(const struct vg_op *op)
{
    return op->code == VG_OP_CONNECT || op->code == VG_OP_RECV || op->code == VG_OP_SEND;
}

/* Of everything that is the driver's until the operation is done. */
static uint64_t digest_of(const struct vg_op *op)
{
    uint64_t hash = 0xcbf29ce484222325u;

    hash = digest_bytes(hash, &op->done, sizeof op->done);
    hash = digest_bytes(hash, &op->addr, sizeof op->addr);
    hash = digest_bytes(hash, &op->len, sizeof op->len);
    hash = digest_bytes(hash, &op->flags, sizeof op->flags);
    hash = digest_bytes(hash, &op->fd, sizeof op->fd);
    hash = digest_bytes(hash, &op->code, sizeof op->code);
    if (has_buffer(op))
        hash = digest_bytes(hash, op->addr, op->len);
    return hash;
}

static void check_untouched(const struct sim_op *o)
{
    if (o->digest != digest_of(o->op))
        FAIL("operation %llu (code %u, descriptor %d) or its buffer was written to in flight",
             (unsigned long long)o->order, o->op->code, o->op->fd);
}

/* Lists */

static struct sim_op *find(struct sim *sim, const struct vg_op *op)
{
    for (unsigned i = 0; i < sim->workers; i++)
        for (struct sim_op *o = sim->worker[i].ops; o; o = o->next)
            if (o->op == op)
                return o;
    return NULL;
}

static void append(struct sim_op **list, struct sim_op *o)
{
    while (*list)
        list = &(*list)->next;
    *list = o;
}

static void unlink_op(struct sim_op **list, const struct sim_op *o)
{
    while (*list != o)
        list = &(*list)->next;
    *list = o->next;
}

unsigned sim_in_flight(const struct sim *sim)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sim->workers; i++)
        for (const struct sim_op *o = sim->worker[i].ops; o; o = o->next)
            n++;
    return n;
}

/* Submission */

void sim_ops_submit(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    struct sim *sim = sim_of(driver);
    struct sim_op *o = sim_new(1, sizeof *o);

    CHECK(worker < sim->workers);
    CHECK(op->code < VG_OP_COUNT);
    CHECK(op->done != NULL);
    if (find(sim, op))
        FAIL("an operation was submitted that is in flight");
    op->worker = (uint16_t)worker;
    op->cancel_asked = 0;
    o->op = op;
    o->worker = worker;
    o->order = sim->order++;
    o->digest = digest_of(op);
    append(&sim->worker[worker].ops, o);
    sim->worker[worker].awake = true;
    sim->stats.submitted++;
    sim_note(sim, 'i', op->code, (uint64_t)op->fd);
}

/* The kernel takes it: from now on it holds what the descriptor meant at this moment. */
static void issue(struct sim *sim, struct sim_op *o)
{
    bool connects = o->op->code == VG_OP_CONNECT;

    o->socket = connects ? sim_adopt(sim, o->op->fd) : sim_socket_get(sim, o->op->fd);
    /* Drivers shut a socket down before they close it, so that operations in flight on it end. */
    if (o->socket && o->op->code == VG_OP_CLOSE) {
        sim_shut(o->socket, SHUT_RDWR);
        sim_ops_retime(sim);
    }
    o->issued = true;
    o->blocked = !sim_can(sim, o);
    o->ready_at = sim->now + sim_latency(sim);
}

static unsigned issue_some(struct sim *sim, unsigned worker)
{
    unsigned n = 0;

    for (struct sim_op *o = sim->worker[worker].ops; o && n < sim->limits.submissions;
         o = o->next) {
        if (o->issued)
            continue;
        issue(sim, o);
        n++;
    }
    return n;
}

static bool cancellable(const struct vg_op *op)
{
    return op->code != VG_OP_SHUTDOWN && op->code != VG_OP_CLOSE;
}

void sim_ops_cancel(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    struct sim *sim = sim_of(driver);
    struct sim_op *o = find(sim, op);

    CHECK(worker < sim->workers);
    if (!o || o->cancel != SIM_CANCEL_NONE)
        return;
    bool late = !cancellable(op) || sim_chance(sim, sim->faults.late_cancel);
    o->cancel = late ? SIM_CANCEL_LATE : SIM_CANCEL_SURE;
    o->ready_at = sim->now + sim_latency(sim) / 8;
    op->cancel_asked = 1;
    sim->worker[o->worker].awake = true;
    sim->stats.cancels++;
    sim_note(sim, 'c', o->order, late);
}

/* Completion */

static bool will_end(struct sim *sim, const struct sim_op *o)
{
    if (!o->issued)
        return false;
    return o->cancel != SIM_CANCEL_NONE ? cancellable(o->op) || sim_can(sim, o) : !o->blocked;
}

static bool due(struct sim *sim, const struct sim_op *o)
{
    return will_end(sim, o) && o->ready_at <= sim->now;
}

uint64_t sim_ops_next(struct sim *sim)
{
    uint64_t next = VG_NEVER;

    for (unsigned i = 0; i < sim->workers; i++)
        for (const struct sim_op *o = sim->worker[i].ops; o; o = o->next) {
            if (!o->issued)
                next = sim->now;
            else if (will_end(sim, o) && o->ready_at < next)
                next = o->ready_at;
        }
    return next;
}

bool sim_ops_ready(struct vg_driver *driver, unsigned worker)
{
    struct sim *sim = sim_of(driver);

    for (const struct sim_op *o = sim->worker[worker].ops; o; o = o->next)
        if (!o->issued || due(sim, o))
            return true;
    return false;
}

void sim_ops_retime(struct sim *sim)
{
    for (unsigned i = 0; i < sim->workers; i++) {
        for (struct sim_op *o = sim->worker[i].ops; o; o = o->next) {
            bool blocked = o->issued && !sim_can(sim, o);
            if (o->blocked && !blocked && o->cancel == SIM_CANCEL_NONE)
                o->ready_at = sim->now + sim_latency(sim);
            o->blocked = blocked;
        }
    }
}

/* Of those that are due: the one that has waited longest, or any. */
static struct sim_op *choose(struct sim *sim, unsigned worker)
{
    struct sim_op *first = NULL, *any = NULL;
    uint64_t n = 0;

    for (struct sim_op *o = sim->worker[worker].ops; o; o = o->next) {
        if (!due(sim, o))
            continue;
        if (!first || o->ready_at < first->ready_at)
            first = o;
        if (sim_below(sim, ++n) == 0)
            any = o;
    }
    if (any == first || !sim_chance(sim, sim->faults.reorder))
        return first;
    sim->stats.reordered++;
    return any;
}

static int32_t outcome(struct sim *sim, struct sim_op *o)
{
    bool gives_up = o->cancel == SIM_CANCEL_SURE ||
                    (o->cancel == SIM_CANCEL_LATE && cancellable(o->op) && !sim_can(sim, o));
    if (gives_up)
        return o->moved > 0 ? (int32_t)o->moved : -ECANCELED;
    return sim_do(sim, o);
}

static void count_end(struct sim *sim, const struct sim_op *o, int32_t result)
{
    sim->stats.completed++;
    if (result == -ECANCELED)
        sim->stats.cancelled++;
    else if (o->cancel != SIM_CANCEL_NONE)
        sim->stats.overtaken++;
    sim_note(sim, 'd', o->order, (uint64_t)result);
}

static void finish(struct sim *sim, struct sim_op *o, int32_t result)
{
    struct vg_op *op = o->op;

    unlink_op(&sim->worker[o->worker].ops, o);
    count_end(sim, o, result);
    if (op->code == VG_OP_CONNECT && result < 0 && o->socket)
        sim_disown(sim, op->fd);
    if (o->socket)
        sim_socket_put(sim, o->socket);
    free(o);
    sim_ops_retime(sim);
    op->done(op, result);
}

static void proceed(struct sim *sim, struct sim_op *o)
{
    check_untouched(o);
    int32_t result = outcome(sim, o);
    if (result != -EINPROGRESS) {
        finish(sim, o, result);
        return;
    }
    o->digest = digest_of(o->op);
    o->ready_at = sim->now + sim_latency(sim);
    sim_ops_retime(sim);
}

unsigned sim_ops_turn(struct vg_driver *driver, unsigned worker)
{
    struct sim *sim = sim_of(driver);
    unsigned n = 0;

    CHECK(worker < sim->workers);
    issue_some(sim, worker);
    for (struct sim_op *o; n < sim->limits.completions && (o = choose(sim, worker)); n++)
        proceed(sim, o);
    /* What is left over must not wait for another event. */
    if (sim_ops_ready(driver, worker))
        sim->worker[worker].awake = true;
    return n;
}

/* The worker ends: what it has in flight is cancelled and reported. */
void sim_ops_stop(struct vg_driver *driver, unsigned worker)
{
    struct sim *sim = sim_of(driver);

    for (struct sim_op *o = sim->worker[worker].ops; o; o = sim->worker[worker].ops) {
        if (!o->issued)
            issue(sim, o);
        sim_ops_cancel(driver, worker, o->op);
        proceed(sim, o);
    }
}
