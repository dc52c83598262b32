/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ARCHIVE_H
#define CONF_ARCHIVE_H

/* archive -- the sections by which others get a copy of mail. */

#include "conf/route.h"

struct conf_archive {
	const char *name;
	struct conf_place place;
	struct conf_strs to;		/* addresses */
	struct conf_strs sender;	/* patterns; empty: any */
	struct conf_strs recipient;
	struct conf_strs user;
	struct conf_strs listener;
	/* meaning */
	struct conf_patterns senders, recipients, users;
};

#endif
