/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_SENDER_H
#define POLICY_SENDER_H

/* sender -- who may send as whom (CONFORMANCE S-40): pure functions. */

#include "conf/conf.h"
#include "ipc/userset.h"
#include "mail/path.h"

/*
 * True if USER, who has logged in, may send as P: it is an address of his own
 * mailbox, or an account section gives it to him; the null reverse-path is
 * everybody's.  *WHERE: the line that says so, or nowhere.
 */
bool sender_is_own(const struct conf *c, const struct userset *users, struct str user,
    const struct path *p, struct conf_place *where);

/*
 * The same of all addresses in the From fields of HEADER.  NULL, or what is
 * wrong: more than one field, one that cannot be read, or an address that is
 * not his.  Without From nobody is claimed to be anybody.
 */
const char *sender_in_header(const struct conf *c, const struct userset *users, struct str user,
    struct str header) MUST_USE;

#endif
