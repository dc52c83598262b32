/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DESTINATION_H
#define CONF_DESTINATION_H

/* destination -- the part of the configuration that spares a destination. */

#include "conf/pattern.h"
#include "conf/types.h"

struct conf;

struct conf_destination {
	const char *pattern;	/* of a domain, host or upstream */
	struct conf_place place;
	uint64_t rate;		/* messages in each PER; 0: as many as there are */
	int64_t per;
	uint64_t per_destination, per_connection;	/* 0: as queue says */
	int64_t idle_connection;			/* 0: as queue says */
	int64_t connect_timeout, reply_timeout;		/* 0: as queue says */
	struct conf_strs ignore;	/* what EHLO offers and is not used */
	/* meaning */
	struct pattern name;
};

/* The first that fits NAME and stands before LIMIT (NULL: anywhere), or NULL. */
const struct conf_destination *conf_destination(const struct conf *c,
    struct str name, const struct conf_destination *limit);

#endif
