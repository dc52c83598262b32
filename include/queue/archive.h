/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_ARCHIVE_H
#define QUEUE_ARCHIVE_H

/*
 * archive -- who gets a copy of mail as it comes in, as the sections archive
 * say (barid.conf(5)).
 */

#include "conf/conf.h"
#include "lib/arena.h"
#include "queue/envelope.h"

/*
 * Gives E, which came in by its listener from its user, those as recipients
 * that get a copy, in A: once, and nobody who is one already.  Nobody is told
 * what becomes of a copy.
 */
void archive_add(const struct conf *c, struct arena *a, struct envelope *e);

/* The sections that fit, from *AT = 0 on; NULL: no more. */
const struct conf_archive *archive_next(const struct conf *c, const struct envelope *e, size_t *at);

#endif
