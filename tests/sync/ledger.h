/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_LEDGER_H
#define VIGIL_TESTS_SYNC_LEDGER_H

#include "world.h"

/*
 * What became of every value that was to be sent through a channel: each is received once if its send said so, and
 * never if not, and the values of one sender are received in their order.
 */

enum { LEDGER_SENDERS = 8, LEDGER_VALUES = 64 };

enum ledger_fate { LEDGER_UNTRIED, LEDGER_SENT, LEDGER_REFUSED, LEDGER_CANCELLED };

struct ledger {
    enum ledger_fate fate[LEDGER_SENDERS][LEDGER_VALUES];
    unsigned received[LEDGER_SENDERS][LEDGER_VALUES];
    unsigned next[LEDGER_SENDERS]; /* the least value that may still come */
    unsigned sent, refused, cancelled, arrived;
    bool unordered; /* several receive, so who notes first is not who received first */
};

static inline uint64_t ledger_value(unsigned sender, unsigned i)
{
    return ((uint64_t)sender << 32 | i) + 1;
}

/* `rc` is what the send of the value has returned. */
static inline void ledger_send(struct ledger *ledger, unsigned sender, unsigned i, int rc)
{
    CHECK_EQ(ledger->fate[sender][i], LEDGER_UNTRIED);
    if (rc == 0)
        ledger->sent++;
    else if (rc == -ECANCELED)
        ledger->cancelled++;
    else
        ledger->refused++;
    ledger->fate[sender][i] = rc == 0            ? LEDGER_SENT
                              : rc == -ECANCELED ? LEDGER_CANCELLED
                                                 : LEDGER_REFUSED;
}

static inline void ledger_receive(struct ledger *ledger, uint64_t value)
{
    unsigned sender = (unsigned)((value - 1) >> 32), i = (unsigned)(value - 1);

    CHECK(sender < LEDGER_SENDERS && i < LEDGER_VALUES);
    CHECK_EQ(ledger->received[sender][i]++, 0);
    if (!ledger->unordered)
        CHECK(i >= ledger->next[sender]);
    ledger->next[sender] = i + 1;
    ledger->arrived++;
}

/* After everything was received. */
static inline void ledger_check(const struct ledger *ledger)
{
    for (unsigned sender = 0; sender < LEDGER_SENDERS; sender++)
        for (unsigned i = 0; i < LEDGER_VALUES; i++)
            CHECK_EQ(ledger->received[sender][i], ledger->fate[sender][i] == LEDGER_SENT);
    CHECK_EQ(ledger->arrived, ledger->sent);
}

#endif
