/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_SEALING_H
#define RUNNER_SEALING_H

/* sealing -- which mail of others is sealed by ARC as it is passed on. */

#include "lib/buf.h"

struct dkim_text;
struct job;
struct signing_numbers;

/* False if no key of the configuration seals J, whatever its text is. */
bool sealing_wanted(const struct job *j);
/* Adds those that may seal; the first that signs does. */
void sealing_candidates(const struct job *j, struct signing_numbers *keys);
/* T has read the text of J as it leaves: adds a set, if there is to be one. */
void sealing_add(struct buf *out, struct job *j, const struct dkim_text *t);

#endif
