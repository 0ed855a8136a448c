/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/stat.h>

#include "http.h"
#include "vg_fault.h"

/* Where an endpoint may listen, and what becomes of the file of a Unix socket. */

struct bench {
    struct vg_liveness *live;
    struct vg_telemetry *telemetry;
    char directory[64], path[96], address[128];
};

static void bench_open(struct bench *bench)
{
    const char *tmp = getenv("TMPDIR");

    CHECK_EQ(vg_liveness_open(&bench->live, NULL), 0);
    snprintf(bench->directory, sizeof bench->directory, "%.40s/vigil-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    CHECK(mkdtemp(bench->directory) != NULL);
    snprintf(bench->path, sizeof bench->path, "%s/socket", bench->directory);
    snprintf(bench->address, sizeof bench->address, "unix:%s", bench->path);
}

/* Whatever was in the directory is gone by then. */
static void bench_close(struct bench *bench)
{
    CHECK_EQ(rmdir(bench->directory), 0);
    vg_liveness_close(bench->live);
}

static int try(struct bench *bench, const char *address)
{
    const struct vg_telemetry_config config = {.alloc = &test_alloc};

    return vg_telemetry_open(&bench->telemetry, bench->live, address, &config);
}

TEST(only_addresses_of_this_machine_are_taken)
{
    static const struct {
        const char *address;
        int rc;
    } cases[] = {
        {"0.0.0.0:0", -EACCES},
        {"203.0.113.1:9464", -EACCES},
        {"[::]:0", -EACCES},
        {"[2001:db8::1]:80", -EACCES},
        {"128.0.0.1:0", -EACCES},
        {"126.255.255.255:0", -EACCES},
        {"[::ffff:1.2.3.4]:0", -EACCES},
        {"", -EINVAL},
        {"127.0.0.1", -EINVAL},
        {"127.0.0.1:", -EINVAL},
        {"127.0.0.1:65536", -EINVAL},
        {"127.0.0.1:-1", -EINVAL},
        {"127.0.0.1:80x", -EINVAL},
        {"localhost:80", -EINVAL},
        {":80", -EINVAL},
        {"::1:80", -EINVAL},
        {"[::1]80", -EINVAL},
        {"[]:80", -EINVAL},
        {"127.1:80", -EINVAL},
        {"unix:", -EINVAL},
        {"[::1:80", -EINVAL},
    };
    struct bench bench;

    bench_open(&bench);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        if (try(&bench, cases[i].address) != cases[i].rc)
            FAIL("'%s'", cases[i].address);
    bench_close(&bench);
}

TEST(the_port_that_0_became_is_told)
{
    struct bench bench;
    struct vg_telemetry *first;
    char taken[160];

    bench_open(&bench);
    CHECK_EQ(try(&bench, "127.0.0.1:0"), 0);
    first = bench.telemetry;
    snprintf(taken, sizeof taken, "%s", vg_telemetry_address(first));
    CHECK(strncmp(taken, "127.0.0.1:", 10) == 0 && atoi(taken + 10) > 0);
    CHECK_EQ(get_status(taken, "/"), 200);
    CHECK_EQ(try(&bench, taken), -EADDRINUSE);
    vg_telemetry_close(first);
    CHECK_EQ(try(&bench, taken), 0); /* at once, although connections have just ended */
    vg_telemetry_close(bench.telemetry);
    bench_close(&bench);
}

TEST(another_loopback_address_and_ipv6_will_do)
{
    struct bench bench;
    int rc;

    bench_open(&bench);
    CHECK_EQ(try(&bench, "127.9.8.7:0"), 0);
    CHECK_STR(vg_telemetry_address(bench.telemetry), "127.9.8.7:");
    vg_telemetry_close(bench.telemetry);
    rc = try(&bench, "[::1]:0");
    if (rc == 0) {
        CHECK_STR(vg_telemetry_address(bench.telemetry), "[::1]:");
        vg_telemetry_close(bench.telemetry);
    } else {
        CHECK(rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT); /* a machine without it */
    }
    bench_close(&bench);
}

TEST(a_unix_socket_is_for_its_user_alone_and_goes_with_the_endpoint)
{
    struct bench bench;
    struct stat st;
    mode_t mask;

    bench_open(&bench);
    mask = umask(0);
    CHECK_EQ(try(&bench, bench.address), 0);
    umask(mask);
    CHECK_EQ(stat(bench.path, &st), 0);
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK(strcmp(vg_telemetry_address(bench.telemetry), bench.address) == 0);
    CHECK_EQ(ask_status(bench.address, "GET / HTTP/1.1\r\nHost: whatever\r\n\r\n"), 200);
    vg_telemetry_close(bench.telemetry);
    CHECK(stat(bench.path, &st) < 0);
    bench_close(&bench);
}

TEST(a_socket_that_nobody_listens_on_is_replaced)
{
    struct bench bench;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    bench_open(&bench);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", bench.path);
    CHECK_EQ(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    close(fd); /* as if the process had died */
    CHECK_EQ(try(&bench, bench.address), 0);
    CHECK_EQ(get_status(bench.address, "/"), 200);
    vg_telemetry_close(bench.telemetry);
    bench_close(&bench);
}

TEST(a_socket_in_use_is_left_alone)
{
    struct bench bench;
    struct vg_telemetry *first;

    bench_open(&bench);
    CHECK_EQ(try(&bench, bench.address), 0);
    first = bench.telemetry;
    CHECK_EQ(try(&bench, bench.address), -EADDRINUSE);
    CHECK_EQ(get_status(bench.address, "/"), 200);
    vg_telemetry_close(first);
    bench_close(&bench);
}

TEST(another_file_is_never_touched)
{
    struct bench bench;
    struct vg_telemetry *kept;
    int fd;

    bench_open(&bench);
    fd = open(bench.path, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0644);
    CHECK(fd >= 0);
    close(fd);
    CHECK_EQ(try(&bench, bench.address), -EEXIST);
    CHECK_EQ(access(bench.path, F_OK), 0);
    CHECK_EQ(unlink(bench.path), 0);

    CHECK_EQ(symlink("elsewhere", bench.path), 0);
    CHECK_EQ(try(&bench, bench.address), -EEXIST);
    CHECK_EQ(unlink(bench.path), 0);

    /* Something has taken the place of the socket meanwhile. */
    CHECK_EQ(try(&bench, bench.address), 0);
    kept = bench.telemetry;
    CHECK_EQ(unlink(bench.path), 0);
    fd = open(bench.path, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0644);
    CHECK(fd >= 0);
    close(fd);
    vg_telemetry_close(kept);
    CHECK_EQ(access(bench.path, F_OK), 0);
    CHECK_EQ(unlink(bench.path), 0);
    bench_close(&bench);
}

TEST(a_path_that_cannot_be_is_refused)
{
    struct bench bench;
    char long_path[200];

    bench_open(&bench);
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    memcpy(long_path, "unix:", 5);
    CHECK_EQ(try(&bench, long_path), -ENAMETOOLONG);
    CHECK_EQ(try(&bench, "unix:/nonexistent/directory/socket"), -ENOENT);
    bench_close(&bench);
}

TEST(without_memory_there_is_no_endpoint)
{
    struct bench bench;

    bench_open(&bench);
    test_alloc_fail_at(1);
    CHECK_EQ(try(&bench, "127.0.0.1:0"), -ENOMEM);
    test_alloc_fail_at(0);
    bench_close(&bench);
}

#if VG_FAULTS
static int no_thread(const char *name)
{
    return strcmp(name, "telemetry") == 0;
}

TEST(without_a_thread_there_is_no_endpoint_and_no_socket)
{
    struct bench bench;

    bench_open(&bench);
    vg_fault_install(no_thread);
    CHECK_EQ(try(&bench, bench.address), -EAGAIN);
    vg_fault_install(NULL);
    CHECK(access(bench.path, F_OK) < 0);
    bench_close(&bench);
}
#endif
