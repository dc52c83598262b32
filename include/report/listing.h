/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_LISTING_H
#define REPORT_LISTING_H

/*
 * listing -- the queue for people and for programs.
 *
 * Whoever can read the spool lists it himself; for everybody else the
 * master's control child does, which is why this is a room of its own.
 */

#include <stdio.h>

#include "conf/conf.h"
#include "queue/queue.h"

/* Where a message can be: bits. */
enum listing_state {
	LISTING_DROP = 1,
	LISTING_NEW = 2,
	LISTING_ACTIVE = 4,	/* being attempted now */
	LISTING_DEFERRED = 8,
	LISTING_HOLD = 16,
	LISTING_DEAD = 32,
	LISTING_BAD = 64	/* unreadable; left out where nothing is said */
};
#define LISTING_STATES_ALL 127

enum listing_sort {
	LISTING_UNSORTED,
	LISTING_BY_ARRIVAL,
	LISTING_BY_SIZE,
	LISTING_BY_NEXT,	/* the next attempt */
	LISTING_BY_SENDER
};

struct listing_filter {
	const struct str *ids;	/* only these; none: all */
	size_t id_n;
	struct str domain;	/* of a recipient; empty: any */
	struct str sender;	/* part of it, "<>": the null sender; empty: any */
	struct str recipient;	/* part of one; empty: any */
	struct str reason;	/* part of the last reply, or its code ("4.4"); empty: any */
	struct str route;	/* by which a recipient goes, in the words of via */
	unsigned states;	/* enum listing_state; 0: any that can be read */
	int64_t before_us;	/* arrived before; 0: any */
	int64_t after_us;	/* arrived after; 0: any */
	uint64_t limit;		/* 0: none */
	enum listing_sort sort;
	bool reverse;
	bool by_sender;		/* LISTING_SUMMARY: by the sender's domain */
};

/* What is known besides the spool; all may be empty. */
struct listing_facts {
	const struct conf *conf;	/* for the route */
	const char *const *active;	/* ids that are being attempted, sorted */
	size_t active_n;
};

enum listing_form {
	LISTING_MAILQ = 1,	/* the form of Postfix, which monitoring tools parse */
	LISTING_JSON,		/* an object on a line for each message */
	LISTING_IDS,		/* the ids alone, a line each */
	LISTING_LONG,		/* as mailq, with the next attempt */
	LISTING_COUNT,		/* nothing but the count that is returned */
	LISTING_SUMMARY,	/* a line for each domain: how many, how old */
	LISTING_SUMMARY_JSON,
	/* What only who may read the spool gets to see. */
	LISTING_SHOW,		/* the envelope, the attempts and the header */
	LISTING_TEXT		/* the same, and all of the message itself */
};
#define LISTING_PUBLIC_MAX LISTING_SUMMARY_JSON

/*
 * Writes what of Q passes F to OUT, and to *COUNT how many messages that
 * were.  FACTS may be NULL.  -1: errno, a part of the queue could not be read.
 * Who cannot write to OUT finds that by ferror().
 */
int listing_write(struct queue *q, const struct listing_filter *f,
    const struct listing_facts *facts, enum listing_form form, FILE *out,
    uint64_t *count) MUST_USE;

/* The states in a list of words with commas between.  -1: one is none. */
int listing_states(struct str words, unsigned *states) MUST_USE;
/* A word, with a dash before it for the reverse.  -1: it is none. */
int listing_sort_word(struct str word, struct listing_filter *f) MUST_USE;
/* Splits lines of ids, in place, into sorted strings; to be given to mem_free(). */
const char **listing_active(char *lines, size_t *n) MUST_USE;

#endif
