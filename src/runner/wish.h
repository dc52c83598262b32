/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_WISH_H
#define RUNNER_WISH_H

/* wish -- what a sender wants of the way of a message (RFC 8689, RFC 2852). */

#include "job.h"
#include "way.h"

/* Changes W as the message wants it; its source and name are not looked at. */
void wish_way(const struct envelope *e, struct dest_way *w);
/* What RES means for the recipient. */
struct result wish_settle(const struct job_rcpt *jr, const struct result *res);

/* The value of BY= at NOW_US, "60;RT", in N octets at BY; "" if there is none. */
void wish_by(const struct envelope *e, int64_t now_us, char *by, size_t n);
/* True if a relay to a host with such EXTENSIONS is to be reported. */
bool wish_by_ends(const struct envelope *e, unsigned extensions);
/* True if the sender is to be told now that there is no delivery yet. */
bool wish_by_is_late(const struct envelope *e, int64_t now_us);

#endif
