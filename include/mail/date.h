/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

/* date -- RFC 5322 3.3 dates. */

#include "lib/buf.h"

/* Adds "Fri, 20 Nov 2026 12:00:00 +0100" for T seconds since 1970, in local time. */
void date_add(struct buf *b, int64_t t);
/* The time that a date says, obsolete forms too; -1 if it is none. */
int64_t date_parse(struct str s);

#endif
