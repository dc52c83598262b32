/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- asking the running barid through its control socket.
 */

#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "net/addr.h"

#define ANSWER_MS 60000

struct conf *
cmd_conf(const char *path)
{
	struct buf error;

	buf_init(&error, 65536);
	struct conf *c = conf_load(path, &error);
	if (!c) {
		fputs(buf_cstr(&error), stderr);
		exit(EX_CONFIG);
	}
	buf_free(&error);
	return c;
}

static int
connect_control(const struct conf *c)
{
	struct addr a;
	struct buf path;
	int fd;

	buf_init(&path, 1024);
	buf_addf(&path, "%s/control", c->run);
	int r = addr_unix(buf_cstr(&path), &a);
	buf_free(&path);
	if (r < 0 || (fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a.ss, a.len) < 0) {
		int err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

int
cmd_control(const struct conf *c, const struct msg_control *m, struct buf *answer,
    struct msg_control_result *r)
{
	int fd = connect_control(c), pass, result = -1;
	struct buf b;

	if (fd < 0)
		return -1;
	buf_init(&b, FRAME_MAX);
	msg_control_put(&b, m);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (channel_send(fd, buf_str(&b), -1) == 0 && poll(&p, 1, ANSWER_MS) == 1 &&
	    channel_recv(fd, answer, &pass) == 1 &&
	    msg_control_result_get(buf_str(answer), r))
		result = 0;
	else if (errno == 0)
		errno = EPROTO;
	buf_free(&b);
	close(fd);
	return result;
}
