/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SIM_H
#define VIGIL_TESTS_SIM_H

#include <netinet/in.h>

#include <vigil/driver.h>
#include <vigil/exec.h>

/*
 * A driver whose workers, clock and sockets exist only in memory. One generator decides whatever the
 * real world leaves open: which worker runs next, how long an operation takes, in which order
 * completions arrive, how many bytes move, whether a cancel comes in time. The same seed gives the
 * same run, and sim_hash() proves it.
 *
 *     FOR_SEEDS (seed, 500) {
 *         struct sim sim;
 *         struct vg_exec *exec;
 *         sim_open(&sim, seed, 4);
 *         struct vg_config config = sim_config(&sim);
 *         CHECK_EQ(vg_exec_open(&exec, &config), 0);
 *         CHECK_EQ(vg_block_on(exec, &program(&frame)->fut), 0);
 *         CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
 *         sim_close(&sim);
 *     }
 *
 * Clock     Virtual. It stands still while a worker has something to do, and jumps to the next
 *           completion or deadline when none has. It starts at one second.
 * Workers   Stepped by the caller's thread. A worker that went idle runs again only after an unpark, a
 *           completion of its own or the deadline of a timer of its own; or for no reason, if `spurious` says so.
 *           A wake that the library loses therefore stays lost, and the program hangs in a way that
 *           is seen: step() returns false.
 * Memory    Buffers are read and written when the operation completes, by this instrumented code: a
 *           buffer that was freed early is a report of the sanitizer. In every build, a buffer that
 *           its owner changed while it was lent fails the test.
 * Ledger    sim_close() fails the test unless each operation has completed exactly once, every byte sent is
 *           accounted for, no descriptor is left open and none was used after it was closed.
 * Sockets   Streams and listeners with descriptors of their own, which mean nothing to the kernel and are
 *           never used twice. A connect may also be given a socket of the kernel's: it stands for a
 *           simulated one until VG_OP_CLOSE, which closes both.
 */

enum { SIM_FD_BASE = 1000 };

/* How often, in a thousand. Set by sim_open(); change them before the executor is opened. */
struct sim_faults {
    unsigned short_io;    /* transfers that move less than they could */
    unsigned late_cancel; /* cancels that the operation's real result may overtake */
    unsigned reorder;     /* completions taken out of their order */
    unsigned spurious;    /* steps given to a worker that has nothing to do */
    unsigned reset;       /* transfers and connects that meet a reset; 0 unless a test sets it */
    unsigned no_files;    /* accepts that end with -EMFILE; 0 unless a test sets it */
};

struct sim_limits {
    uint64_t latency_ns;   /* the longest time an operation takes once it can be done */
    uint64_t drift_ns;     /* time that a step may take; 0, and then deadlines are met exactly */
    uint64_t watch_ns;     /* how long scans go on when nothing else happens */
    uint64_t steps;        /* more steps than that are a livelock, and fail the test */
    unsigned submissions;  /* operations a turn passes on; the others wait for the next */
    unsigned completions;  /* completions a turn reports */
    uint32_t stream_bytes; /* what one direction of a stream holds */
};

struct sim_stats {
    uint64_t steps, idle_steps, unparks, scans;
    uint64_t submitted, completed; /* operations */
    uint64_t cancels;              /* asked for while in flight */
    uint64_t cancelled;            /* operations that ended with -ECANCELED */
    uint64_t overtaken;            /* cancelled operations that ended with their real result */
    uint64_t shortened, resets, reordered;
    uint64_t bytes_sent, bytes_received, bytes_dropped;
    uint64_t bad_fds; /* operations on descriptors that are not open */
};

struct sim_op;
struct sim_socket;

struct sim_worker {
    struct sim_op *ops; /* in the order of submission */
    bool awake;         /* something may have happened since it went idle */
};

struct sim {
    struct vg_driver driver; /* first */
    struct sim_faults faults;
    struct sim_limits limits;
    struct sim_stats stats;
    bool may_leave_fds; /* sim_close() does not look for open descriptors */
    bool may_use_bad_fds;
    /* private */
    uint64_t seed, random, hash, now, order;
    unsigned workers;
    bool stepping;
    struct sim_worker worker[VG_WORKERS_MAX];
    struct sim_socket **fds; /* by descriptor - SIM_FD_BASE; NULL: closed */
    unsigned fd_count;
    struct sim_socket *adopted[SIM_FD_BASE]; /* the kernel's descriptors that were connected here */
    struct {
        void (*scan)(void *arg, uint64_t now);
        void *arg;
        uint64_t period, next, quiet_since;
    } watch;
};

/* Fails the test when there is no memory, as does everything here. */
void sim_open(struct sim *sim, uint64_t seed, unsigned workers);

/* Checks the ledger and frees everything. After vg_exec_close(). */
void sim_close(struct sim *sim);

/* An executor on this simulator: its workers, its seed, memory from the counting allocator. */
struct vg_config sim_config(struct sim *sim);

/* A digest of every decision so far. */
uint64_t sim_hash(const struct sim *sim);
uint64_t sim_now(const struct sim *sim);

/* The generator itself, for programs that are random too. Uniform below n; true p times in 1000. */
uint64_t sim_below(struct sim *sim, uint64_t n);
bool sim_chance(struct sim *sim, unsigned p);

/* Runs until done(arg): 0. -EDEADLK: nothing can happen any more; -ETIME: that much virtual time has
 * passed. */
int sim_run(struct sim *sim, struct vg_exec *exec, bool (*done)(void *arg), void *arg,
            uint64_t max_ns);

/* Without an executor: moves the clock to the next completion, which turn() then reports. False: nothing
 * in flight can end. */
bool sim_skip(struct sim *sim);

/*
 * Calls scan as time passes: at every multiple of `period` after this call, and whenever the clock
 * stops; of a jump over more than 1000 periods, at the first 1000 and at its end. With a scan set, time
 * goes on while tasks are alive although nothing is due, for limits.watch_ns. NULL ends it.
 */
void sim_set_watch(struct sim *sim, void (*scan)(void *arg, uint64_t now), void *arg,
                   uint64_t period);

/* ---- sockets, for tests and from tasks ------------------------------------------------------ */

int sim_pair(struct sim *sim, int fd[2]); /* two ends of one stream; returns 0 */
int sim_listen(struct sim *sim, unsigned backlog);
int sim_socket(struct sim *sim); /* to be connected */
void sim_address(const struct sim *sim, int listener, struct sockaddr_in *address);

/* A client that has connected at once; -EAGAIN: the backlog is full. */
int sim_connect(struct sim *sim, int listener);

/* What the far end's program does, at once: the number of bytes moved, 0 at the end of the stream, -EAGAIN,
 * or another negative errno. */
int sim_write(struct sim *sim, int fd, const void *data, uint32_t len);
int sim_read(struct sim *sim, int fd, void *data, uint32_t len);
int sim_shutdown(struct sim *sim, int fd, int how);
int sim_close_fd(struct sim *sim, int fd);

/* Breaks the connection: both ends see -ECONNRESET once. */
void sim_reset(struct sim *sim, int fd);

unsigned sim_open_fds(const struct sim *sim);
unsigned sim_in_flight(const struct sim *sim);
uint32_t sim_unread(const struct sim *sim, int fd);  /* bytes that wait to be received there */
unsigned sim_backlog(const struct sim *sim, int fd); /* connections that wait to be accepted */

#endif
