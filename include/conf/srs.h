/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SRS_H
#define CONF_SRS_H

/* srs -- the part of the configuration about rewritten reverse-paths. */

#include <sys/types.h>

#include "conf/types.h"
#include "lib/buf.h"

struct conf;

#define CONF_SRS_FILE "srs.secret"	/* in the spool */

struct conf_srs {
	const char *secret;	/* "": that of the file; "file:/path": its lines */
	const char *domain;	/* of the addresses that are made; "": none are */
	int64_t max_age;
	/* meaning, once conf_srs_load() was called */
	struct conf_strs secrets;	/* the first signs */
};

/*
 * Reads the secrets, if there is a domain.  With CREATE, the file in the spool is
 * made if there is none, for OWNER.  -1: a line in ERROR.
 */
int conf_srs_load(struct conf *c, bool create, uid_t owner, struct buf *error) MUST_USE;

#endif
