/* SPDX-License-Identifier: MIT */
#include <time.h>

#include "vg_os.h"
#include "vg_ticks.h"

/*
 * CLOCK_MONOTONIC, for little more than a reading of the processor's counter.
 *
 * Each thread remembers one reading of both, its anchor, and counts ticks from there, for 1 ms at most; then it reads
 * both again. How long a tick is, it measures: from two readings of both that are at least 10 ms apart, and
 * at most some 2 s. Until it has them, it asks the system each time.
 *
 * A thread never sees time go back. If the last millisecond went too fast, the next one begins ahead of the system's time
 * and is made shorter by as much.
 *
 * Error  In a millisecond: two readings off by 50 ns each, over at least 10 ms, and slewing of the system's
 *        clock by at most 0.05 %. Together less than 1 us, mostly some 10 ns. Two threads may disagree by that.
 * Needs  A counter that the kernel makes its own clock of. Elsewhere, and after a millisecond that was off by 50 us,
 *        each call asks the system.
 */

enum { WINDOW_NS = 1000000, APART_NS = 10 * WINDOW_NS, RENEW_NS = 1000 * WINDOW_NS };
enum { ODD_NS = WINDOW_NS / 20, SHIFT = 32, TRIES = 3 };

__extension__ typedef unsigned __int128 wide;

/* Both clocks at one moment. */
struct reading {
    uint64_t ticks, ns;
};

struct clock {
    struct reading anchor;
    uint64_t window; /* in ticks; 0: ask the system */
    uint64_t scale;  /* (ns << SHIFT) of a tick, in this window */
    uint64_t rate;   /* the same, as measured; 0: not yet */
    struct reading base,
        renewal;    /* of the measurement: what it began with, and what the next one will */
    uint64_t quick; /* ticks that the quickest reading took */
    enum { UNKNOWN, REFUSED, TRUSTED } trust;
};

static _Thread_local struct clock mine;

static uint64_t read_system(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A reading that was interrupted is of two moments: the quickest of some is taken. */
static struct reading read_both(struct clock *clock)
{
    struct reading best = {0, 0};
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < TRIES && least > 2 * clock->quick; i++) {
        const uint64_t before = vg_ticks(), ns = read_system(), took = vg_ticks() - before;

        if (took >= least)
            continue;
        least = took;
        best = (struct reading){.ticks = before + took / 2, .ns = ns};
    }
    if (clock->quick == 0 || least < clock->quick)
        clock->quick = least;
    return best;
}

static void measure(struct clock *clock, struct reading now)
{
    const uint64_t ns = now.ns - clock->base.ns, ticks = now.ticks - clock->base.ticks;

    if (clock->base.ns == 0)
        clock->base = clock->renewal = now;
    if (clock->base.ns == now.ns || ns < APART_NS)
        return;
    clock->rate = (uint64_t)(((wide)ns << SHIFT) / (ticks > 0 ? ticks : 1));
    if (now.ns - clock->renewal.ns < RENEW_NS)
        return;
    clock->base = clock->renewal;
    clock->renewal = now;
}

static uint64_t since_anchor(const struct clock *clock, uint64_t ticks)
{
    return (uint64_t)((wide)ticks * clock->scale >> SHIFT);
}

/* Nothing later than this has been returned. */
static uint64_t latest(const struct clock *clock)
{
    return clock->anchor.ns + since_anchor(clock, clock->window);
}

/* Whether a window that has just ended ended where the system's clock says. */
static bool was_right(const struct clock *clock, struct reading now)
{
    const uint64_t ticks = now.ticks - clock->anchor.ticks;
    const uint64_t expected = clock->anchor.ns + since_anchor(clock, ticks);

    return clock->window == 0 || ticks >= 2 * clock->window ||
           (expected < now.ns + ODD_NS && now.ns < expected + ODD_NS);
}

/* Begins a window, or does without if the rate is not known, or the last one was wrong. */
static uint64_t begin_window(struct clock *clock)
{
    const struct reading now = read_both(clock);
    const uint64_t begin = now.ns > latest(clock) ? now.ns : latest(clock);
    uint64_t lead = begin - now.ns;

    if (!was_right(clock, now))
        clock->trust = REFUSED;
    measure(clock, now);
    lead = lead < WINDOW_NS / 2 ? lead : WINDOW_NS / 2;
    clock->anchor = (struct reading){.ticks = now.ticks, .ns = begin};
    clock->scale = (uint64_t)((wide)clock->rate * (WINDOW_NS - lead) / WINDOW_NS);
    clock->window = 0;
    if (clock->rate > 0 && clock->trust == TRUSTED)
        clock->window = ((uint64_t)WINDOW_NS << SHIFT) / clock->rate;
    return begin;
}

/* Without a window. */
static uint64_t ask_system(struct clock *clock)
{
    uint64_t now;

    if (clock->trust == UNKNOWN)
        clock->trust = vg_ticks_trusted() ? TRUSTED : REFUSED;
    if (clock->trust == TRUSTED && (clock->rate > 0 || clock->base.ns == 0))
        return begin_window(clock);
    now = read_system();
    if (clock->trust == TRUSTED && now - clock->base.ns >= APART_NS)
        return begin_window(clock);
    return now > clock->anchor.ns ? now : clock->anchor.ns;
}

uint64_t vg_os_now(void)
{
    struct clock *const clock = &mine;
    const uint64_t ticks = vg_ticks() - clock->anchor.ticks; /* huge if the counter went back */

    if (VG_LIKELY(ticks < clock->window))
        return clock->anchor.ns + since_anchor(clock, ticks);
    return ask_system(clock);
}
