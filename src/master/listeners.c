/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listeners -- from a plan to sockets that wait.
 *
 * A reload opens what is new before anything old is closed, and takes over what
 * stays by its address: no connection is refused in between (who waits at what
 * goes is served by the acceptor that goes), and a mistake leaves everything as
 * it was.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "net/listen.h"

static bool
is_wide(const struct addr *a)
{
	return addr_is_self_like(a) && !addr_is_loopback(a);
}

static const char *
addr_path(const struct addr *a)
{
	const struct sockaddr_un *un = (const void *)&a->ss;

	return un->sun_path;
}

static int fd_base;

void
master_fd_base_is(int base)
{
	fd_base = base;
}

int
master_fd_base(void)
{
	struct rlimit r;

	if (fd_base == 0) {
		fd_base = 256;
		if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < 512)
			fd_base = (int)r.rlim_cur / 2;
	}
	return fd_base;
}

int
fd_raise(int fd)
{
	int raised = fcntl(fd, F_DUPFD_CLOEXEC, master_fd_base());
	int err = errno;

	close(fd);
	errno = err;
	return raised;
}

bool
fd_is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0;
}

/* ---- opening --------------------------------------------------------------------- */

static void
fill(struct listener *l, int fd, const struct addr *a, const struct conf_listen *conf)
{
	*l = (struct listener){ .fd = fd, .addr = *a, .conf = conf };
}

/*
 * All addresses of a port and one of them exclude each other.  Where the one
 * is ours by the old configuration and the other wanted by the new, both are
 * open for a moment.
 */
static int
open_beside(const struct master *m, const struct addr *a)
{
	int *fds = mem_array(m->listener_n + 1, sizeof(*fds)), fd, err;
	size_t n = 0;

	for (size_t i = 0; i < m->listener_n; i++)
		if (listen_overlaps(&m->listeners[i].addr, a))
			fds[n++] = m->listeners[i].fd;
	errno = EADDRINUSE;
	fd = n > 0 ? listen_open_beside(a, fds, n) : -1;
	err = errno;
	mem_free(fds);
	errno = err;
	return fd;
}

static int
open_new(struct check *k, const struct master *m, const struct wanted *w)
{
	int fd = listen_open(&w->addr);

	if (fd < 0 && errno == EADDRINUSE)
		fd = open_beside(m, &w->addr);
	if (fd < 0 || (fd = fd_raise(fd)) < 0) {
		plan_blame_open(k, w, errno);
		return -1;
	}
	/* Who may reach a unix socket is for its directory to say. */
	if (addr_family(&w->addr) == AF_UNIX)
		(void)!chmod(addr_path(&w->addr), 0666);
	return fd;
}

/* A socket that was handed over; it is moved only now, when nothing else can fail. */
static int
adopt(const struct wanted *w)
{
	int fd = w->fd;

	if (w->old)
		return fd;
	if (fd < master_fd_base()) {
		if ((fd = fd_raise(fd)) < 0)
			return -1;
		notify_keep_fd(w->conf->address.v[w->at] + strlen("fd:"), fd);
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (listen_tune(fd, addr_family(&w->addr)) < 0)
		log_warn(NULL, "%s: %s", w->conf->address.v[w->at], strerror(errno));
	return fd;
}

/* Opens what is new; V[i] is PLAN's i-th. */
static int
open_all(struct check *k, const struct master *m, const struct plan *plan, struct listener *v)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct wanted *w = &plan->v[i];
		fill(&v[i], -1, &w->addr, w->conf);
		v[i].inherited = w->old ? w->old->inherited : w->fd >= 0;
		if (w->old)
			v[i].fd = w->old->fd;
		else if (w->fd < 0 && (v[i].fd = open_new(k, m, w)) < 0)
			return -1;
	}
	for (size_t i = 0; i < plan->n; i++) {
		const struct wanted *w = &plan->v[i];
		if (w->fd >= 0 && (v[i].fd = adopt(w)) < 0) {
			plan_blame_open(k, w, errno);
			return -1;
		}
	}
	return 0;
}

/* After a failure: what was handed over may be wanted by the next reload. */
static void
close_new(const struct plan *plan, const struct listener *v)
{
	for (size_t i = 0; i < plan->n && v[i].conf; i++)
		if (v[i].fd >= 0 && !plan->v[i].old && !v[i].inherited)
			close(v[i].fd);
}

/*
 * The sockets of single addresses that are now a part of all of them stay
 * open under the new section.  Closed, they would take along who is just
 * being connected.
 */
static size_t
keep_parts(struct master *m, struct listener *v, size_t n)
{
	size_t planned = n;

	for (size_t i = 0; i < m->listener_n; i++) {
		struct listener *old = &m->listeners[i];
		for (size_t j = 0; j < planned && !old->kept; j++) {
			if (!listen_overlaps(&old->addr, &v[j].addr) || is_wide(&old->addr))
				continue;
			fill(&v[n], old->fd, &old->addr, v[j].conf);
			v[n++].inherited = old->inherited;
			old->kept = true;
		}
	}
	return n;
}

int
listeners_open(struct check *k, struct master *m, const struct plan *plan,
    struct listener **v, size_t *n)
{
	*v = mem_array(plan->n + m->listener_n + 1, sizeof(**v));
	for (size_t i = 0; i < m->listener_n; i++)
		m->listeners[i].kept = false;
	if (open_all(k, m, plan, *v) < 0) {
		close_new(plan, *v);
		mem_free(*v);
		*v = NULL;
		return -1;
	}
	for (size_t i = 0; i < plan->n; i++)
		if (plan->v[i].old)
			plan->v[i].old->kept = true;
	*n = keep_parts(m, *v, plan->n);
	return 0;
}

/* ---- closing --------------------------------------------------------------------- */

/* Closes those that were not taken over. */
void
listeners_close(struct listener *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].kept)
			continue;
		notify_forget_fd(v[i].fd);
		close(v[i].fd);
		if (addr_family(&v[i].addr) == AF_UNIX && !v[i].inherited)
			(void)unlink(addr_path(&v[i].addr));
	}
	mem_free(v);
}
