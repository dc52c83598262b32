/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_USERSET_H
#define IPC_USERSET_H

/*
 * userset -- the names of those who have a mailbox, and of aliases, shared by
 * all processes; and from where clients need no login.
 *
 * Sessions and runner must know who exists, and must not see a password
 * file.  The master reads the names (not the hashes), puts them into a
 * shared mapping and replaces them when the file changes; everybody else
 * only looks.  Readers never wait: a change while looking is looked at again.
 */

#include "lib/ip_range.h"

struct userset;

struct userset *userset_new(void) MUST_USE;	/* NULL: errno */
/* What others inherit: a descriptor by which nobody can write. */
int userset_fd(const struct userset *u);
/* Takes FD, to look; it stays the caller's if that fails. */
struct userset *userset_attach(int fd) MUST_USE;
void userset_free(struct userset *u);	/* NULL is fine */
/*
 * Replaces all names (sorted here; ASCII letters folded).  ":" stands before
 * that of an alias, "%" before that of a member of a list.  One that is not
 * plain (lib/name.h) is left out; of two that differ by case the first counts.
 * Only in the process that made U.  -1: they come to more than
 * USERSET_OCTETS_MAX; the old ones stay.
 */
#define USERSET_OCTETS_MAX ((size_t)63 << 20)
size_t userset_octets(struct str name);	/* what NAME counts for */
int userset_replace(struct userset *u, const struct str *names, size_t n) MUST_USE;
/*
 * With ANY, every plain name is a user.  It then goes by its lower-case
 * spelling.
 */
void userset_set_any(struct userset *u, bool any);
/* With which hashes somebody can log in by CRAM, as bits (1 << HMAC_MD5 ...). */
void userset_set_digests(struct userset *u, unsigned hashes);
unsigned userset_digests(const struct userset *u);
/* Whether somebody's password is stored as it is, so that any digest can prove it. */
void userset_set_plain(struct userset *u, bool plain);
bool userset_plain(const struct userset *u);
/* Whether somebody can log in by SCRAM: with a key, or what is stored as it is. */
void userset_set_scram(struct userset *u, bool scram);
bool userset_scram(const struct userset *u);
/* Looks NAME up without case; the spelling that counts goes to OUT (65 bytes). */
bool userset_has(const struct userset *u, struct str name, char out[65]);
bool userset_has_alias(const struct userset *u, struct str name);
/*
 * Members of mailing lists are known by what their addresses and their list
 * come to: the name that stands for ADDRESS, without case, at LIST.
 */
#define USERSET_MEMBER_SIZE 18
void userset_member(struct str list, struct str address, char name[USERSET_MEMBER_SIZE]);
bool userset_has_member(const struct userset *u, struct str list, struct str address);
/*
 * Clients that need no login, with the word that stands for them.  They count
 * from the next userset_replace() on; those behind the first
 * USERSET_TRUSTS_MAX do not.
 */
#define USERSET_TRUSTS_MAX 256
struct userset_trust {
	struct ip_range range;
	char keyword[65];
};
void userset_set_trusts(struct userset *u, const struct userset_trust *t, size_t n);
/* At once, and until the next userset_replace(). */
void userset_trust_none(struct userset *u);
/* The keyword of the smallest range that has an address (4 or 16 octets); false: none has. */
bool userset_trusts(const struct userset *u, int family, const void *octets, char keyword[65]);
/* Of users. */
size_t userset_count(const struct userset *u);

#endif
