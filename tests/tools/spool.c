/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spool -- puts messages into a spool as a session would, with an envelope
 * that no session here makes yet.
 *
 * usage: spool [-n COUNT] [-r ROUTE] DIR BODY SENDER RECIPIENT
 *
 * The text comes on standard input.  BODY is 7BIT, 8BITMIME or BINARYMIME.  Of
 * COUNT messages each has its number in place of a "%" in RECIPIENT.  ROUTE is
 * the way that the envelope names, whatever a session may write.
 * Becomes the owner of DIR first.  Prints the ids.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "queue/queue.h"

static int
fail(const char *what)
{
	perror(what);
	return 1;
}

static enum body_type
body_of(const char *word)
{
	return strcmp(word, "BINARYMIME") == 0 ? BODY_BINARYMIME :
	    strcmp(word, "8BITMIME") == 0      ? BODY_8BITMIME :
						 BODY_7BIT;
}

static struct path
path_of(const char *text, struct arena *a)
{
	struct path p;

	if (path_parse_addr(str_c(text), PATH_UTF8, a, &p) != NULL) {
		fprintf(stderr, "%s is no address\n", text);
		exit(1);
	}
	return p;
}

/* TEXT with the number N in place of a "%". */
static const char *
numbered(const char *s, unsigned long n, char *to, size_t size)
{
	const char *at = strchr(s, '%');

	if (at == NULL)
		return s;
	snprintf(to, size, "%.*s%lu%s", (int)(at - s), s, n, at + 1);
	return to;
}

static int
put(struct queue *q, const struct envelope *e, struct str body)
{
	struct queue_msg *m = queue_begin(q, e, false);

	if (m == NULL || queue_write(m, body) < 0 || queue_commit(m) < 0)
		return -1;
	puts(e->id);
	return 0;
}

static void
become(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0 ||
	    (geteuid() == 0 &&
		(setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0)))
		exit(fail(dir));
}

int
main(int argc, char **argv)
{
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED };
	struct envelope e = { .rcpts = &rcpt, .rcpt_n = 1,
		.proto = STR("ESMTP") };
	unsigned long count = 1;
	struct buf error, body;
	struct queue *q;
	struct arena a;
	char to[300], *p;

	for (; argc > 2 && argv[1][0] == '-'; argc -= 2, argv += 2) {
		if (strcmp(argv[1], "-n") == 0)
			count = strtoul(argv[2], NULL, 10);
		else
			e.route = str_c(argv[2]);
	}
	if (argc != 5)
		return fail("usage: spool [-n COUNT] [-r ROUTE] DIR BODY SENDER RECIPIENT");
	become(argv[1]);
	arena_init(&a, 1 << 30);
	buf_init(&error, 10000);
	buf_init(&body, 1 << 30);
	while ((p = buf_room(&body, 65536)) != NULL && !feof(stdin))
		buf_grew(&body, fread(p, 1, 65536, stdin));
	e.from = path_of(argv[3], &a);
	e.body = body_of(argv[2]);
	q = queue_open(argv[1], 0, geteuid(), getegid(), &error);
	if (q == NULL) {
		fprintf(stderr, "%s\n", buf_cstr(&error));
		return 1;
	}
	for (unsigned long n = 1; n <= count; n++) {
		rcpt.path = path_of(numbered(argv[4], n, to, sizeof(to)), &a);
		e.arrival_us = clock_wall_us();
		queue_id_new(e.id);
		if (put(q, &e, buf_str(&body)) < 0)
			return fail("cannot write a message");
	}
	queue_close(q);
	arena_free(&a);
	buf_free(&body);
	buf_free(&error);
	return 0;
}
