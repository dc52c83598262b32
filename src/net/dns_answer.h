/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

/*
 * dns_answer -- what a DNS answer says, from its octets (RFC 1035 4).
 *
 * Foreign octets: every name and length is checked, and whatever is not
 * well formed makes the whole answer DNS_TEMPORARY.  Results are in ARENA.
 */

#include "lib/arena.h"
#include "net/dns.h"

#define DNS_MX_MAX 100
#define DNS_ADDR_MAX 32
#define DNS_ALIAS_MAX 16
/* More records than this are not looked at. */
#define DNS_RR_MAX 512

/* True if S can be a host's name: labels of letters, digits, "-" and "_". */
bool dns_is_host(struct str s);

/* The MX records of NAME, by preference. */
void dns_answer_mx(struct str packet, const char *name, struct arena *arena,
    struct dns_mx_answer *a);
/* The addresses of FAMILY of NAME. */
void dns_answer_addr(struct str packet, const char *name, int family,
    struct arena *arena, struct dns_addr_answer *a);

#endif
