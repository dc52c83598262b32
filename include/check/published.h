/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_PUBLISHED_H
#define CHECK_PUBLISHED_H

/* published -- whether those who verify find the key in DNS that mail is signed with. */

#include "lib/str.h"

struct dkim_key;

/*
 * TEXTS are the N records of the key's name.  NULL: they are that of KEY, and TESTING
 * says whether it calls itself a test ("t=y"); else why not, in static storage.
 */
const char *published_why_not(const struct str *texts, size_t n, const struct dkim_key *key,
    bool *testing) MUST_USE;

#endif
