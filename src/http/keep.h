/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_KEEP_H
#define HTTP_KEEP_H

/* keep -- what barid-http remembers: tokens, and what failed lately. */

#include <stdint.h>

#include "lib/str.h"

struct keep;

struct keep *keep_new(void) MUST_USE;
/* Overwrites the tokens.  NULL is fine. */
void keep_free(struct keep *k);

/* KEY could not be fetched, for reason WHY: not tried again for a while. */
void keep_failure(struct keep *k, const char *key, struct str why);
/* Why it is not to be tried now, or NULL. */
const char *keep_has_failed(struct keep *k, const char *key);

void keep_token(struct keep *k, const char *key, struct str token, uint64_t seconds);
/* The token that is good for *SECONDS more, or NULL. */
const char *keep_get_token(struct keep *k, const char *key, uint64_t *seconds);
/*
 * A server did not take TOKEN (empty: nothing was refused): it is forgotten.
 * Why there is no other one now, since this one is new; or NULL.
 */
const char *keep_refused(struct keep *k, const char *key, struct str token);

#endif
