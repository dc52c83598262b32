/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_DKIM_PRIVATE_H
#define CHECK_DKIM_PRIVATE_H

/*
 * dkim_private -- what the files of check/dkim.h share.
 *
 * dkim.c		a message's way through a check
 * dkim_entry.c		one signature, of any kind: from its field to its result
 * dkim_header.c	what of a header is signed
 * dkim_bodies.c	the hashes of a body
 * arc.c		the chain of ARC
 */

#include "check/dkim.h"
#include "dkim_bodies.h"
#include "dkim_header.h"
#include "lib/arena.h"

/* A seal and a signature for each instance of ARC. */
#define DKIM_KEYS_MAX (DKIM_CHECK_MAX + 2 * ARC_INSTANCE_MAX)

struct dkim_entry {
	enum dkim_kind kind;
	enum dkim_algorithm algorithm;
	bool settled;			/* RESULT holds: no key can change it */
	enum dkim_result result;
	const char *reason;
	struct str domain, selector, identity;	/* as in struct dkim_verdict */
	struct str algorithm_name, b;
	bool below;			/* the identity is in a subdomain of the domain */
	bool testing, reports;
	bool partial;			/* the body goes on behind what is signed of it */
	bool relaxed_body, has_length;
	uint64_t length;
	unsigned char body_hash[SHA256_SIZE];
	unsigned char digest[SHA256_SIZE];	/* of what is signed */
	struct str proof;		/* the octets of "b=" */
	size_t body;			/* of the bodies, or DKIM_BODY_NONE */
	size_t key;			/* of the names; where not settled */
};

struct arc;

struct dkim_check {
	unsigned what;
	int64_t now;
	struct arena arena;
	const char *flaw;		/* of the header; NULL: none */
	struct dkim_bodies *bodies;
	struct dkim_entry v[DKIM_CHECK_MAX];
	size_t n, ignored;
	struct arc *arc;
	struct str keys[DKIM_KEYS_MAX];
	size_t key_n;
};

/* ---- dkim_entry.c ------------------------------------------------------------------ */

/* Takes over of S, read from a field (WHY: or not), what is needed later. */
void dkim_entry_init(struct dkim_check *c, struct dkim_entry *e, const struct dkim_signature *s,
    const char *why);
/* It wants its body's hash and its key; HAS_DIGEST: that of what it signs is there. */
void dkim_entry_want(struct dkim_check *c, struct dkim_entry *e, bool has_digest);
/* The body has ended. */
void dkim_entry_end(const struct dkim_check *c, struct dkim_entry *e);
void dkim_entry_key(struct dkim_entry *e, const struct txt_answer *a);

/* ---- arc.c ------------------------------------------------------------------------- */

/* The chain in H, in the arena. */
struct arc *arc_read(struct dkim_check *c, struct dkim_header *h);
void arc_each(struct arc *a, void (*fn)(void *arg, struct dkim_entry *e), void *arg);
struct arc_verdict arc_judge(struct dkim_check *c, const struct arc *a);

#endif
