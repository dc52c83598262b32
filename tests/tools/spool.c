/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * spool -- puts a message into a spool as a session would, with an envelope
 * that no session here makes yet.
 *
 * usage: spool DIR BODY SENDER RECIPIENT
 *
 * The text comes on standard input.  BODY is 7BIT, 8BITMIME or BINARYMIME.
 * Becomes the owner of DIR first.  Prints the id.
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

int
main(int argc, char **argv)
{
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED };
	struct envelope e = { .rcpts = &rcpt, .rcpt_n = 1,
		.arrival_us = clock_wall_us(), .proto = STR("ESMTP") };
	struct queue_msg *m;
	struct queue *q;
	struct stat st;
	struct arena a;
	struct buf error;
	char p[65536];
	size_t n;

	if (argc != 5 || stat(argv[1], &st) < 0)
		return fail("usage: spool DIR BODY SENDER RECIPIENT");
	if (geteuid() == 0 &&
	    (setgid(st.st_gid) < 0 || setuid(st.st_uid) < 0))
		return fail("setuid");
	arena_init(&a, 1 << 20);
	buf_init(&error, 10000);
	rcpt.path = path_of(argv[4], &a);
	e.from = path_of(argv[3], &a);
	e.body = body_of(argv[2]);
	q = queue_open(argv[1], 0, geteuid(), getegid(), &error);
	if (q == NULL) {
		fprintf(stderr, "%s\n", buf_cstr(&error));
		return 1;
	}
	queue_id_new(e.id);
	m = queue_begin(q, &e, false);
	while (m != NULL && (n = fread(p, 1, sizeof(p), stdin)) > 0)
		if (queue_write(m, str_n(p, n)) < 0)
			return fail("write");
	if (m == NULL || queue_commit(m) < 0)
		return fail("commit");
	puts(e.id);
	queue_close(q);
	arena_free(&a);
	buf_free(&error);
	return 0;
}
