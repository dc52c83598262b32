/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_VERIFY_H
#define CONF_VERIFY_H

/* verify -- who is asked for recipients before they are accepted: recipients.verify. */

#include "conf/types.h"
#include "lib/arena.h"
#include "lib/str.h"

enum conf_verify_kind {
	VERIFY_NOBODY,
	VERIFY_EXEC,	/* a program */
	VERIFY_NET,	/* a server of the line protocol */
	VERIFY_SMTP,	/* an SMTP server */
	VERIFY_ACCOUNT	/* the accounts of this host */
};

struct conf_verify {
	enum conf_verify_kind kind;
	struct conf_strs words;		/* VERIFY_EXEC: the program and its first arguments */
	/* VERIFY_NET, VERIFY_SMTP: a host, an address, or "unix:/path". */
	const char *host;
	uint16_t port;
	uint64_t uid_min, uid_max;	/* VERIFY_ACCOUNT */
	bool lower;			/* a name that is none is tried in lower case */
	bool check;			/* who has no account is accepted all the same */
};

/* Reads TEXT; what V holds is in A.  NULL, or what is wrong, perhaps in A. */
const char *conf_verify_read(struct str text, struct arena *a, struct conf_verify *v) MUST_USE;

#endif
