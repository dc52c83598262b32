/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_PROGRAM_H
#define CONF_PROGRAM_H

/*
 * program -- a command line that the configuration names: its words, and the
 * facts of a message that are put into them.
 *
 * There is no shell.  Words are separated by blanks; within single quotes
 * blanks are part of a word.  ${fact} or $fact stands for what it says of the
 * message, which becomes part of that word whatever octets it has; $$ is a
 * dollar.
 */

#include "conf/conf.h"

/* How the via of a route begins that is one. */
#define PROGRAM_PREFIX "pipe:"

enum program_fact {
	PROGRAM_SENDER,		/* the whole address */
	PROGRAM_RECIPIENT,
	PROGRAM_RECIPIENTS,	/* each a word of its own */
	PROGRAM_USER,		/* the local part, before the first "+" ... */
	PROGRAM_EXTENSION,	/* ... and behind it ... */
	PROGRAM_MAILBOX,	/* ... and whole */
	PROGRAM_DOMAIN,
	PROGRAM_NEXTHOP,	/* the same */
	PROGRAM_QUEUE_ID,
	PROGRAM_SIZE,
	PROGRAM_CLIENT_ADDRESS,
	PROGRAM_SASL_USERNAME,
	PROGRAM_FACTS		/* how many there are; text, for program_next() */
};

/*
 * Reads a command line.  WORDS are in A, the first the absolute path of the
 * program; *ALL: it takes all recipients at once.  NULL, or what is wrong with
 * it, in A.
 */
const char *program_read(struct str text, struct arena *a, struct conf_strs *words,
    bool *all) MUST_USE;
/*
 * The next piece of a word, *REST, that was read: PROGRAM_FACTS and a text, or
 * a fact.  False at its end.
 */
bool program_next(struct str *rest, enum program_fact *fact, struct str *text);

/* A program that a route or a section recipient names, and whose it is. */
struct program_command {
	const char *section;	/* "route", "recipient" ... */
	const char *pattern;	/* ... and what stands behind that */
	struct conf_place place;
	const char *via;	/* the whole line */
	const char *run_as;	/* an account; "": conf.user */
	const struct conf_via *way;
};

/* Numbers below this are those of routes and, behind them, of recipients. */
size_t program_commands(const struct conf *c);
/* Command N; false if no program stands there. */
bool program_command(const struct conf *c, uint64_t n,
    struct program_command *command);

#endif
