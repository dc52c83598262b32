/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_JOURNAL_FILE_H
#define IPC_JOURNAL_FILE_H

/* journal_file -- what writer and reader know of the journal's directory. */

#include "ipc/journal.h"

struct journal_name {
	int64_t day;	/* since 1970, UTC */
	size_t runner;
	unsigned part;
};

/* The name of a file; B is emptied first. */
void journal_name(struct buf *b, const struct journal_name *n);
bool journal_name_parse(struct str name, struct journal_name *n);
/* Calls FN for each file of the journal, in no order.  -1: errno. */
int journal_each(int dir, void (*fn)(void *arg, const struct journal_name *n),
    void *arg);
/* The directory of SPOOL's journal, made for OWNER if MAKE.  -1: errno. */
int journal_dir(const char *spool, bool make, uid_t owner);

#endif
