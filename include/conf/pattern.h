/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_PATTERN_H
#define CONF_PATTERN_H

/*
 * pattern -- what stands in the configuration for many addresses or names.
 *
 * Of addresses: a domain, "*.domain" or ".domain" (what is below it), "*",
 * an address in which "*" stands for any characters, "<>" (the null
 * reverse-path), or "/regular expression/" for the whole address.  Of names:
 * a name in which "*" stands for any characters, or "/regular expression/".
 * Nothing knows case.
 */

#include "lib/arena.h"

struct regex;

enum pattern_kind { PATTERN_DOMAIN, PATTERN_ADDRESS, PATTERN_NULL, PATTERN_NAME, PATTERN_REGEX };

struct pattern {
	enum pattern_kind kind;
	struct str local, domain;	/* what is compared; "*" is any characters */
	const struct regex *regex;
};

/* Reads TEXT; what P holds is in A.  NULL, or what is wrong, perhaps in A. */
const char *pattern_address(struct arena *a, struct str text, struct pattern *p) MUST_USE;
const char *pattern_name(struct arena *a, struct str text, struct pattern *p) MUST_USE;

/* True if P fits the address LOCAL@DOMAIN; of a name, DOMAIN is empty. */
bool pattern_fits(const struct pattern *p, struct str local, struct str domain);

#endif
