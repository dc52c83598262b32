/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_XML_H
#define REPORT_XML_H

/*
 * xml -- foreign XML, as it streams by: elements and their text.
 *
 * No DTD is taken, and so no entity but the five of XML itself, and nothing is
 * ever fetched.  Names come without the prefix that the first of them has; one with
 * another prefix is of another name space, and comes with it.  Attributes, comments
 * and instructions do not come at all.
 */

#include "lib/str.h"

/* Elements within each other. */
#define XML_DEPTH_MAX 32
/* Octets without an end to what they are: of a name, a comment, a tag. */
#define XML_TOKEN_MAX ((size_t)1 << 20)

struct xml_events {
	void (*begin)(void *arg, struct str name);
	void (*text)(void *arg, struct str text);	/* in pieces; UTF-8 */
	void (*end)(void *arg, struct str name);
};

struct xml;

/* E and ARG are borrowed. */
struct xml *xml_new(const struct xml_events *e, void *arg) MUST_USE;
void xml_free(struct xml *x);	/* NULL is fine */
/* The next octets; LAST: none follow.  False, then and from then on: xml_why(). */
bool xml_add(struct xml *x, struct str bytes, bool last) MUST_USE;
/* Why it is not well formed, or not to be taken; static.  NULL: it is. */
const char *xml_why(const struct xml *x);

#endif
