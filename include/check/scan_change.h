/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SCAN_CHANGE_H
#define CHECK_SCAN_CHANGE_H

/*
 * scan_change -- what a server of spam wants to be changed in the header of a
 * message: fields that are added, and fields that are taken out.
 *
 * What it says is foreign: names are those of fields, values stay within theirs,
 * and there are so many of so many octets.
 */

#include "lib/arena.h"
#include "lib/buf.h"

#define SCAN_CHANGES_MAX 64
/* Octets of one value. */
#define SCAN_CHANGE_VALUE_MAX 8192

struct scan_change {
	struct str name;
	struct str value;	/* as it is written; of what is taken out nothing */
	bool remove;
	bool on_top;		/* of what is added: before all others, else behind them */
	int64_t which;		/* of what is taken out: 0 all, 1 the first, -1 the last */
};

struct scan_changes {
	struct scan_change v[SCAN_CHANGES_MAX];
	size_t n;
};

/*
 * False: it is left out, as NAME is none of a field, or one of ours, or VALUE or all
 * of it is too much.  Copies go into A.
 */
bool scan_change_add(struct scan_changes *c, struct arena *a, struct str name, struct str value,
    bool on_top);
bool scan_change_remove(struct scan_changes *c, struct arena *a, struct str name, int64_t which);
/* The Subject becomes TEXT, which may have encoded words. */
bool scan_change_subject(struct scan_changes *c, struct arena *a, struct str text);

/* Adds HEADER, lines with CRLF, as it is then; both without a blank line. */
void scan_change_header(const struct scan_changes *c, struct str header, struct buf *out);

#endif
