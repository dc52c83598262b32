/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_URLS_H
#define MAIL_URLS_H

/* urls -- the hosts that the URLs of a message lead to. */

#include "lib/arena.h"

#define URLS_MAX 32
/* Octets of a message that are looked at. */
#define URLS_TEXT_MAX (1u << 20)

/* All zero: none. */
struct urls {
	/*
	 * Each once: "www.example.org" as domain_add_host() has it, "192.0.2.1" however
	 * that was written, "2001:db8::1".  Those behind URLS_MAX are left out.
	 */
	struct str host[URLS_MAX];
	size_t n;
};

/*
 * Adds the hosts of http and https URLs, and of what begins with "www.", in the parts
 * text/plain and text/html of MESSAGE, or of its beginning.  Time is linear in its
 * length.  Copies go to A.
 */
void urls_find(struct urls *u, struct str message, struct arena *a);

#endif
