/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAILBOX_MAILBOX_H
#define MAILBOX_MAILBOX_H

/* mailbox -- what the files of this room share. */

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "mailbox/maildir.h"

#define MAILDIR_CHUNK 65536

/*
 * Opens directory NAME below DIR and makes it if CREATE; follows no link.
 * -1: errno; EPERM if it is not ours or others can write it.
 */
int mailbox_dir(int dir, const char *name, bool create) MUST_USE;

/* The part of NAME before ',' or ':', and the part before the flags. */
struct str maildir_base(const char *name);
struct str maildir_fixed(const char *name);
/* The number that NAME begins with: when the message arrived; 0 if none. */
uint64_t maildir_time(const char *name);
/* The octets of the file, as NAME says them; false: it does not. */
bool maildir_said_octets(const char *name, uint64_t *octets);
/* The directory where E stands. */
int maildir_dir_of(const struct maildir *m, const struct maildir_entry *e);
/* Calls FN with each entry of DIR that may be a message, until it is false.  -1: errno. */
int maildir_list(int dir, bool (*fn)(void *arg, const struct dirent *e),
    void *arg) MUST_USE;
/*
 * Reads both directories: each entry gets the name that it has now, or is GONE, or
 * the name is that of an OTHER file under its base.  -1: errno.
 */
int maildir_look_again(struct maildir *m) MUST_USE;
/* The same, if it is of any use, for E, which is no longer under its name.  -1: it is gone. */
int maildir_find_again(struct maildir *m, const struct maildir_entry *e) MUST_USE;
/*
 * Opens entry I as maildir_read() does, and says in ST what fstat() said.
 */
int maildir_read_stat(struct maildir *m, size_t i, struct stat *st) MUST_USE;
/*
 * Of messages that share a base, each but the oldest gets one of its own,
 * durably.  -1: errno.
 */
int maildir_part_twins(struct maildir *m) MUST_USE;

/*
 * known.c: sizes that an earlier session has counted, and this one.  ST is of
 * E's file.
 */
bool known_any(struct maildir *m);
bool known_size(struct maildir *m, const struct maildir_entry *e,
    const struct stat *st, uint64_t *sent);
/* E->size was counted. */
void known_add(struct maildir *m, const struct maildir_entry *e,
    const struct stat *st);
/* Writes them down, if that is worth it, and forgets them. */
void known_end(struct maildir *m);

/* Whether S may be the UIDL of a message. */
bool maildir_is_uidl(struct str s);

/*
 * far.c: the same as those of their names, of a mailbox that another process has
 * open; what that one says is checked.
 */
int far_open(struct maildir *m) MUST_USE;
int far_read(struct maildir *m, size_t i) MUST_USE;
int far_size(struct maildir *m, size_t i, uint64_t *size) MUST_USE;
size_t far_expunge(struct maildir *m) MUST_USE;
void far_close(struct maildir *m);

/*
 * Turns a message into what a Maildir holds: CRLF becomes LF, and any
 * Return-Path of its header is left out.  Zero-initialised at the start.
 */
struct stored {
	bool body;		/* behind the header */
	bool in_line;		/* behind the start of a line */
	bool dropping;		/* in a field that is left out */
	bool cr;		/* a CR is held back: LF may follow */
	size_t matched;		/* octets of "return-path:" held back */
	char held[16];
};
void stored_add(struct stored *s, struct str text, struct buf *out);
void stored_end(struct stored *s, struct buf *out);

#endif
