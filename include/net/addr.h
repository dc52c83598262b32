/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_ADDR_H
#define NET_ADDR_H

/* addr -- socket addresses as values: IPv4, IPv6, unix. */

#include <sys/socket.h>

#include "lib/buf.h"

struct addr {
	struct sockaddr_storage ss;
	socklen_t len;		/* 0: no address */
};

/* "1.2.3.4", "::1", "[::1]", "fe80::1%eth0"; never asks a resolver.  -1: none. */
int addr_parse(struct str s, uint16_t port, struct addr *a) MUST_USE;
/* "1.2.3.4:25", "[::1]:25", or without a port: then FALLBACK. */
int addr_parse_port(struct str s, uint16_t fallback, struct addr *a) MUST_USE;
/* From 4 or 16 octets. */
struct addr addr_from(int family, const void *octets, uint16_t port);
int addr_unix(const char *path, struct addr *a) MUST_USE;
/* What the system says of a socket: an IPv4 address in IPv6 clothes becomes one of IPv4. */
void addr_unmap(struct addr *a);
struct addr addr_peer(int fd);	/* of a connected socket; v4-mapped becomes v4 */
struct addr addr_local(int fd);

int addr_family(const struct addr *a);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
/* The 4 or 16 octets; NULL for a unix address. */
const void *addr_octets(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* 0.0.0.0, ::, or a loopback address. */
bool addr_is_self_like(const struct addr *a);
bool addr_same_host(const struct addr *a, const struct addr *b);

/* What limits count by: the IPv4 address, or the /64 of an IPv6 one; 0 for unix. */
uint64_t addr_key(const struct addr *a);
/* Of whom a key speaks: "1.2.3.4", "2001:db8:1:2::/64", "unix". */
void addr_add_key(struct buf *b, uint64_t key);

/* "1.2.3.4", "::1", "unix", "unknown"; and with the port: "1.2.3.4:25", "[::1]:25". */
void addr_add(struct buf *b, const struct addr *a);
void addr_add_port(struct buf *b, const struct addr *a);
/* RFC 5321 4.1.3: "[1.2.3.4]", "[IPv6:::1]". */
void addr_add_literal(struct buf *b, const struct addr *a);
/* The address that a literal of a domain says; -1 if it is none. */
int addr_from_literal(struct str literal, uint16_t port, struct addr *a) MUST_USE;

#endif
