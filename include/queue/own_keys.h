/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_OWN_KEYS_H
#define QUEUE_OWN_KEYS_H

/*
 * own_keys -- the keys that a message brings to be signed with, in JSON: an object, or
 * an array of them (barid-spool(5), "dkim").
 */

#include "conf/dkim.h"
#include "lib/arena.h"

struct dkim_key;

#define OWN_KEYS_MAX CONF_DKIM_KEYS_MAX
/* Of the JSON. */
#define OWN_KEYS_TEXT_MAX 65536

struct own_key {
	struct str domain;	/* in ASCII */
	struct str selector;
	struct dkim_key *key;
	int forms;		/* CONF_DKIM_* */
	int64_t expires;	/* seconds since 1970; 0: never */
	bool reports;		/* a failure may be reported (RFC 6651) */
	bool signs, seals;	/* by DKIM, by ARC */
	struct str more[CONF_DKIM_HEADERS_MAX];	/* fields that are signed, too */
	size_t more_n;
};

struct own_keys {
	struct own_key v[OWN_KEYS_MAX];
	size_t n;
	bool alone;		/* none of the configuration signs besides */
};

/*
 * Reads TEXT, foreign.  What K points to is in A; it is to be freed.  NULL, or what is
 * wrong, in A, with none of the keys in it; then there is nothing to be freed.
 */
const char *own_keys_read(struct str text, int64_t now, struct arena *a, struct own_keys *k)
    MUST_USE;
void own_keys_free(struct own_keys *k);
/* The same without keeping anything: for who takes such a message in. */
const char *own_keys_why_not(struct str text, struct arena *a);

#endif
