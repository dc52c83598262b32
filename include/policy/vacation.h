/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_VACATION_H
#define POLICY_VACATION_H

/* vacation -- which mail a mailbox answers by itself (RFC 3834): pure. */

#include "conf/conf.h"
#include "mail/path.h"

struct vacation_mail {
	struct path from;	/* of the envelope */
	struct path to;		/* the recipient whose mailbox it is */
	struct str mailbox;
	struct str text;	/* whose whole header it has */
};

/* The section that MAILBOX has, or NULL. */
const struct conf_vacation *vacation_of(const struct conf *c, struct str mailbox);
/* NULL: M is answered; or in words why not. */
const char *vacation_why_not(const struct conf *c, const struct conf_vacation *v,
    const struct vacation_mail *m);

#endif
