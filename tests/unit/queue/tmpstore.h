/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_TMPSTORE_H
#define TESTS_TMPSTORE_H

/* tmpstore -- a store of texts beside a spool of its own, and texts for it. */

#include <sys/time.h>
#include <zlib.h>

#include "queue/store.h"
#include "tmpspool.h"

struct tmpstore {
	struct tmpspool s;
	char path[80];
};

static inline void
tmpstore_begin(struct tmpstore *t)
{
	tmpspool_begin(&t->s);
	snprintf(t->path, sizeof(t->path), "%s/texts", t->s.dir);
	ck_assert_int_eq(mkdir(t->path, 0700), 0);
}

/* The path of NAME there, in static storage. */
static inline const char *
tmpstore_path(const struct tmpstore *t, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	return path;
}

/* Nobody has written to it since 2023. */
static inline void
tmpstore_age(const char *path)
{
	struct timeval then[2] = { { 1700000000, 0 }, { 1700000000, 0 } };

	ck_assert_int_eq(utimes(path, then), 0);
}

static inline void
tmpstore_put(const struct tmpstore *t, const char *name, struct str text)
{
	tmpspool_file(tmpstore_path(t, name), text);
	tmpstore_age(tmpstore_path(t, name));
}

/* TEXT as gzip(1) has it, added to B. */
static inline void
tmpstore_pack(struct buf *b, struct str text)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)text.p,
		.avail_in = (unsigned)text.n };
	size_t most = text.n + text.n / 100 + 100;

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = (unsigned char *)buf_room(b, most);
	ck_assert_ptr_nonnull(z.next_out);
	z.avail_out = (unsigned)most;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_grew(b, most - z.avail_out);
	deflateEnd(&z);
}

#endif
