/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vg_os.h"

/* How other threads fare with the scheduler of the system. */

uint64_t vg_os_cpu_time_of(int thread)
{
    /* As pthread_getcpuclockid() builds it, for a thread whose pthread_t is not known. */
    const clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
    struct timespec ts;

    if (clock_gettime(clock, &ts) != 0)
        return 0;
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A short file in one piece, as a string. */
static bool read_file(int thread, const char *name, char *buffer, size_t size)
{
    char path[64];
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, buffer, size - 1);
    close(fd);
    buffer[length > 0 ? length : 0] = '\0';
    return length > 0;
}

bool vg_os_look_at(int thread, struct vg_os_look *look)
{
    char buffer[512];
    const char *name_ends;

    if (!read_file(thread, "stat", buffer, sizeof buffer))
        return false;
    name_ends = strrchr(buffer, ')'); /* the name may hold anything */
    if (name_ends == NULL || name_ends[1] != ' ')
        return false;
    look->state = name_ends[2];
    /* The counts after the state: whoever is asleep in both of two looks, and was given a processor just as often, has
     * slept from the one to the other. */
    return read_file(thread, "schedstat", buffer, sizeof buffer) &&
           sscanf(buffer, "%" SCNu64 " %" SCNu64 " %" SCNu64, &look->ran, &look->waited,
                  &look->switches) == 3;
}
