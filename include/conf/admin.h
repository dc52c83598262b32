/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ADMIN_H
#define CONF_ADMIN_H

/* admin -- the pages for administrators; see conf/conf.h. */

#include "conf/route.h"

struct conf_admin {
	struct conf_strs auth;		/* backends of their own; none: those of auth.backends */
	struct conf_strs users;		/* patterns of accounts; none: nobody */
	struct conf_nets metrics;	/* who reads /metrics without a login */
	/* meaning */
	struct conf_patterns who;
};

/* True if USER, as barid-auth calls him, is an administrator. */
bool conf_is_admin(const struct conf_admin *a, struct str user);
/* Whom passwords are shown to there: C's admin.auth or auth.backends. */
const struct conf_strs *conf_admin_backends(const struct conf *c);

#endif
