/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_WAY_H
#define RUNNER_WAY_H

/* way -- how mail leaves, apart from the name it goes to. */

#include "conf/conf.h"

enum dest_kind {
	DEST_LOCAL,
	DEST_MX,
	DEST_UPSTREAM,
	DEST_PIPE,	/* a program */
	DEST_FORWARD,	/* programs and files that an account has in its .forward */
	DEST_LIST
};

/* A way that mail takes; what differs here is another destination. */
struct dest_way {
	enum dest_kind kind;
	struct str name;	/* domain, upstream, pattern of a section, account */
	const struct conf_upstream *upstream;	/* DEST_UPSTREAM */
	size_t command;		/* of barid-spawn: its number, see conf/program.h */
	const struct conf_upstream *fallback;	/* DEST_MX: another way, or NULL */
	uint16_t port;		/* DEST_MX: 0: smtp-port */
	int tls;		/* DEST_MX: enum conf_client_tls */
	bool requiretls;	/* only to hosts that are known, over TLS (RFC 8689) */
	struct str source;	/* what it leaves from, as in policy/source.h */
};

/* The same, kept: of a destination, its group, and the connections of this. */
struct way {
	unsigned refs;
	struct arena arena;	/* the source; an upstream that is in no file */
	enum dest_kind kind;
	const struct conf_upstream *upstream, *fallback;
	size_t command;
	uint16_t port;		/* of MX hosts */
	int tls;		/* enum conf_client_tls, of MX hosts */
	bool requiretls;
	const char *source;
};

/* True if barid-spawn takes the mail. */
bool way_is_spawn(enum dest_kind kind);
/* Adds a key of W without its name. */
void way_key(struct buf *b, const struct dest_way *w);
struct way *way_new(const struct conf *c, const struct dest_way *w) MUST_USE;
struct way *way_take(struct way *w) MUST_USE;	/* it has one more owner ... */
void way_drop(struct way *w);			/* ... and one less */

#endif
