/* SPDX-License-Identifier: GPL-3.0-or-later */

/* connect -- a connection, for a process that can wait. */

#include "net/connect.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

int
connect_until(const struct addr *a, int64_t deadline)
{
	int fd = socket(addr_family(a), SOCK_STREAM | SOCK_CLOEXEC, 0);
	int64_t left = deadline - clock_ms();
	struct timeval t = { .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };

	if (fd < 0)
		return -1;
	/* Linux: the time-out of sending is that of connect(2), too. */
	if (left <= 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0 ||
	    connect(fd, (const struct sockaddr *)&a->ss, a->len) < 0) {
		int e = left <= 0 || errno == EINPROGRESS ? ETIMEDOUT : errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}
