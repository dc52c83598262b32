/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * notify -- systemd's two small protocols, spoken by hand.
 *
 * sd_listen_fds(3): descriptors from 3 on, counted by LISTEN_FDS, named by
 * LISTEN_FDNAMES, ours only if LISTEN_PID says so.  sd_notify(3): datagrams
 * to the socket that NOTIFY_SOCKET names.  libsystemd would bring a handful
 * of libraries along for these few lines.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#define LISTEN_FDS_START 3
#define NAMED_MAX 64

static struct {
	int fd;
	char *name;
} named[NAMED_MAX];
static size_t named_n;
static int notify_fd = -1;
static struct sockaddr_un notify_to;
static socklen_t notify_len;
/* Half of WATCHDOG_USEC, or 0; and when it is to hear of us. */
static int64_t watchdog_ms, watchdog_next_ms;

static void
take_listen_fds(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t p, n;

	if (!pid || !count || str_u64(str_c(pid), INT32_MAX, &p) < 0 ||
	    (pid_t)p != getpid() || str_u64(str_c(count), NAMED_MAX, &n) < 0)
		return;
	struct str rest = str_c(names), name;
	for (uint64_t i = 0; i < n; i++) {
		str_cut(rest, ':', &name, &rest);
		int fd = fd_raise(LISTEN_FDS_START + (int)i);
		if (fd < 0)
			continue;
		named[named_n].fd = fd;
		named[named_n].name = mem_dup(name);
		named_n++;
	}
}

static void
open_notify(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(notify_to.sun_path))
		return;
	notify_to.sun_family = AF_UNIX;
	memcpy(notify_to.sun_path, path, strlen(path));
	notify_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* An abstract socket: its name starts with a NUL. */
	if (path[0] == '@')
		notify_to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		notify_fd = fd_raise(fd);
}

void
notify_init(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	uint64_t us;

	take_listen_fds();
	open_notify();
	if (usec && str_u64(str_c(usec), UINT32_MAX, &us) == 0 && us >= 2000)
		watchdog_ms = (int64_t)(us / 2000);
	watchdog_next_ms = clock_ms();
	/* Re-execution needs NOTIFY_SOCKET and WATCHDOG_USEC; the helpers'
	 * environment is made anew by proc_start(). */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

int
notify_find_fd(const char *name, size_t *at)
{
	while (*at < named_n) {
		size_t i = (*at)++;
		if (named[i].fd >= 0 && strcmp(named[i].name, name) == 0)
			return named[i].fd;
	}
	return -1;
}

bool
notify_any_fd(void)
{
	for (size_t i = 0; i < named_n; i++)
		if (named[i].fd >= 0)
			return true;
	return false;
}

void
notify_add_names(struct buf *b)
{
	for (size_t i = 0; i < named_n; i++)
		if (named[i].fd >= 0)
			buf_addf(b, "%s%s", b->n ? ", " : "", named[i].name);
}

void
notify_keep_fd(const char *name, int fd)
{
	if (named_n == NAMED_MAX)
		return;
	named[named_n].fd = fd;
	named[named_n].name = mem_dup(str_c(name));
	named_n++;
}

void
notify_forget_fd(int fd)
{
	for (size_t i = 0; i < named_n; i++)
		if (named[i].fd == fd)
			named[i].fd = -1;
}

void
notify_send(const char *fmt, ...)
{
	struct buf b;
	va_list ap;

	if (notify_fd < 0)
		return;
	buf_init(&b, 1024);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (sendto(notify_fd, buf_cstr(&b), b.n, MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&notify_to, notify_len) < 0)
		log_debug(NULL, "cannot notify the service manager: %s", strerror(errno));
	buf_free(&b);
}

int64_t
notify_wait_ms(int64_t until)
{
	int64_t now = clock_ms();

	if (watchdog_ms > 0 && now >= watchdog_next_ms) {
		watchdog_next_ms = now + watchdog_ms;
		notify_send("WATCHDOG=1");
	}
	if (watchdog_ms > 0 && watchdog_next_ms < until)
		until = watchdog_next_ms;
	return until > now ? until - now : 0;
}
