/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DNSBL_H
#define CONF_DNSBL_H

/* dnsbl -- the part of the configuration about lists of clients in DNS; see conf/conf.h. */

#include "conf/reply.h"
#include "conf/types.h"

/* What an entry counts.  Several sections may be about one zone. */
struct conf_dnsbl {
	const char *zone;	/* in ASCII, if it has such a form */
	struct conf_place place;
	int64_t weight;		/* below 0: a list of good clients */
	struct conf_nets answers;
	const char *reply;	/* with ${client}, ${zone} and ${text} */
	/* meaning */
	struct conf_reply refusal;
};

enum conf_dnsbl_at { DNSBL_AT_RECIPIENT, DNSBL_AT_CONNECT };

struct conf_dnsbls {
	struct conf_dnsbl *lists;
	size_t list_n;
	uint64_t threshold;	/* 0: nobody is refused */
	int at;			/* enum conf_dnsbl_at */
	int64_t timeout;
};

#endif
