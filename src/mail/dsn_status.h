/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DSN_STATUS_H
#define MAIL_DSN_STATUS_H

/* dsn_status -- the fields of a report, for its builder in dsn.c only. */

#include "mail/dsn.h"

/* Adds message/delivery-status, or message/global-delivery-status if D is smtputf8. */
void dsn_status_add(struct buf *b, const struct dsn *d);

#endif
