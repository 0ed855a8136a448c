/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "vg_os.h"

bool vg_os_thread_waited(int thread, uint64_t *ns)
{
    char text[96];
    ssize_t length;
    int fd;

    snprintf(text, sizeof text, "/proc/self/task/%d/schedstat", thread);
    fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    /* time on the processor, time ready to run, number of times it ran */
    return sscanf(text, "%*u %" SCNu64, ns) == 1;
}
