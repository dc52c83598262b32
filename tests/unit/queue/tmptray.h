/* SPDX-License-Identifier: GPL-3.0-or-later */

#ifndef TESTS_TMPTRAY_H
#define TESTS_TMPTRAY_H

/* tmptray -- a spool with trays, and messages in them. */

#include "queue/tray.h"
#include "tmpspool.h"

static unsigned no;	/* of our tray */

/* What was found to be no message. */
struct away {
	unsigned n;
	char id[QUEUE_ID_SIZE];
};

static inline void
put_away(void *arg, const char *id)
{
	struct away *a = arg;

	ck_assert_msg(a != NULL, "%s goes to bad/", id);
	a->n++;
	memcpy(a->id, id, sizeof(a->id));
}

/* As who hands them out: one that is empty and nobody else's, from *AT on; or -1. */
static inline int
take(const struct queue *q, unsigned *at)
{
	for (unsigned i = 0; i < queue_tray_count(q); i++) {
		bool ours = false;
		int fd;

		*at = (*at + 1) % queue_tray_count(q);
		fd = queue_tray_open(q, *at);
		if (fd >= 0 && queue_tray_claim(fd, &ours))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* A spool of three trays, of which one is ours. */
static inline void
begin(struct tmpspool *t)
{
	int fd;

	setenv("QUEUE_TRAYS", "3", 1);
	tmpspool_begin(t);
	no = 0;
	ck_assert_int_eq(take(t->q, &no), -1);
	ck_assert_int_eq(queue_tray_make(t->q), 0);
	fd = take(t->q, &no);
	ck_assert_int_ge(fd, 0);
	queue_tray_use(t->q, fd, no);
}

/* The spool as another process sees it, which heard no hint. */
static inline struct queue *
another(const struct tmpspool *t)
{
	return opened_spool(t->dir, 0);
}

/* Puts a message there. */
static inline void
lay(struct tmpspool *t, struct str text)
{
	tmpspool_put(t, text, false);
	ck_assert_uint_eq(queue_tray(t->q), no + 1);
	ck_assert(!tmpspool_has(t, "new", t->env.id));
}

static inline const char *
tray_path(const struct tmpspool *t)
{
	char name[3] = { '0', (char)('0' + no), '\0' };

	return tmpspool_path(t, "trays", name);
}

static inline off_t
octets(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

struct seen {
	unsigned n;
	char id[QUEUE_ID_SIZE];
	uint64_t size;
};

static inline bool
see(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct seen *s = arg;

	(void)mtime;
	ck_assert_ptr_nonnull(id);
	s->n++;
	memcpy(s->id, id, sizeof(s->id));
	s->size = size;
	return true;
}

static inline unsigned
count(struct queue *q, enum queue_place place, struct seen *s)
{
	*s = (struct seen){ 0 };
	ck_assert_int_eq(queue_scan(q, place, see, s), 0);
	return s->n;
}

static inline void
check_text(const struct queue_file *f, struct str text)
{
	char got[100000];

	ck_assert_uint_eq(f->size, text.n);
	ck_assert_int_eq(pread(f->fd, got, text.n, f->text_at),
	    (ssize_t)text.n);
	ck_str(str_n(got, text.n), text);
}

#endif
