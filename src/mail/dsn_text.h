/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DSN_TEXT_H
#define MAIL_DSN_TEXT_H

/* dsn_text -- the words of a report, for its builder in dsn.c only. */

#include "mail/dsn.h"

/* Octets of one foreign text that a report shows. */
#define DSN_FOREIGN_MAX 900

/*
 * Adds at most DSN_FOREIGN_MAX octets of S: line ends become a space, other
 * control characters and what is not ASCII become '?'.  UTF8: all that is
 * UTF-8 stays, but for what changes how the text around it looks.
 */
void dsn_clean(struct buf *b, struct str s, bool utf8);
/* The same for an address as it is written. */
void dsn_clean_path(struct buf *b, const struct path *p, bool utf8);
/* The recipients with that action; FIRST is set to the first of them. */
size_t dsn_count(const struct dsn *d, enum dsn_action action,
    const struct dsn_rcpt **first);

/*
 * Adds the part that people read: ASCII (UTF-8 if D is smtputf8), CRLF, lines
 * of 76 octets where words allow it.  FULL: the whole message is returned.
 */
void dsn_text_add(struct buf *b, const struct dsn *d, bool full);

#endif
