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
#define DNS_ALIAS_MAX 16
#define DNS_PTR_MAX 32
#define DNS_TLSA_MAX 32
#define DNS_SRV_MAX 32
/* More records than this are not looked at. */
#define DNS_RR_MAX 512
/* All of these: the one that SPF wants may be the last, and so the client's. */
#define DNS_ADDR_MAX DNS_RR_MAX
#define DNS_TXT_MAX DNS_RR_MAX

/* True if S can be a host's name: labels of letters, digits, "-" and "_". */
bool dns_is_host(struct str s);
/* The same with any octets but NUL in its labels. */
bool dns_is_name(struct str s);

/*
 * Each fills A from PACKET; its SECURE is the AD bit, be the server to be
 * believed or not.
 */

/* The MX records of NAME, by preference. */
void dns_answer_mx(struct str packet, const char *name, struct arena *arena,
    struct dns_mx_answer *a);
/* The addresses of FAMILY of NAME. */
void dns_answer_addr(struct str packet, const char *name, int family,
    struct arena *arena, struct dns_addr_answer *a);
void dns_answer_txt(struct str packet, const char *name, struct arena *arena,
    struct dns_txt_answer *a);
void dns_answer_ptr(struct str packet, const char *name, struct arena *arena,
    struct dns_ptr_answer *a);
void dns_answer_tlsa(struct str packet, const char *name, struct arena *arena,
    struct dns_tlsa_answer *a);
void dns_answer_srv(struct str packet, const char *name, struct arena *arena,
    struct dns_srv_answer *a);
/* Whether NAME itself has a CNAME. */
void dns_answer_alias(struct str packet, const char *name,
    struct dns_alias_answer *a);

#endif
