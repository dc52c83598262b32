/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_SIGNING_H
#define RUNNER_SIGNING_H

/* signing -- which mail is signed by DKIM, and with which keys. */

#include "lib/str.h"

struct dkim_text;
struct job;
struct runner;

void signing_load(struct runner *r);	/* before the sandbox */
void signing_free(struct runner *r);
/* False if J is neither signed nor sealed, whomever its header says that it is from. */
bool signing_wanted(const struct job *j);
/*
 * T has read the text of J as it leaves: the fields to be put before it, in
 * J's arena; empty if there is no key for it.
 */
struct str signing_fields(struct job *j, struct dkim_text *t);

#endif
