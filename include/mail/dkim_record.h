/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DKIM_RECORD_H
#define MAIL_DKIM_RECORD_H

/* dkim_record -- the record of a key in DNS (RFC 6376 3.6.1). */

#include "lib/buf.h"

/* Of the text of a record; a key of 4096 bits has some 700 octets. */
#define DKIM_RECORD_MAX 8192

struct dkim_record {
	struct str type;	/* "rsa", "ed25519", or what it says; a view of the text */
	struct buf key;		/* the octets of the key */
	bool testing;		/* "t=y": verifiers may make nothing of it */
	bool late_version;	/* "v=DKIM1" does not stand first */
	bool strict;		/* "t=s": the identity is in the domain itself, not below */
};

/*
 * Reads TEXT, the strings of a record put together.  NULL: mail can be verified
 * by it; else why not, in static storage.  R is to be freed in any case.  RFC 6376
 * 3.6.1 wants the version first; as those who verify take it anywhere, so does this.
 */
const char *dkim_record_parse(struct str text, struct dkim_record *r) MUST_USE;
void dkim_record_free(struct dkim_record *r);
/* Adds the record of a key that has these octets. */
void dkim_record_add(struct buf *b, const char *type, struct str key);

#endif
