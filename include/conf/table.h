/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

/*
 * table -- files of addresses and what they become, as Postfix has them for
 * canonical(5), generic(5) and virtual(5) before postmap(1): a key, white space,
 * and what stands for it.
 *
 * A key is "user@domain", "user" of one of our domains, or "@domain"; keys do not
 * know case.  A line that begins with white space goes on with the one before, and
 * # begins a comment.  What a key becomes is for a section rewrite "user@domain",
 * "@domain" (the user stays) or "user" (in the first of domains); for a section
 * recipient what a section itself may say, or addresses: see conf/recipient.h.
 */

#include "lib/arena.h"
#include "lib/buf.h"

#define CONF_TABLE_OCTETS_MAX ((size_t)64 << 20)

struct conf;
struct conf_table;

struct conf_table_entry {
	const char *to;		/* as the form below has made it */
	int line;
	bool all;		/* the key is "@domain" */
};

/*
 * What TO, behind a key, is for tables of C of one form.  NULL, and TO may be
 * another text in A; or what is wrong with it, perhaps in A.
 */
typedef const char *conf_table_take(const struct conf *c, struct arena *a, struct str *to);
/* The form of sections rewrite: an address, of which conf_table_halves() gives the halves. */
const char *conf_table_address(const struct conf *c, struct arena *a, struct str *to);
/* An empty half stays as it was. */
void conf_table_halves(const struct conf_table_entry *e, struct str *local, struct str *domain);

/*
 * Reads the file at PATH.  What is wrong is added to COMPLAINTS, "FILE:LINE: what
 * is wrong, what was expected", and such a line left out; of two with one key the
 * first counts.  NULL: it cannot be read at all, which is a complaint as well.
 */
struct conf_table *conf_table_read(const struct conf *c, const char *path,
    conf_table_take *take, struct buf *complaints) MUST_USE;
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
 * Reads the tables of all sections rewrite and recipient into C.  -1: one cannot be read.  Lines
 * that are wrong are in ERROR either way.
 */
int conf_tables_load(struct conf *c, struct buf *error) MUST_USE;
/*
 * Reads and checks them, and leaves what they say in a memory file of its own,
 * behind what KEPT has (conf_load_and_keep()).  -1: if ERROR has grown it is what is
 * wrong with them, else errno says why they cannot be kept.
 */
int conf_tables_keep(const struct conf *c, int kept, struct buf *error) MUST_USE;
/* Only says what is wrong with them. */
void conf_tables_check(const struct conf *c, struct buf *error);
void conf_tables_free(struct conf *c);
/* A number that changes when one of their files does; 0: there are none. */
uint64_t conf_tables_stamp(const struct conf *c);

#endif
