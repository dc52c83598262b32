/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

/*
 * table -- files of addresses and what they become, as Postfix has them for
 * canonical(5) and generic(5) before postmap(1): a key, white space, an address.
 *
 * A key is "user@domain", "user" of one of our domains, or "@domain"; keys do not
 * know case.  What a key becomes is "user@domain", "@domain" (the user stays) or
 * "user" (in the first of domains).  A line that begins with white space goes on
 * with the one before, and # begins a comment.
 */

#include "lib/buf.h"

#define CONF_TABLE_OCTETS_MAX ((size_t)64 << 20)

struct conf;
struct conf_table;

struct conf_table_entry {
	const char *local, *domain;	/* "": as it was */
	int line;
};

/*
 * Reads the file at PATH; HOME is the domain of what is written without one.  What
 * is wrong is added to COMPLAINTS, "FILE:LINE: what is wrong, what was expected",
 * and such a line left out; of two with one key the first counts.  NULL: it cannot
 * be read at all, which is a complaint as well.
 */
struct conf_table *conf_table_read(const char *path, const char *home,
    struct buf *complaints) MUST_USE;
void conf_table_free(struct conf_table *t);	/* NULL is fine */
size_t conf_table_count(const struct conf_table *t);
/* What stands behind KEY, or NULL. */
const struct conf_table_entry *conf_table_get(const struct conf_table *t, struct str key);
/*
 * What becomes of LOCAL@DOMAIN: by its whole, by it without its detail, behind one
 * of MARKS, by LOCAL alone if it is OURS (both ways), by "@DOMAIN".  NULL: nothing.  *DETAIL is the
 * detail with its mark where it was left out, which stays with the new local part.
 */
const struct conf_table_entry *conf_table_find(const struct conf_table *t, struct str local,
    struct str domain, bool ours, struct str marks, struct str *detail);

/*
 * Reads the tables of all sections rewrite into C.  -1: one cannot be read.  Lines
 * that are wrong are in ERROR either way.
 */
int conf_tables_load(struct conf *c, struct buf *error) MUST_USE;
/* Only says what is wrong with them. */
void conf_tables_check(const struct conf *c, struct buf *error);
void conf_tables_free(struct conf *c);
/* A number that changes when one of their files does; 0: there are none. */
uint64_t conf_tables_stamp(const struct conf *c);

#endif
