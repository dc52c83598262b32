/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_SELF_H
#define POLICY_SELF_H

/* self -- by which names and addresses MX hosts would be ourselves. */

#include "conf/conf.h"
#include "net/addr.h"

struct self;

struct self *self_new(const struct conf *c) MUST_USE;
void self_free(struct self *s);	/* NULL is fine */
bool self_is(const struct self *s, const struct addr *a);
/*
 * True if whoever connects to A talks to this host, at whatever port: the loopback, and
 * what its interfaces have now.  Also where that cannot be told.
 */
bool self_is_here(const struct addr *a) MUST_USE;
/*
 * True if no MX host can be at A, whatever DNS says: its mail would go to
 * nobody, or to what mx-ignore names.
 */
bool self_ignores(const struct conf *c, const struct addr *a);
/* True if NAME is one that we go by. */
bool self_has_name(const struct conf *c, struct str name);

#endif
