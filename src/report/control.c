/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control -- asking the running barid through its control socket.
 *
 * Who may ask what is decided at the other end, by the kernel's word for who we
 * are.  What comes back is looked at like anything from another process: it may
 * be somebody else's socket.
 */

#include "report/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/clock.h"
#include "net/addr.h"

static int
connect_control(const char *run)
{
	struct addr a;
	struct buf path;
	int fd;

	buf_init(&path, 1024);
	buf_addf(&path, "%s/control", run);
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

bool
control_is_there(const char *run)
{
	int fd = connect_control(run);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Connects and asks: a descriptor on which the answer comes. */
static int
ask(const char *run, const struct msg_control *m)
{
	int fd = connect_control(run);
	struct buf b;

	if (fd < 0)
		return -1;
	buf_init(&b, FRAME_MAX);
	msg_control_put(&b, m);
	int sent = buf_ok(&b) ? channel_send(fd, buf_str(&b), -1) : -1;
	int err = buf_ok(&b) ? errno : E2BIG;
	buf_free(&b);
	if (sent == 0)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

/* The next packet of an answer. */
static int
receive(int fd, int wait_ms, struct buf *answer, struct msg_control_result *r)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int pass, n = poll(&p, 1, wait_ms);

	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	n = channel_recv(fd, answer, &pass);
	if (n == 1 && pass >= 0)
		close(pass);
	if (n == 1 && msg_control_result_get(buf_str(answer), r))
		return 0;
	/* Neither an answer nor an error: it is somebody else's socket. */
	if (n >= 0)
		errno = EPROTO;
	return -1;
}

int
control_ask(const char *run, const struct msg_control *m, int wait_ms, struct buf *answer,
    struct msg_control_result *r)
{
	int fd = ask(run, m);

	if (fd < 0)
		return -1;
	int result = receive(fd, wait_ms, answer, r), err = errno;
	close(fd);
	errno = err;
	return result;
}

int
control_read(const char *run, const struct msg_control *m, FILE *out,
    struct msg_control_result *r)
{
	int fd = ask(run, m), result;
	struct buf answer;

	if (fd < 0)
		return -1;
	buf_init(&answer, FRAME_MAX);
	while ((result = receive(fd, CONTROL_ANSWER_MS, &answer, r)) == 0) {
		fwrite(r->text.p, 1, r->text.n, out);
		if (!r->more)
			break;
	}
	int err = errno;
	r->text = STR("");
	buf_free(&answer);
	close(fd);
	errno = err;
	return result;
}

/* What the other end has said in place of barid-check; it says so, or ends. */
static struct str
said_instead(int fd, struct buf *answer, const char *otherwise)
{
	struct msg_control_result r;

	if (receive(fd, CONTROL_ANSWER_MS, answer, &r) < 0 || r.text.n == 0)
		return str_c(otherwise);
	return str_trim(r.text);
}

struct str
control_scan(const char *run, const struct msg_scan *m, int text, int wait_ms, struct buf *answer,
    struct msg_scan_result *r, int *edited)
{
	int64_t deadline = clock_ms() + wait_ms;
	int fd = connect_control(run), reply;
	struct str why;
	bool gone;

	*edited = -1;
	if (fd < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? STR("barid does not run") :
			str_c(strerror(errno));
	reply = scan_ask(fd, m, text, deadline);
	why = str_c(scan_await(reply, deadline, answer, r, edited, &gone));
	if (reply < 0 || gone)
		why = said_instead(fd, answer, why.p);
	close(fd);
	return why;
}
