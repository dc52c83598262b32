/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

/* date -- dates of RFC 5322 3.3, and of RFC 3339. */

#include "lib/buf.h"

/* Adds "Fri, 20 Nov 2026 12:00:00 +0100" for T seconds since 1970, in local time. */
void date_add(struct buf *b, int64_t t);
/* Adds "Fri, 20 Nov 2026 11:00:00 GMT" (RFC 9110 5.6.7). */
void date_add_http(struct buf *b, int64_t t);
/* The time that a date says, obsolete forms too; -1 if it is none. */
int64_t date_parse(struct str s);

/* Adds "2026-11-20T11:00:00Z". */
void date_add_iso(struct buf *b, int64_t t);
/*
 * The time that such a date says, with "Z" or "+01:00" behind it, or without,
 * which is UTC; a space may stand for the T.  -1 if it is none.
 */
int64_t date_parse_iso(struct str s);

#endif
