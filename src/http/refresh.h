/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HTTP_REFRESH_H
#define HTTP_REFRESH_H

/* refresh -- which policies are fetched anew without being asked for. */

#include <stdbool.h>
#include <stdint.h>

#include "ipc/policies.h"

struct refresh;

/* Of the policies in the directory DIR. */
struct refresh *refresh_new(int dir) MUST_USE;
void refresh_free(struct refresh *r);	/* NULL is fine */
/* The domain whose turn it is, until the next call; NULL: none now. */
const char *refresh_next(struct refresh *r);
/* Milliseconds until it is worth while to ask again. */
int64_t refresh_wait(const struct refresh *r);
/*
 * True if F, which says that it lives so many seconds, is to be fetched anew
 * at NOW: it is in use, and has lived for a day or half its life.
 */
bool refresh_is_due(const struct policy_file *f, int64_t max_age, int64_t now);

#endif
