/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_VACATION_H
#define CONF_VACATION_H

/* vacation -- the sections by which mailboxes answer while nobody reads them. */

#include "conf/route.h"

struct conf_vacation {
	const char *pattern;	/* of mailboxes */
	struct conf_place place;
	const char *message;	/* a file; "*" in it is the mailbox */
	struct conf_strs addresses;	/* patterns of more that are theirs */
	int64_t interval;
	/* meaning */
	struct pattern of;
	struct conf_patterns own;
};

#endif
