/* SPDX-License-Identifier: GPL-3.0-or-later */

/* connect -- somebody there, nobody there, no time, and a server that takes nobody. */

#include "net/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "unit.h"

#define LONG_MS 60000

/* A listener on the loopback with room for BACKLOG; its address goes to A. */
static int
listener(int backlog, struct addr *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(a->ss);

	ck_assert_int_eq(addr_parse(STR("127.0.0.1"), 0, a), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a->ss, a->len), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a->ss, &n), 0);
	return fd;
}

START_TEST(somebody)
{
	struct addr a;
	int server = listener(8, &a), fd = connect_until(&a, clock_ms() + LONG_MS);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	/* There is no time left at all. */
	ck_assert_int_eq(connect_until(&a, clock_ms() - 1), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(server);
	ck_assert_int_eq(connect_until(&a, clock_ms() + LONG_MS), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

/* Its line of waiting clients is full, so that nobody answers. */
START_TEST(nobody_answers)
{
	struct addr a;
	int server = listener(0, &a), fd;

	for (int i = 0; i < 8; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fd, (const struct sockaddr *)&a.ss, a.len);
	}
	ck_assert_int_eq(connect_until(&a, clock_ms() + 50), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	close(server);
}
END_TEST

UNIT_MAIN("net/connect", somebody, nobody_answers)
