/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DNSBL_H
#define CONF_DNSBL_H

/* dnsbl -- the part of the configuration about lists in DNS; see conf/conf.h. */

#include "conf/reply.h"
#include "conf/types.h"

/* What a list has entries of; the first that is listed is the one that is named. */
enum conf_dnsbl_of { DNSBL_CLIENT, DNSBL_HELO, DNSBL_SENDER, DNSBL_URL, DNSBL_OF_N };

/* What an entry counts.  Several sections may be about one zone. */
struct conf_dnsbl {
	const char *zone;	/* in ASCII, if it has such a form */
	struct conf_place place;
	struct conf_strs of_words;	/* as in the file */
	int64_t weight;		/* below 0: a list of the good */
	struct conf_nets answers;
	const char *reply;	/* with ${listed}, ${client}, ${zone} and ${text} */
	/* meaning */
	unsigned of;		/* a bit for each, 1 << enum conf_dnsbl_of */
	struct conf_reply refusal;
};

enum conf_dnsbl_at { DNSBL_AT_RECIPIENT, DNSBL_AT_CONNECT };

struct conf_dnsbls {
	struct conf_dnsbl *lists;
	size_t list_n;
	uint64_t threshold;	/* 0: nobody is refused */
	int at;			/* enum conf_dnsbl_at */
	int64_t timeout;
	unsigned of;		/* of all lists */
};

/* "client", "helo", ... */
const char *conf_dnsbl_of_name(enum conf_dnsbl_of of);

#endif
