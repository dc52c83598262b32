/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * listeners -- from the listen sections to sockets that wait.
 *
 * A reload opens what is new before anything old is closed, and takes over
 * what stays by its address: no connection is refused in between, and a
 * mistake leaves everything as it was.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "net/listen.h"

static const char *
addr_path(const struct addr *a)
{
	const struct sockaddr_un *un = (const void *)&a->ss;

	return un->sun_path;
}

/* What is under construction while a configuration is walked. */
struct opening {
	struct master *m;
	const struct conf_listen *conf;
	struct listener *v;
	size_t n;
	struct buf *error;
	bool failed;
};

int
master_fd_base(void)
{
	static int base;
	struct rlimit r;

	if (base == 0) {
		base = 256;
		if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < 512)
			base = (int)r.rlim_cur / 2;
	}
	return base;
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

static void
opening_fail(struct opening *o, const struct addr *a, const char *what)
{
	struct buf where;

	buf_init(&where, 256);
	if (a)
		addr_add_port(&where, a);
	buf_addf(o->error, "%s:%d: listen \"%s\": %s%s%s\n", o->conf->place.file,
	    o->conf->place.line, o->conf->name, buf_cstr(&where), where.n ? ": " : "", what);
	buf_free(&where);
	o->failed = true;
}

static struct listener *
opening_add(struct opening *o, int fd, const struct addr *a)
{
	o->v = mem_grow(o->v, o->n + 1, sizeof(*o->v));
	struct listener *l = &o->v[o->n++];
	*l = (struct listener){ .fd = fd, .addr = *a, .conf = o->conf };
	struct str name = str_head(str_c(o->conf->name), sizeof(l->name) - 1);
	memcpy(l->name, name.p, name.n);
	return l;
}

static bool
same_addr(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

/*
 * Whether this configuration has A already.  A section may name an address
 * twice, as "lo" and as "::1"; two sections may not.  Asked here and not of
 * bind(), since a reload takes over what is bound: one socket would have two
 * owners, and the next reload close it under one of them.
 */
static bool
named_before(struct opening *o, const struct addr *a)
{
	for (size_t i = 0; i < o->n; i++) {
		if (!same_addr(&o->v[i].addr, a))
			continue;
		if (o->v[i].conf != o->conf)
			opening_fail(o, a, "another listen section has this address");
		return true;
	}
	return false;
}

/* A socket that the configuration in force has already. */
static struct listener *
already_open(struct master *m, const struct addr *a)
{
	for (size_t i = 0; i < m->listener_n; i++)
		if (same_addr(&m->listeners[i].addr, a))
			return &m->listeners[i];
	return NULL;
}

/* Accepted sockets inherit it: one call here, none for a session. */
static void
set_nodelay(int fd, const struct addr *a)
{
	int one = 1;

	if (addr_family(a) != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void
open_one(void *arg, const struct addr *a)
{
	struct opening *o = arg;
	struct listener *old = already_open(o->m, a);
	int fd;

	if (o->failed || named_before(o, a))
		return;
	if (old) {
		old->kept = true;
		opening_add(o, old->fd, a)->inherited = old->inherited;
		return;
	}
	if ((fd = listen_open(a)) < 0 || (fd = fd_raise(fd)) < 0) {
		opening_fail(o, a, strerror(errno));
		return;
	}
	/* Who may reach a unix socket is for its directory to say. */
	if (addr_family(a) == AF_UNIX)
		(void)!chmod(addr_path(a), 0666);
	set_nodelay(fd, a);
	opening_add(o, fd, a);
}

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t n = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0;
}

/* "fd:name": a descriptor of socket activation, or a number. */
static void
open_inherited(struct opening *o, const char *name)
{
	for (size_t i = 0; i < o->m->listener_n; i++) {
		struct listener *old = &o->m->listeners[i];
		if (old->inherited && !old->kept && strcmp(old->name, o->conf->name) == 0) {
			old->kept = true;
			opening_add(o, old->fd, &old->addr)->inherited = true;
			return;
		}
	}
	int fd = notify_take_fd(name);
	uint64_t number;
	/* Looked at before it is moved: it could be our standard error. */
	if (fd < 0 && str_u64(str_c(name), 65535, &number) == 0 && is_listening((int)number))
		fd = fd_raise((int)number);
	if (fd < 0 || !is_listening(fd)) {
		opening_fail(o, NULL, "no listening socket of that name was handed over "
		    "(LISTEN_FDNAMES), nor is it the number of one");
		if (fd >= 0)
			close(fd);
		return;
	}
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	struct addr a = addr_local(fd);
	set_nodelay(fd, &a);
	opening_add(o, fd, &a)->inherited = true;
}

static void
opening_unknown(struct opening *o, const char *spec)
{
	struct buf what;

	buf_init(&what, 1024);
	buf_addf(&what, "\"%s\" is no address or interface of this host", spec);
	opening_fail(o, NULL, buf_cstr(&what));
	buf_free(&what);
}

static void
open_address(struct opening *o, const char *spec)
{
	struct addr a;

	if (strncmp(spec, "fd:", 3) == 0) {
		open_inherited(o, spec + 3);
		return;
	}
	if (strncmp(spec, "unix:", 5) == 0) {
		if (addr_unix(spec + 5, &a) < 0)
			opening_fail(o, NULL, "the path of the socket is too long");
		else
			open_one(o, &a);
		return;
	}
	for (size_t i = 0; i < o->conf->port.n && !o->failed; i++)
		for (uint32_t port = o->conf->port.v[i].first;
		    port <= o->conf->port.v[i].last && !o->failed; port++)
			if (listen_expand(spec, (uint16_t)port, open_one, o) <= 0 && !o->failed)
				opening_unknown(o, spec);
}

/*
 * Opens all sockets of C into V; those that M has already are taken over
 * (and marked kept in M).  -1: ERROR says why, and what was opened is closed.
 */
int
listeners_open(struct master *m, const struct conf *c, struct listener **v, size_t *n,
    struct buf *error)
{
	struct opening o = { .m = m, .error = error };

	for (size_t i = 0; i < m->listener_n; i++)
		m->listeners[i].kept = false;
	for (size_t i = 0; i < c->listen_n && !o.failed; i++) {
		o.conf = &c->listens[i];
		for (size_t j = 0; j < o.conf->address.n && !o.failed; j++)
			open_address(&o, o.conf->address.v[j]);
	}
	if (o.failed) {
		for (size_t i = 0; i < o.n; i++)
			if (!already_open(m, &o.v[i].addr) && !o.v[i].inherited)
				close(o.v[i].fd);
		mem_free(o.v);
		return -1;
	}
	*v = o.v;
	*n = o.n;
	return 0;
}

/* Closes those that were not taken over. */
void
listeners_close(struct listener *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].kept)
			continue;
		close(v[i].fd);
		if (addr_family(&v[i].addr) == AF_UNIX && !v[i].inherited)
			(void)unlink(addr_path(&v[i].addr));
	}
	mem_free(v);
}
