/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_SRS_H
#define POLICY_SRS_H

/* srs -- when a reverse-path is rewritten, and by which secrets. */

#include "conf/conf.h"
#include "mail/srs.h"

/* What C says of it; without secrets none is made or believed. */
struct srs srs_of(const struct conf *c);
/*
 * The reverse-path of mail from FROM that is forwarded at NOW (seconds since
 * 1970) to another host; in A where it is another: a null one stays, one of
 * ours too, and one for which there is no room.
 */
struct path srs_sender(const struct conf *c, const struct path *from,
    int64_t now, struct arena *a);

#endif
