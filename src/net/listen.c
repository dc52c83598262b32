/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * listen -- sockets that wait for clients.
 *
 * What an accepted socket inherits is set here once: TCP_NODELAY, without
 * which a reply waits for the client's delayed acknowledgement; and keepalive,
 * without which a client whose network went away, as a phone's does, is there
 * until the session's time is over, and its mailbox open.
 */

#include "net/listen.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Seconds in which a client that says nothing has to show that it is there. */
#define GONE_S 180

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
bind_to(int fd, const struct addr *a)
{
	return bind(fd, (const struct sockaddr *)&a->ss, a->len);
}

int
listen_tune(int fd, int family)
{
	static const struct {
		int level, name, value;
	} options[] = { { IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, GONE_S / 3 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, GONE_S / 12 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 8 } };

	for (size_t i = 0; i < ARRAY_LEN(options) && family != AF_UNIX; i++)
		if (setsockopt(fd, options[i].level, options[i].name,
			&options[i].value, sizeof(options[i].value)) < 0)
			return -1;
	return 0;
}

static int
set_options(int fd, int family)
{
	int on = 1;

	if (family == AF_UNIX)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    listen_tune(fd, family) < 0)
		return -1;
	if (family != AF_INET6)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

/* True if A is a socket file and no process listens on it; else errno. */
static bool
is_dead(const struct addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;
	struct stat st;
	int fd, refused;

	if (lstat(un->sun_path, &st) < 0)
		return false;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return false;
	}
	if ((fd = new_socket(AF_UNIX)) < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)un, a->len) < 0 &&
	    errno == ECONNREFUSED;
	close(fd);
	errno = EADDRINUSE;
	return refused;
}

/* Removes the socket file at A if no process listens on it. */
static int
remove_dead(const struct addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;

	return is_dead(a) ? unlink(un->sun_path) : -1;
}

/* Whether other sockets of this user may have the address of FD, too. */
static int
share(int fd, bool yes)
{
	int on = yes;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

static int
open_socket(const struct addr *a, bool shared)
{
	int family = addr_family(a), fd = new_socket(family), rc, err;

	if (fd < 0)
		return -1;
	rc = set_options(fd, family);
	if (rc == 0 && shared)
		rc = share(fd, true);
	if (rc == 0) {
		rc = bind_to(fd, a);
		if (rc < 0 && errno == EADDRINUSE && family == AF_UNIX &&
		    remove_dead(a) == 0)
			rc = bind_to(fd, a);
	}
	if (rc == 0)
		rc = listen(fd, LISTEN_BACKLOG);
	if (rc == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int
listen_open(const struct addr *a)
{
	return open_socket(a, false);
}

int
listen_open_beside(const struct addr *a, const int *fds, size_t n)
{
	int fd, err;

	for (size_t i = 0; i < n; i++)
		(void)share(fds[i], true);
	fd = open_socket(a, true);
	err = errno;
	for (size_t i = 0; i < n; i++)
		(void)share(fds[i], false);
	if (fd >= 0)
		(void)share(fd, false);
	errno = err;
	return fd;
}

/* Whether a socket file could be made at A, or one that is left over replaced. */
static int
probe_unix(const struct addr *a)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)&a->ss;
	const char *slash = strrchr(un->sun_path, '/');
	char dir[sizeof(un->sun_path)] = "/";
	struct stat st;

	if (lstat(un->sun_path, &st) == 0)
		return is_dead(a) ? 0 : -1;
	if (errno != ENOENT)
		return -1;
	if (slash && slash > un->sun_path)
		memcpy(dir, un->sun_path, (size_t)(slash - un->sun_path));
	return access(dir, W_OK | X_OK);
}

int
listen_probe(const struct addr *a)
{
	int family = addr_family(a), fd, rc, err;

	if (family == AF_UNIX)
		return probe_unix(a);
	if ((fd = new_socket(family)) < 0)
		return -1;
	rc = set_options(fd, family);
	if (rc == 0)
		rc = bind_to(fd, a);
	err = errno;
	close(fd);
	errno = err;
	return rc;
}

static bool
is_any(const struct addr *a)
{
	static const unsigned char zeros[16];
	size_t n = addr_family(a) == AF_INET ? 4 : 16;

	return memcmp(addr_octets(a), zeros, n) == 0;
}

bool
listen_overlaps(const struct addr *a, const struct addr *b)
{
	return addr_family(a) == addr_family(b) && addr_octets(a) &&
	    addr_port(a) == addr_port(b) && is_any(a) != is_any(b);
}

static bool
has_ipv6(void)
{
	struct addr any = addr_from(AF_INET6, &in6addr_any, 0);
	int fd = new_socket(AF_INET6);
	bool ok = fd >= 0 && bind_to(fd, &any) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static int
expand_any(uint16_t port, void (*fn)(void *arg, const struct addr *a), void *arg)
{
	struct in_addr any = { INADDR_ANY };
	struct addr a = addr_from(AF_INET, &any, port);

	fn(arg, &a);
	if (!has_ipv6())
		return 1;
	a = addr_from(AF_INET6, &in6addr_any, port);
	fn(arg, &a);
	return 2;
}

/* True if IFA_NAME is NAME, or an alias of it ("eth0:1"). */
static bool
is_interface(struct str ifa_name, struct str name)
{
	struct str base, alias;

	str_cut(ifa_name, ':', &base, &alias);
	return str_eq(ifa_name, name) || str_eq(base, name);
}

/* FAMILY: AF_UNSPEC for both.  -1 if there is no interface NAME. */
static int
expand_interface(struct str name, int family, uint16_t port,
    void (*fn)(void *arg, const struct addr *a), void *arg)
{
	struct ifaddrs *all;
	int n = 0;
	bool exists = false;

	if (getifaddrs(&all) < 0)
		return -1;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct addr a = { .len = 0 };

		if (!is_interface(str_c(i->ifa_name), name))
			continue;
		exists = true;
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			a.len = sizeof(struct sockaddr_in);
		else if (i->ifa_addr->sa_family == AF_INET6)
			a.len = sizeof(struct sockaddr_in6);
		memcpy(&a.ss, i->ifa_addr, a.len);
		if (a.len == 0 ||
		    (family != AF_UNSPEC && family != addr_family(&a)))
			continue;
		addr_set_port(&a, port);
		fn(arg, &a);
		n++;
	}
	freeifaddrs(all);
	return exists ? n : -1;
}

int
listen_expand(const char *spec, uint16_t port,
    void (*fn)(void *arg, const struct addr *a), void *arg)
{
	static const struct {
		struct str suffix;
		int family;
	} kinds[] = { { { "", 0 }, AF_UNSPEC }, { { "-ipv4", 5 }, AF_INET },
		{ { "-ipv6", 5 }, AF_INET6 } };
	struct str s = str_c(spec);
	struct addr a;

	if (str_eq(s, STR("*")))
		return expand_any(port, fn, arg);
	if (addr_parse(s, port, &a) == 0) {
		fn(arg, &a);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int n;

		if (!str_ends(s, kinds[i].suffix))
			continue;
		n = expand_interface(str_head(s, s.n - kinds[i].suffix.n),
		    kinds[i].family, port, fn, arg);
		if (n >= 0)
			return n;
	}
	return -1;
}
