/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_NOTE_H
#define QUEUE_NOTE_H

/* note -- the lines behind the text, as its readers share them. */

#include "queue/queue.h"

/* A note as it is found. */
struct note {
	int64_t time;
	size_t rcpt;		/* one of the envelope */
	struct str status, relay, source, reply;	/* the reply as it stands there */
	off_t at;		/* where its line stands, for note_fetch() */
	size_t n;
};

/* Calls FN with each note, oldest first; strings are good during the call. */
int note_scan(const struct queue_file *f, void (*fn)(void *arg, const struct note *n),
    void *arg) MUST_USE;
/* Reads the note of N octets at AT, strings in A. */
int note_fetch(const struct queue_file *f, off_t at, size_t n, struct arena *a,
    struct queue_attempt *to) MUST_USE;

#endif
