/* SPDX-License-Identifier: MIT */
#include <vigil/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "harness.h"

TEST(addresses_are_read_with_their_ports)
{
    struct sockaddr_storage addr;
    const struct sockaddr_in *ip4 = (const struct sockaddr_in *)&addr;
    const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)&addr;

    CHECK_EQ(vg_tcp_parse("127.0.0.1:8080", &addr), sizeof *ip4);
    CHECK_EQ(ip4->sin_family, AF_INET);
    CHECK_EQ(ntohs(ip4->sin_port), 8080);
    CHECK_EQ(ntohl(ip4->sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK_EQ(vg_tcp_parse(":65535", &addr), sizeof *ip4);
    CHECK_EQ(ntohs(ip4->sin_port), 65535);
    CHECK_EQ(ip4->sin_addr.s_addr, htonl(INADDR_ANY));
    CHECK_EQ(vg_tcp_parse("[::1]:0", &addr), sizeof *ip6);
    CHECK_EQ(ip6->sin6_family, AF_INET6);
    CHECK_EQ(ip6->sin6_port, 0);
    CHECK(IN6_IS_ADDR_LOOPBACK(&ip6->sin6_addr));
    CHECK_EQ(vg_tcp_parse("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1", &addr), sizeof *ip6);
}

TEST(nonsense_is_no_address)
{
    static const char *const nonsense[] = {
        "",
        ":",
        "8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:99999999999",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:1 ",
        "127.0.0.1:0x50",
        "127.0.0.1:80a",
        " 127.0.0.1:80",
        "127.0.0.256:80",
        "127.1:80",
        "localhost:80",
        "*:80",
        "::1:80",
        "[::1]",
        "[::1]:",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[:80",
        "]:80",
        "[::1]x:80",
        "[127.0.0.1]:80",
        "[::1%lo]:80",
        "127.0.0.1:80:80",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80",
        "111111111111111111111111111111111111111111111:80",
    };
    struct sockaddr_storage addr;

    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        if (vg_tcp_parse(nonsense[i], &addr) != -EINVAL)
            FAIL("\"%s\" was taken for an address", nonsense[i]);
        CHECK_EQ(vg_tcp_listen(nonsense[i], 1), -EINVAL);
    }
}

TEST(a_listener_learns_its_port_and_shares_it)
{
    int fd = vg_tcp_listen("127.0.0.1:0", 8), port, second;
    char address[32];

    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    port = vg_tcp_port(fd);
    CHECK(port > 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    second = vg_tcp_listen(address, 8);
    CHECK(second >= 0);
    CHECK_EQ(vg_tcp_port(second), port);
    close(fd);
    close(second);
}

TEST(an_address_of_another_machine_cannot_be_listened_on)
{
    CHECK_EQ(vg_tcp_listen("192.0.2.1:0", 8), -EADDRNOTAVAIL);
}

TEST(a_port_is_known_of_sockets_only)
{
    int pair[2];

    CHECK_EQ(vg_tcp_port(-1), -EBADF);
    CHECK_EQ(pipe2(pair, O_CLOEXEC), 0);
    CHECK_EQ(vg_tcp_port(pair[0]), -ENOTSOCK);
    close(pair[0]);
    close(pair[1]);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    CHECK_EQ(vg_tcp_port(pair[0]), -EAFNOSUPPORT);
    close(pair[0]);
    close(pair[1]);
}

TEST(small_pieces_can_be_sent_at_once)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), value = 0;
    socklen_t len = sizeof value;

    CHECK(fd >= 0);
    CHECK_EQ(vg_tcp_nodelay(fd), 0);
    CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);
    CHECK(value != 0);
    close(fd);
    CHECK_EQ(vg_tcp_nodelay(-1), -EBADF);
}
