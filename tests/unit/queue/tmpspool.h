/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_TMPSPOOL_H
#define TESTS_TMPSPOOL_H

/* tmpspool -- a spool in a directory of its own, and messages for it. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clock.h"
#include "queue/queue.h"

#include "queue/opened.h"
#include "scratch.h"
#include "unit.h"

struct tmpspool {
	char dir[SCRATCH_SIZE];
	struct queue *q;
	struct arena a;
	struct envelope_rcpt rcpts[3];
	struct envelope env;
};

#define TEXT1 "Subject: one\r\n\r\nHello.\r\n"

static inline void
tmpspool_begin(struct tmpspool *t)
{
	memset(t, 0, sizeof(*t));
	scratch_begin(t->dir);
	t->q = opened_spool(t->dir, QUEUE_CREATE);
	arena_init(&t->a, ENVELOPE_ARENA);
}

static inline void
tmpspool_end(struct tmpspool *t)
{
	queue_close(t->q);
	arena_free(&t->a);
	scratch_end(t->dir);
}

/* N octets of lines, to be freed. */
static inline char *
tmpspool_lines(size_t n)
{
	char *p = malloc(n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n'
		    : (char)('a' + i / 64 % 26);
	return p;
}

/* An envelope with a fresh id and three recipients. */
static inline struct envelope *
tmpspool_env(struct tmpspool *t)
{
	static const char *const names[] = { "ann", "bob", "cyd" };

	t->env = (struct envelope){ .arrival_us = clock_wall_us(),
		.from = { STR("sender"), STR("example.org") },
		.client = STR("host.example[192.0.2.1]:2525"),
		.rcpts = t->rcpts, .rcpt_n = 3 };
	queue_id_new(t->env.id);
	for (size_t i = 0; i < 3; i++)
		t->rcpts[i] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
			.path = { str_c(names[i]), STR("example.com") } };
	return &t->env;
}

/* Puts a message with TEXT into new/ (or drop/); its id is in t->env.id. */
static inline const char *
tmpspool_put(struct tmpspool *t, struct str text, bool to_drop)
{
	struct queue_msg *m = queue_begin(t->q, tmpspool_env(t), to_drop);

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_write(m, text), 0);
	ck_assert_uint_eq(queue_size(m), text.n);
	ck_assert_int_eq(queue_commit(m), 0);
	return t->env.id;
}

/* The path of a file in the spool, in static storage. */
static inline const char *
tmpspool_path(const struct tmpspool *t, const char *place, const char *name)
{
	static char path[256];

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s/%s", t->dir,
	    place, name), (int)sizeof(path));
	return path;
}

static inline bool
tmpspool_has(const struct tmpspool *t, const char *place, const char *name)
{
	return access(tmpspool_path(t, place, name), F_OK) == 0;
}

/* Reads a whole file into B. */
static inline void
tmpspool_slurp(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;
	char *p;

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	while ((p = buf_room(b, 4096)) != NULL &&
	    (got = read(fd, p, 4096)) > 0)
		buf_grew(b, (size_t)got);
	close(fd);
}

static inline void
tmpspool_file(const char *path, struct str s)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, s.p, s.n), (ssize_t)s.n);
	close(fd);
}

/* Loads the message t->env.id, whole, into F. */
static inline void
tmpspool_load(struct tmpspool *t, enum queue_place place, struct queue_file *f)
{
	const char *reason;

	ck_assert_msg(queue_load(t->q, place, t->env.id, true, &t->a, f,
	    &reason) == 0, "%s: %s", strerror(errno), reason ? reason : "");
}

/* Makes of S what the message's file in PLACE has. */
static inline void
tmpspool_write(const struct tmpspool *t, const char *place, struct str s)
{
	tmpspool_file(tmpspool_path(t, place, t->env.id), s);
}

/* Begins with the message TEXT1 in PLACE, "new" or "drop"; its file's octets are in B, to be freed. */
static inline void
tmpspool_begin_with(struct tmpspool *t, const char *place, struct buf *b)
{
	tmpspool_begin(t);
	buf_init(b, 65536);
	tmpspool_put(t, STR(TEXT1), strcmp(place, "drop") == 0);
	tmpspool_slurp(tmpspool_path(t, place, t->env.id), b);
}

/* The first octet of the checksum in B: '.' there takes the message back. */
static inline char *
tmpspool_crc(const struct buf *b)
{
	char *crc = strstr(b->p, "crc=");

	ck_assert_ptr_nonnull(crc);
	return crc + 4;
}

/* The name in tmp/ of what ID is written to, behind PREFIX; to be freed. */
static inline char *
tmpspool_tmp(struct tmpspool *t, const char *prefix)
{
	static char text[70000];
	struct envelope e = { .arrival_us = 1, .rcpts = t->rcpts, .rcpt_n = 1 };
	struct queue_msg *m;
	struct dirent *d;
	char *name = NULL;
	DIR *tmp;

	/* All that a process writes there ends alike: of one, it is seen. */
	queue_id_new(e.id);
	t->rcpts[0] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
		.path = { STR("ann"), STR("example.com") } };
	m = queue_begin(t->q, &e, false);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_write(m, str_n(text, sizeof(text))), 0);
	tmp = opendir(tmpspool_path(t, "tmp", ""));
	ck_assert_ptr_nonnull(tmp);
	while ((d = readdir(tmp)) != NULL)
		if (strncmp(d->d_name, e.id, QUEUE_ID_LEN) == 0)
			ck_assert_int_gt(asprintf(&name, "%s%s%s", prefix, t->env.id,
			    d->d_name + QUEUE_ID_LEN), 0);
	closedir(tmp);
	queue_abort(m);
	ck_assert_ptr_nonnull(name);
	return name;
}

#endif
