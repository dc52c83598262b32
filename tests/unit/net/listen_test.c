/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Listening sockets of each kind, and what a listener's address may say. */

#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

struct found {
	struct addr a[64];
	size_t n;
};

static void
keep(void *arg, const struct addr *a)
{
	struct found *f = arg;

	if (f->n < ARRAY_LEN(f->a))
		f->a[f->n++] = *a;
}

static int
option(int fd, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	ck_assert_int_eq(getsockopt(fd, level, name, &v, &n), 0);
	return v;
}

START_TEST(tcp)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct addr a, l;
		int fd, c, s;

		ck_assert_int_eq(addr_parse(str_c(hosts[i]), 0, &a), 0);
		fd = listen_open(&a);
		if (fd < 0 && i == 1)
			return; /* no IPv6 here */
		ck_assert_int_ge(fd, 0);
		ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
		if (i == 1)
			ck_assert_int_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
		ck_assert_int_eq(accept(fd, NULL, NULL), -1);
		ck_assert_int_eq(errno, EAGAIN);
		l = addr_local(fd);
		c = socket(addr_family(&l), SOCK_STREAM, 0);
		ck_assert_int_eq(connect(c, (struct sockaddr *)&l.ss, l.len), 0);
		s = accept(fd, NULL, NULL);
		ck_assert_int_ge(s, 0);
		ck_assert_int_ne(option(s, IPPROTO_TCP, TCP_NODELAY), 0);
		/* Who is gone without a word is missed after three minutes. */
		ck_assert_int_eq(option(s, SOL_SOCKET, SO_KEEPALIVE), 1);
		ck_assert_int_eq(option(s, IPPROTO_TCP, TCP_KEEPIDLE) +
		    option(s, IPPROTO_TCP, TCP_KEEPINTVL) *
			option(s, IPPROTO_TCP, TCP_KEEPCNT), 180);
		/* Taken. */
		ck_assert_int_eq(listen_open(&l), -1);
		ck_assert_int_eq(errno, EADDRINUSE);
		/* A restart does not wait for old connections to be forgotten. */
		close(s);
		close(fd);
		fd = listen_open(&l);
		ck_assert_int_ge(fd, 0);
		close(c);
		close(fd);
	}
}
END_TEST

START_TEST(unix_socket)
{
	char dir[SCRATCH_SIZE], path[64];
	struct addr a;
	int fd, fd2;

	scratch_begin(dir);
	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/s", dir), (int)sizeof(path));
	ck_assert_int_eq(addr_unix(path, &a), 0);
	fd = listen_open(&a);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(listen_open(&a), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
	fd2 = listen_open(&a);
	ck_assert_int_ge(fd2, 0);
	close(fd2);
	ck_assert_int_eq(unlink(path), 0);
	/* What is no socket is nobody's to remove. */
	close(open(path, O_CREAT | O_WRONLY, 0600));
	ck_assert_int_eq(listen_open(&a), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(listen_probe(&a), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(listen_open(&a), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* Whether a client at A is taken by FD. */
static bool
takes(int fd, const struct addr *a)
{
	int client = socket(addr_family(a), SOCK_STREAM, 0), got;

	ck_assert_int_eq(connect(client, (const struct sockaddr *)&a->ss, a->len), 0);
	got = accept(fd, NULL, NULL);
	close(client);
	if (got >= 0)
		close(got);
	return got >= 0;
}

/* All addresses on a port where one of them is served, and the other way round. */
START_TEST(beside)
{
	struct addr one, any, other, next;
	int fd, wide, again;

	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), 0, &one), 0);
	ck_assert_int_ge(fd = listen_open(&one), 0);
	one = addr_local(fd);
	ck_assert_int_eq(addr_parse(STR("0.0.0.0"), addr_port(&one), &any), 0);
	ck_assert_int_eq(addr_parse(STR("127.0.0.2"), addr_port(&one), &other), 0);
	ck_assert_int_eq(addr_parse(STR("::"), addr_port(&one), &next), 0);
	ck_assert(listen_overlaps(&one, &any) && listen_overlaps(&any, &one));
	ck_assert(!listen_overlaps(&one, &other) && !listen_overlaps(&any, &next));
	ck_assert(!listen_overlaps(&one, &one) && !listen_overlaps(&any, &any));

	ck_assert_int_eq(listen_open(&any), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_int_ge(wide = listen_open_beside(&any, &fd, 1), 0);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
	ck_assert_int_eq(option(wide, SOL_SOCKET, SO_REUSEPORT), 0);
	ck_assert(takes(fd, &one) && takes(wide, &other));
	close(fd);
	ck_assert(takes(wide, &one));
	ck_assert_int_ge(again = listen_open_beside(&one, &wide, 1), 0);
	ck_assert(takes(again, &one) && takes(wide, &other));
	close(wide);
	close(again);
	/* A socket that is not named stays in the way. */
	ck_assert_int_ge(fd = listen_open(&one), 0);
	ck_assert_int_eq(listen_open_beside(&any, NULL, 0), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
}
END_TEST

START_TEST(probing)
{
	char dir[SCRATCH_SIZE], path[64];
	struct addr a;
	int fd;

	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), 0, &a), 0);
	ck_assert_int_ge(fd = listen_open(&a), 0);
	a = addr_local(fd);
	ck_assert_int_eq(listen_probe(&a), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
	ck_assert_int_eq(listen_probe(&a), 0);
	ck_assert_int_eq(addr_parse(STR("192.0.2.1"), 0, &a), 0);
	ck_assert_int_eq(listen_probe(&a), -1);
	ck_assert_int_eq(errno, EADDRNOTAVAIL);

	scratch_begin(dir);
	snprintf(path, sizeof(path), "%s/s", dir);
	ck_assert_int_eq(addr_unix(path, &a), 0);
	ck_assert_int_eq(listen_probe(&a), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_ge(fd = listen_open(&a), 0);
	ck_assert_int_eq(listen_probe(&a), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
	ck_assert_int_eq(listen_probe(&a), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(listen_probe(&a), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(addr_unix("/barid-no-such-socket", &a), 0);
	ck_assert_int_eq(listen_probe(&a), access("/", W_OK));
}
END_TEST

START_TEST(expanding)
{
	struct found f = { .n = 0 };
	struct addr none = { .len = 0 };
	char name[IF_NAMESIZE];

	ck_assert_int_eq(listen_expand("192.0.2.1", 25, keep, &f), 1);
	ck_assert_uint_eq(addr_port(&f.a[0]), 25);
	f.n = 0;
	ck_assert_int_eq(listen_expand("[::1]", 26, keep, &f), 1);
	ck_assert_int_eq(addr_family(&f.a[0]), AF_INET6);
	f.n = 0;
	ck_assert_int_ge(listen_expand("*", 27, keep, &f), 1);
	ck_assert_int_eq(addr_family(&f.a[0]), AF_INET);
	ck_assert(addr_is_self_like(&f.a[0]) && !addr_is_loopback(&f.a[0]));
	if (f.n == 2) {
		ck_assert_int_eq(addr_family(&f.a[1]), AF_INET6);
		ck_assert_uint_eq(addr_port(&f.a[1]), 27);
	}
	if (if_indextoname(1, name) && strcmp(name, "lo") == 0) {
		f.n = 0;
		ck_assert_int_ge(listen_expand("lo", 28, keep, &f), 1);
		ck_assert_uint_eq(addr_port(&f.a[0]), 28);
		f.n = 0;
		ck_assert_int_ge(listen_expand("lo-ipv4", 28, keep, &f), 1);
		for (size_t i = 0; i < f.n; i++)
			ck_assert_int_eq(addr_family(&f.a[i]), AF_INET);
		f.n = 0;
		ck_assert_int_ge(listen_expand("lo-ipv6", 28, keep, &f), 0);
		for (size_t i = 0; i < f.n; i++)
			ck_assert_int_eq(addr_family(&f.a[i]), AF_INET6);
	}
	f.n = 0;
	ck_assert_int_eq(listen_expand("", 1, keep, &f), -1);
	ck_assert_int_eq(listen_expand("nosuch0", 1, keep, &f), -1);
	ck_assert_int_eq(listen_expand("nosuch0-ipv4", 1, keep, &f), -1);
	ck_assert_int_eq(listen_expand("1.2.3.4.5", 1, keep, &f), -1);
	ck_assert_uint_eq(f.n, 0);
	ck_assert_int_eq(listen_open(&none), -1);
}
END_TEST

UNIT_MAIN("listen", tcp, unix_socket, beside, probing, expanding)
