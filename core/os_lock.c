/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "vg_os.h"

_Static_assert(sizeof(pthread_mutex_t) <= VG_OS_LOCK_SIZE, "room for a mutex of the system");
_Static_assert(_Alignof(pthread_mutex_t) <= _Alignof(uint64_t), "and aligned");

int vg_os_lock_init(void *space)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc != 0)
        return rc;
    rc = pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    if (rc == 0)
        rc = pthread_mutex_init((pthread_mutex_t *)space, &attr);
    pthread_mutexattr_destroy(&attr);
    return rc;
}

int vg_os_lock_fini(void *space)
{
    return pthread_mutex_destroy((pthread_mutex_t *)space);
}

int vg_os_lock_try(void *space)
{
    return pthread_mutex_trylock((pthread_mutex_t *)space);
}

int vg_os_lock_take(void *space)
{
    return pthread_mutex_lock((pthread_mutex_t *)space);
}

int vg_os_lock_give(void *space)
{
    return pthread_mutex_unlock((pthread_mutex_t *)space);
}
