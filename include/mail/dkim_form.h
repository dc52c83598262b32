/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DKIM_FORM_H
#define MAIL_DKIM_FORM_H

/* dkim_form -- the forms of header fields that are signed (RFC 6376 3.4.1, 3.4.2). */

#include "mail/header.h"

/* Adds F with its line end. */
void dkim_form_add(struct buf *b, const struct field *f, bool relaxed);
/*
 * Adds the field of a signature as that signs it (RFC 6376 3.7): without its
 * line end, and without CUT, which is the part of its value behind "b=".
 */
void dkim_form_add_own(struct buf *b, const struct field *f, struct str cut, bool relaxed);

#endif
