/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * addr -- socket addresses as values.
 *
 * An IPv4 address that comes in IPv6 clothes (::ffff:1.2.3.4) becomes the
 * IPv4 address at the door, so that no access list and no limit can be
 * walked around by the other spelling.  No function here asks a resolver.
 */

#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

/* An IPv6 address with the longest name of an interface behind it. */
#define TEXT_MAX (INET6_ADDRSTRLEN + IF_NAMESIZE)

static struct sockaddr_in *
in4(struct addr *a)
{
	return (struct sockaddr_in *)&a->ss;
}

static struct sockaddr_in6 *
in6(struct addr *a)
{
	return (struct sockaddr_in6 *)&a->ss;
}

static const struct sockaddr_in *
cin4(const struct addr *a)
{
	return (const struct sockaddr_in *)&a->ss;
}

static const struct sockaddr_in6 *
cin6(const struct addr *a)
{
	return (const struct sockaddr_in6 *)&a->ss;
}

struct addr
addr_from(int family, const void *octets, uint16_t port)
{
	struct addr a = { .len = 0 };
	struct in6_addr six;

	if (family == AF_INET6) {
		memcpy(&six, octets, 16);
		if (IN6_IS_ADDR_V4MAPPED(&six))
			return addr_from(AF_INET, &six.s6_addr[12], port);
		a.len = sizeof(struct sockaddr_in6);
		in6(&a)->sin6_family = AF_INET6;
		in6(&a)->sin6_port = htons(port);
		in6(&a)->sin6_addr = six;
	} else if (family == AF_INET) {
		a.len = sizeof(struct sockaddr_in);
		in4(&a)->sin_family = AF_INET;
		in4(&a)->sin_port = htons(port);
		memcpy(&in4(&a)->sin_addr, octets, 4);
	}
	return a;
}

static int
parse_scope(struct str scope, uint32_t *id)
{
	char name[IF_NAMESIZE];
	uint64_t number;

	if (scope.n == 0 || scope.n >= sizeof(name) || str_find(scope, '\0') >= 0)
		return -1;
	memcpy(name, scope.p, scope.n);
	name[scope.n] = '\0';
	*id = if_nametoindex(name);
	if (*id == 0 && str_u64(scope, UINT32_MAX, &number) == 0)
		*id = (uint32_t)number;
	return *id == 0 ? -1 : 0;
}

/* S without brackets. */
static int
parse(struct str s, uint16_t port, struct addr *a)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char octets[16];
	struct str scope = { NULL, 0 };
	bool scoped = str_cut(s, '%', &s, &scope);
	uint32_t id = 0;

	if (s.n >= sizeof(text) || str_find(s, '\0') >= 0)
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (!scoped && inet_pton(AF_INET, text, octets) == 1) {
		*a = addr_from(AF_INET, octets, port);
		return 0;
	}
	if (inet_pton(AF_INET6, text, octets) != 1)
		return -1;
	*a = addr_from(AF_INET6, octets, port);
	if (!scoped)
		return 0;
	if (addr_family(a) != AF_INET6 || parse_scope(scope, &id) < 0)
		return -1;
	in6(a)->sin6_scope_id = id;
	return 0;
}

/* True if S was "[...]"; S is then what stands within. */
static bool
unbracket(struct str *s)
{
	if (s->n < 2 || s->p[0] != '[' || s->p[s->n - 1] != ']')
		return false;
	*s = str_n(s->p + 1, s->n - 2);
	return true;
}

int
addr_parse(struct str s, uint16_t port, struct addr *a)
{
	/* Brackets are for IPv6 alone. */
	if (unbracket(&s) && str_find(s, ':') < 0)
		return -1;
	return parse(s, port, a);
}

int
addr_parse_port(struct str s, uint16_t fallback, struct addr *a)
{
	ptrdiff_t colon = str_rfind(s, ':');
	uint64_t port = fallback;
	bool bracketed = s.n > 0 && s.p[0] == '[';

	/* Without brackets a second colon means an IPv6 address. */
	if (colon > 0 && (bracketed ? s.p[colon - 1] == ']' :
				      str_find(s, ':') == colon)) {
		if (str_u64(str_skip(s, (size_t)colon + 1), UINT16_MAX, &port) < 0)
			return -1;
		s = str_head(s, (size_t)colon);
	}
	return addr_parse(s, (uint16_t)port, a);
}

int
addr_from_literal(struct str s, uint16_t port, struct addr *a)
{
	static const struct str tag = { "IPv6:", 5 };

	if (!unbracket(&s) || str_find(s, '%') >= 0)
		return -1;
	if (str_istarts(s, tag)) {
		s = str_skip(s, tag.n);
		return str_find(s, ':') < 0 ? -1 : parse(s, port, a);
	}
	return str_find(s, ':') >= 0 ? -1 : parse(s, port, a);
}

int
addr_unix(const char *path, struct addr *a)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->ss;
	struct str s = str_c(path);

	if (s.n == 0 || s.n >= sizeof(un->sun_path)) {
		errno = s.n == 0 ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	*a = (struct addr){ .len = 0 };
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, s.p, s.n);
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + s.n + 1);
	return 0;
}

void
addr_unmap(struct addr *a)
{
	if (addr_family(a) == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&in6(a)->sin6_addr))
		*a = addr_from(AF_INET6, &in6(a)->sin6_addr, addr_port(a));
}

struct addr
addr_peer(int fd)
{
	struct addr a = { .len = sizeof(a.ss) };

	if (getpeername(fd, (struct sockaddr *)&a.ss, &a.len) < 0)
		return (struct addr){ .len = 0 };
	addr_unmap(&a);
	return a;
}

struct addr
addr_local(int fd)
{
	struct addr a = { .len = sizeof(a.ss) };

	if (getsockname(fd, (struct sockaddr *)&a.ss, &a.len) < 0)
		return (struct addr){ .len = 0 };
	addr_unmap(&a);
	return a;
}

int
addr_family(const struct addr *a)
{
	return a->len == 0 ? AF_UNSPEC : a->ss.ss_family;
}

uint16_t
addr_port(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return ntohs(cin4(a)->sin_port);
	case AF_INET6:
		return ntohs(cin6(a)->sin6_port);
	default:
		return 0;
	}
}

void
addr_set_port(struct addr *a, uint16_t port)
{
	if (addr_family(a) == AF_INET)
		in4(a)->sin_port = htons(port);
	else if (addr_family(a) == AF_INET6)
		in6(a)->sin6_port = htons(port);
}

const void *
addr_octets(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return &cin4(a)->sin_addr;
	case AF_INET6:
		return &cin6(a)->sin6_addr;
	default:
		return NULL;
	}
}

bool
addr_is_loopback(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return ntohl(cin4(a)->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&cin6(a)->sin6_addr);
	default:
		return false;
	}
}

bool
addr_is_self_like(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		if (cin4(a)->sin_addr.s_addr == 0)
			return true;
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_UNSPECIFIED(&cin6(a)->sin6_addr))
			return true;
		break;
	default:
		return false;
	}
	return addr_is_loopback(a);
}

bool
addr_same_host(const struct addr *a, const struct addr *b)
{
	int family = addr_family(a);

	if (family != addr_family(b))
		return false;
	switch (family) {
	case AF_INET:
		return memcmp(addr_octets(a), addr_octets(b), 4) == 0;
	case AF_INET6:
		/* A link-local address says nothing without its link. */
		return memcmp(addr_octets(a), addr_octets(b), 16) == 0 &&
		    cin6(a)->sin6_scope_id == cin6(b)->sin6_scope_id;
	default:
		return false;
	}
}

uint64_t
addr_key(const struct addr *a)
{
	const unsigned char *p = addr_octets(a);
	uint64_t key = 0;

	switch (addr_family(a)) {
	case AF_INET:
		/* ffff::/16 is multicast: no client's /64 is the same key. */
		return UINT64_C(0xffff) << 48 | ntohl(cin4(a)->sin_addr.s_addr);
	case AF_INET6:
		for (int i = 0; i < 8; i++)
			key = key << 8 | p[i];
		return key != 0 ? key : 1;
	default:
		return 0;
	}
}

/* Each session does it: inet_ntop() would come to it by way of sprintf(). */
static void
add_four(struct buf *b, const unsigned char *octets)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			buf_addc(b, '.');
		buf_addu(b, octets[i]);
	}
}

void
addr_add_key(struct buf *b, uint64_t key)
{
	struct in6_addr six = { .s6_addr = { 0 } };
	struct in_addr four = { .s_addr = htonl((uint32_t)key) };
	char text[TEXT_MAX];

	if (key == 0) {
		buf_adds(b, "unix");
		return;
	}
	if (key >> 32 == UINT64_C(0xffff0000)) {
		add_four(b, (const unsigned char *)&four);
		return;
	}
	/* 1 stands for ::/64, of which only the loopback is in use. */
	for (int i = 0; i < 8 && key != 1; i++)
		six.s6_addr[i] = (unsigned char)(key >> (56 - 8 * i));
	buf_adds(b, inet_ntop(AF_INET6, &six, text, sizeof(text)));
	buf_adds(b, "/64");
}

/* The bare text of A, with its scope if SCOPED. */
static void
add_text(struct buf *b, const struct addr *a, bool scoped)
{
	char text[TEXT_MAX];

	if (!addr_octets(a)) {
		buf_adds(b, addr_family(a) == AF_UNIX ? "unix" : "unknown");
		return;
	}
	if (addr_family(a) == AF_INET) {
		add_four(b, addr_octets(a));
		return;
	}
	buf_adds(b, inet_ntop(AF_INET6, addr_octets(a), text, sizeof(text)));
	/* By number: a confined process cannot ask for the name. */
	if (scoped && cin6(a)->sin6_scope_id != 0) {
		buf_addc(b, '%');
		buf_addu(b, cin6(a)->sin6_scope_id);
	}
}

void
addr_add(struct buf *b, const struct addr *a)
{
	add_text(b, a, true);
}

void
addr_add_port(struct buf *b, const struct addr *a)
{
	bool six = addr_family(a) == AF_INET6;

	if (six)
		buf_addc(b, '[');
	add_text(b, a, true);
	if (six)
		buf_addc(b, ']');
	if (addr_octets(a)) {
		buf_addc(b, ':');
		buf_addu(b, addr_port(a));
	}
}

void
addr_add_literal(struct buf *b, const struct addr *a)
{
	buf_adds(b, addr_family(a) == AF_INET6 ? "[IPv6:" : "[");
	add_text(b, a, false);
	buf_addc(b, ']');
}
