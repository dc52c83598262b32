/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * seen -- which messages were fetched, on the disk.
 *
 * A line is "MARK KIND SINCE MISSING".  The last line may be cut short by a
 * crash: it was promised to nobody, and the next one begins a line of its own.
 * A new file is synced before it takes the place of the old one, and then the
 * directory, so that there is always one that has all that was promised.
 */

#include "seen.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/buf.h"
#include "lib/digest.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mail/text.h"

#define NEW_FILE "seen.new"
#define LINE_MAX_OCTETS 128
#define FILE_OCTETS_MAX ((size_t)64 << 20)

struct seen {
	int dir;
	int fd;			/* of the file, for appending */
	struct map *marks;
	bool changed;		/* the file has what is not so any more */
	bool torn;		/* it does not end with a line's end */
};

static bool
is_mark(struct str s)
{
	if (s.n != SEEN_MARK_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdef", s.p[i]) == NULL)
			return false;
	return true;
}

static void
put(struct seen *s, const struct seen_entry *e)
{
	struct seen_entry *copy = mem_alloc(sizeof(*copy));

	*copy = *e;
	mem_free(map_put(s->marks, str_c(copy->mark), copy));
}

static void
read_line(struct seen *s, struct str line)
{
	struct str mark = str_word(&line), kind = str_word(&line);
	struct seen_entry e = { .kind = SEEN_TAKEN };
	uint64_t since, missing;

	if (!is_mark(mark) || kind.n != 1 ||
	    (kind.p[0] != SEEN_TAKEN && kind.p[0] != SEEN_REFUSED) ||
	    str_u64(str_word(&line), INT64_MAX, &since) < 0 ||
	    str_u64(str_word(&line), INT64_MAX, &missing) < 0 ||
	    line.n > 0) {
		s->changed = true;
		return;
	}
	memcpy(e.mark, mark.p, SEEN_MARK_LEN);
	e.kind = (enum seen_kind)kind.p[0];
	e.since = (int64_t)since;
	e.missing = (int64_t)missing;
	put(s, &e);
}

static int
read_all(struct seen *s)
{
	struct buf text;
	struct str line, rest;
	ssize_t n = 1;
	int e = 0;

	buf_init(&text, FILE_OCTETS_MAX);
	while (n > 0) {
		char *room = buf_room(&text, 65536);

		n = room != NULL ? sys_read(s->fd, room, 65536) : -1;
		e = room == NULL ? EFBIG : errno;
		if (n > 0)
			buf_grew(&text, (size_t)n);
	}
	rest = buf_str(&text);
	s->torn = rest.n > 0 && rest.p[rest.n - 1] != '\n';
	while (n == 0 && str_cut(rest, '\n', &line, &rest))
		read_line(s, line);
	buf_free(&text);
	errno = e;
	return n < 0 ? -1 : 0;
}

struct seen *
seen_open(int dir)
{
	struct seen *s = mem_alloc(sizeof(*s));

	s->dir = dir;
	s->marks = map_new();
	s->fd = sys_openat(dir, SEEN_FILE,
	    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* What stands in it is promised only where its name is durable. */
	if (s->fd >= 0 && read_all(s) == 0 && sys_fsync(s->dir) == 0)
		return s;
	int e = errno;

	seen_close(s);
	errno = e;
	return NULL;
}

void
seen_close(struct seen *s)
{
	void *value;
	struct str key;
	size_t at = 0;

	if (s == NULL)
		return;
	while (map_next(s->marks, &at, &key, &value))
		mem_free(value);
	map_free(s->marks);
	if (s->fd >= 0)
		sys_close(s->fd);
	mem_free(s);
}

size_t
seen_count(const struct seen *s)
{
	return map_count(s->marks);
}

struct seen_entry *
seen_find(const struct seen *s, const char *mark)
{
	return map_get(s->marks, str_c(mark));
}

static void
add_line(struct buf *b, const struct seen_entry *e)
{
	buf_addf(b, "%s %c %lld %lld\n", e->mark, (char)e->kind, (long long)e->since,
	    (long long)e->missing);
}

int
seen_add(struct seen *s, const char *mark, enum seen_kind kind, int64_t now)
{
	struct seen_entry e = { .kind = kind, .since = now, .listed = true };
	struct buf b;
	int r;

	memcpy(e.mark, mark, SEEN_MARK_LEN);
	buf_init(&b, LINE_MAX_OCTETS);
	if (s->torn)
		buf_addc(&b, '\n');
	add_line(&b, &e);
	/* Whatever was written of it may be only a part. */
	s->torn = true;
	r = sys_write_all(s->fd, b.p, b.n);
	if (r == 0 && (r = sys_fsync(s->fd)) == 0) {
		s->torn = false;
		put(s, &e);
	}
	buf_free(&b);
	return r;
}

void
seen_forget(struct seen *s, const char *mark)
{
	struct seen_entry *e = map_del(s->marks, str_c(mark));

	s->changed = s->changed || e != NULL;
	mem_free(e);
}

/* What becomes of E, which is in the file; false: it is forgotten. */
static bool
stays(struct seen *s, struct seen_entry *e, int64_t now)
{
	if (e->listed || e->missing == 0) {
		s->changed = s->changed || (e->listed ? e->missing != 0 : true);
		e->missing = e->listed ? 0 : now;
		return true;
	}
	/* A clock that went back forgets nothing. */
	return now - e->missing < SEEN_FORGET && map_count(s->marks) <= SEEN_MAX;
}

static void
drop_old(struct seen *s, int64_t now)
{
	void *value;
	struct str key;
	size_t at = 0;

	while (map_next(s->marks, &at, &key, &value)) {
		if (stays(s, value, now))
			continue;
		s->changed = true;
		(void)map_del(s->marks, key);
		mem_free(value);
	}
}

/* FD has all of B, durably, and takes the place of the file. */
static int
replace(struct seen *s, int fd, const struct buf *b)
{
	if (sys_write_all(fd, b->p, b->n) < 0 || sys_fsync(fd) < 0 ||
	    sys_renameat(s->dir, NEW_FILE, s->dir, SEEN_FILE) < 0) {
		int e = errno;

		sys_close(fd);
		errno = e;
		return -1;
	}
	sys_close(s->fd);
	s->fd = fd;
	s->changed = s->torn = false;
	/* Where this fails the old one may come back, which has all that was promised. */
	return sys_fsync(s->dir);
}

int
seen_settle(struct seen *s, int64_t now)
{
	struct str key;
	void *value;
	size_t at = 0;
	struct buf b;
	int fd, r, e;

	drop_old(s, now);
	if (!s->changed)
		return 0;
	buf_init(&b, FILE_OCTETS_MAX);
	buf_adds(&b, "");
	while (map_next(s->marks, &at, &key, &value))
		add_line(&b, value);
	fd = sys_openat(s->dir, NEW_FILE,
	    O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd >= 0 ? replace(s, fd, &b) : -1;
	e = errno;
	buf_free(&b);
	errno = e;
	return r;
}

bool
seen_mark(const char *kind, const char *server, const char *user, struct str what,
    char mark[SEEN_MARK_LEN + 1])
{
	struct sha256 *h = sha256_new();
	const char *const parts[] = { kind, server, user };
	unsigned char sum[SHA256_SIZE];
	struct buf b;
	bool good;

	/* Each with its NUL, so that no two are the same text. */
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		sha256_add(h, str_n(parts[i], strlen(parts[i]) + 1));
	sha256_add(h, what);
	good = sha256_end(h, sum) == 0;
	sha256_free(h);
	buf_init(&b, SEEN_MARK_LEN);
	hex_add(&b, str_n((const char *)sum, SEEN_MARK_LEN / 2));
	if (good)
		memcpy(mark, buf_cstr(&b), SEEN_MARK_LEN + 1);
	buf_free(&b);
	return good;
}
