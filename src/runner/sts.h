/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_STS_H
#define RUNNER_STS_H

/* sts -- the MTA-STS policy of a domain: kept, or fetched now (RFC 8461 5). */

#include "mail/sts.h"

struct runner;

/*
 * Finds DOMAIN's policy: FN gets it, good during the call, or NULL if there
 * is none.  Never from inside.
 */
void sts_find(struct runner *r, const char *domain,
    void (*fn)(void *arg, const struct sts_policy *p), void *arg);

#endif
