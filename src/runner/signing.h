/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_SIGNING_H
#define RUNNER_SIGNING_H

/* signing -- which mail is signed by DKIM, and with which keys. */

#include "conf/dkim.h"

struct dkim_text;
struct job;
struct own_keys;
struct runner;

void signing_load(struct runner *r);	/* before the sandbox */
void signing_free(struct runner *r);
/* The keys that J brings, once they were read; NULL: it brings none. */
const struct own_keys *signing_own(struct job *j);
void signing_forget(struct job *j);
/* True if somebody signs the body of J in its simple form. */
bool signing_simple(struct job *j);
/* False if J is neither signed nor sealed, whomever its header says that it is from. */
bool signing_wanted(const struct job *j);
/* Keys of the configuration, by their numbers. */
struct signing_numbers {
	size_t v[2 * CONF_DKIM_KEYS_MAX], n;
};
/* After dkim_text_end(): those that may sign or seal J, whose header T has read. */
void signing_candidates(const struct job *j, const struct dkim_text *t,
    struct signing_numbers *keys);
/* For who reads a text in pieces: TEXT is a struct dkim_text. */
void signing_read(void *text, struct str piece);
/*
 * T has read the text of J as it leaves: the fields to be put before it, in
 * J's arena; empty if there is no key for it.
 */
struct str signing_fields(struct job *j, struct dkim_text *t);

#endif
