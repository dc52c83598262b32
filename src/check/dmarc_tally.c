/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dmarc_tally -- how many messages of each kind came on a day.
 *
 *	barid-dmarc 1 DAY ID LOST
 *	COUNT LINE
 *	+ DOMAIN
 *
 * The last are domains that are done, which come when the day is over.
 * Numbers have ten digits, so that one more is one write in place, and a new kind
 * one at the end.  A last line without its end was being written when the process
 * was killed: it is cut off.  The name says when a day is over, so that nobody
 * needs to know what the clock did meanwhile; and each file has an id of its own,
 * so that two of one day are never taken for the same.
 */

#include "check/dmarc_tally.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/file.h"
#include "lib/entries.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "lib/sys.h"
#include "mail/text.h"

#define MAGIC "barid-dmarc 1 "
#define DIGITS 10
#define COUNT_MAX UINT64_C(9999999999)
#define HEAD_OCTETS (sizeof(MAGIC) - 1 + DIGITS + 1 + DMARC_TALLY_ID + 1 + DIGITS + 1)
#define LOST_AT (HEAD_OCTETS - 1 - DIGITS)
/* Of one file, whatever wrote it. */
#define FILE_OCTETS_MAX ((size_t)512 << 20)
/* Domains that have messages for which there was no row. */
#define RESTS_MAX 1000
#define DONE "+ "

struct kind {
	off_t at;		/* where its count stands */
	uint64_t count;
};

struct dmarc_tally {
	int dir, fd;
	int64_t day;
	char id[DMARC_TALLY_ID + 1];
	uint64_t lost;
	off_t end;
	size_t rows;		/* that there may be */
	struct map *kinds;	/* by line: struct kind */
	struct map *domains;	/* by domain: size_t, kinds */
	size_t rest_n;		/* of those kinds that are a rest */
};

/* ---- the form ----------------------------------------------------------------------- */

static bool
take_number(struct str *s, uint64_t *n)
{
	struct str digits = str_head(*s, DIGITS);

	if (digits.n < DIGITS || str_u64(digits, COUNT_MAX, n) < 0)
		return false;
	*s = str_skip(*s, DIGITS);
	return true;
}

static bool
take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* Takes the first line off TEXT. */
static bool
take_head(struct str *text, int64_t *day, char id[DMARC_TALLY_ID + 1], uint64_t *lost)
{
	struct str s = *text;
	uint64_t n;

	if (!str_starts(s, STR(MAGIC)))
		return false;
	s = str_skip(s, sizeof(MAGIC) - 1);
	if (!take_number(&s, &n) || !take_char(&s, ' ') || s.n < DMARC_TALLY_ID)
		return false;
	*day = (int64_t)n;
	memcpy(id, s.p, DMARC_TALLY_ID);
	id[DMARC_TALLY_ID] = '\0';
	if (strspn(id, "0123456789abcdef") != DMARC_TALLY_ID)
		return false;
	s = str_skip(s, DMARC_TALLY_ID);
	if (!take_char(&s, ' ') || !take_number(&s, lost) || !take_char(&s, '\n'))
		return false;
	*text = s;
	return true;
}

/* Takes one line off TEXT, which has a whole one.  False: it is none; it is taken. */
static bool
take_kind(struct str *text, struct str *line, uint64_t *count)
{
	(void)str_cut(*text, '\n', line, text);
	return take_number(line, count) && take_char(line, ' ') && line->n > 0 &&
	    str_find(*line, ' ') > 0;
}

static struct str
domain_of(struct str line)
{
	struct str domain, rest;

	(void)str_cut(line, ' ', &domain, &rest);
	return domain;
}

static bool
is_rest(struct str line)
{
	return str_ends(line, STR(" *"));
}

/* ---- the file that is filled ----------------------------------------------------------- */

static void
put(struct dmarc_tally *t, struct str line, off_t at, uint64_t count)
{
	struct kind *k = mem_alloc(sizeof(*k));
	size_t *n = map_get(t->domains, domain_of(line));

	*k = (struct kind){ at, count };
	mem_free(map_put(t->kinds, line, k));
	if (is_rest(line)) {
		t->rest_n++;
		return;
	}
	if (n == NULL) {
		n = mem_alloc(sizeof(*n));
		(void)map_put(t->domains, domain_of(line), n);
	}
	++*n;
}

static void
empty(struct map *m)
{
	struct str key;
	void *value;
	size_t at = 0;

	while (map_next(m, &at, &key, &value))
		mem_free(value);
	map_free(m);
}

void
dmarc_tally_close(struct dmarc_tally *t)
{
	int e = errno;

	if (t == NULL)
		return;
	empty(t->kinds);
	empty(t->domains);
	if (t->fd >= 0)
		sys_close(t->fd);
	mem_free(t);
	errno = e;
}

int64_t
dmarc_tally_day(const struct dmarc_tally *t)
{
	return t->day;
}

/* A file of DAY from here on, whatever was in it. */
static int
begin(struct dmarc_tally *t, int64_t day)
{
	unsigned char octets[DMARC_TALLY_ID / 2];
	char space[HEAD_OCTETS + 1];
	struct buf b;

	random_bytes(octets, sizeof(octets));
	buf_init_in(&b, space, sizeof(space));
	buf_addf(&b, MAGIC "%0*" PRId64 " ", DIGITS, day);
	hex_add(&b, str_n((const char *)octets, sizeof(octets)));
	memcpy(t->id, b.p + b.n - DMARC_TALLY_ID, DMARC_TALLY_ID);
	buf_addf(&b, " %0*d\n", DIGITS, 0);
	t->day = day;
	t->end = HEAD_OCTETS;
	return sys_ftruncate(t->fd, 0) < 0 ? -1 : sys_pwrite_all(t->fd, b.p, b.n, 0);
}

/* What was in it; what is cut short at its end is overwritten by what comes. */
static void
take_over(struct dmarc_tally *t, struct str text)
{
	struct str rest = text, line;
	uint64_t count;

	if (!take_head(&rest, &t->day, t->id, &t->lost))
		return;
	while (str_find(rest, '\n') >= 0) {
		off_t at = rest.p - text.p;

		if (take_kind(&rest, &line, &count) &&
		    map_count(t->kinds) < t->rows + RESTS_MAX)
			put(t, line, at, count);
	}
	t->end = rest.p - text.p;
}

static int
load(struct dmarc_tally *t, int64_t day, bool make)
{
	struct buf text;
	int r;

	t->fd = sys_openat(t->dir, DMARC_TALLY_OPEN, O_RDWR | (make ? O_CREAT : 0) |
	    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (t->fd < 0 || sys_flock(t->fd) < 0)
		return -1;
	buf_init(&text, FILE_OCTETS_MAX);
	r = file_read(t->fd, &text);
	if (r == 0)
		take_over(t, buf_str(&text));
	/* It is new, or has no first line: nothing was ever counted in it. */
	if (r == 0 && t->end == 0)
		r = begin(t, day);
	else if (r == 0 && (size_t)t->end < text.n)
		r = sys_ftruncate(t->fd, t->end);
	buf_free(&text);
	return r;
}

static struct dmarc_tally *
open_one(int dir, int64_t day, size_t rows, bool make)
{
	struct dmarc_tally *t = mem_alloc(sizeof(*t));

	*t = (struct dmarc_tally){ .dir = dir, .fd = -1, .rows = rows, .kinds = map_new(),
		.domains = map_new() };
	if (load(t, day, make) == 0)
		return t;
	dmarc_tally_close(t);
	return NULL;
}

struct dmarc_tally *
dmarc_tally_open(int dir, int64_t day, size_t rows, bool make)
{
	struct dmarc_tally *t = open_one(dir, day, rows, make);

	if (t == NULL || t->day == day)
		return t;
	if (dmarc_tally_end(t) < 0)
		return NULL;
	return open_one(dir, day, rows, make);
}

int
dmarc_tally_end(struct dmarc_tally *t)
{
	char space[DMARC_TALLY_NAME];
	struct buf name;
	int r;

	buf_init_in(&name, space, sizeof(space));
	buf_addf(&name, "%0*" PRId64 "-%s", DIGITS, t->day, t->id);
	r = sys_fdatasync(t->fd) < 0 ||
	    sys_renameat(t->dir, DMARC_TALLY_OPEN, t->dir, buf_cstr(&name)) < 0 ||
	    sys_fsync(t->dir) < 0 ? -1 : 0;
	dmarc_tally_close(t);
	return r;
}

/* ---- counting -------------------------------------------------------------------------- */

static int
write_number(const struct dmarc_tally *t, uint64_t n, off_t at)
{
	char space[DIGITS + 1];
	struct buf b;

	buf_init_in(&b, space, sizeof(space));
	buf_addf(&b, "%0*" PRIu64, DIGITS, n);
	return sys_pwrite_all(t->fd, b.p, b.n, at);
}

static int
count(const struct dmarc_tally *t, struct kind *k)
{
	if (k->count >= COUNT_MAX || write_number(t, k->count + 1, k->at) < 0)
		return k->count >= COUNT_MAX ? 0 : -1;
	k->count++;
	return 0;
}

/* A kind that is new. */
static int
append(struct dmarc_tally *t, struct str line)
{
	struct buf b;
	int r;

	buf_init(&b, DIGITS + 1 + line.n + 1);
	buf_addf(&b, "%0*d ", DIGITS, 1);
	buf_add(&b, line);
	buf_addc(&b, '\n');
	r = sys_pwrite_all(t->fd, b.p, b.n, t->end);
	if (r == 0) {
		put(t, line, t->end, 1);
		t->end += (off_t)b.n;
	} else {
		int e = errno;

		/* What may be there of it; else the next one overwrites it. */
		(void)!sys_ftruncate(t->fd, t->end);
		errno = e;
	}
	buf_free(&b);
	return r;
}

static bool
has_room(const struct dmarc_tally *t, struct str domain)
{
	const size_t *n = map_get(t->domains, domain);

	return map_count(t->kinds) - t->rest_n < t->rows &&
	    (n == NULL || *n < (t->rows + 3) / 4);
}

static int
add_to_rest(struct dmarc_tally *t, struct str domain)
{
	struct kind *k;
	struct buf b;
	int r;

	buf_init(&b, domain.n + 3);
	buf_add(&b, domain);
	buf_adds(&b, " *");
	k = map_get(t->kinds, buf_str(&b));
	if (k == NULL && t->rest_n == RESTS_MAX)
		r = write_number(t, ++t->lost, LOST_AT);
	else
		r = k != NULL ? count(t, k) : append(t, buf_str(&b));
	buf_free(&b);
	return r;
}

int
dmarc_tally_add(struct dmarc_tally *t, struct str line)
{
	struct kind *k = map_get(t->kinds, line);
	struct str domain = domain_of(line);

	if (k != NULL)
		return count(t, k);
	return has_room(t, domain) ? append(t, line) : add_to_rest(t, domain);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* "0000020778-0123456789abcdef" */
static bool
is_name(const char *name)
{
	return strlen(name) == DIGITS + 1 + DMARC_TALLY_ID &&
	    strspn(name, "0123456789") == DIGITS && name[DIGITS] == '-' &&
	    strspn(name + DIGITS + 1, "0123456789abcdef") == DMARC_TALLY_ID;
}

int64_t
dmarc_tally_ends(const char *name)
{
	uint64_t day = 0;

	(void)!str_u64(str_head(str_c(name), DIGITS), COUNT_MAX, &day);
	return ((int64_t)day + 1) * DMARC_DAY_SECONDS;
}

int
dmarc_tally_list(int dir, void (*fn)(void *arg, const char *name), void *arg)
{
	const struct dirent *e;
	struct entries l;

	if (entries_open(&l, dir, ".") < 0)
		return -1;
	while ((e = entries_next(&l)) != NULL)
		if (is_name(e->d_name))
			fn(arg, e->d_name);
	return entries_close(&l);
}

static int
by_line(const void *a, const void *b)
{
	const struct dmarc_kind *x = a, *y = b;

	return str_cmp(x->line, y->line);
}

/* Puts the domains that are done into DONE; how many whole lines TEXT has. */
static size_t
find_done(struct map *done, struct str text)
{
	struct str line;
	size_t n = 0;

	for (; str_find(text, '\n') >= 0; n++) {
		(void)str_cut(text, '\n', &line, &text);
		if (str_starts(line, STR(DONE)))
			(void)map_put(done, str_skip(line, sizeof(DONE) - 1), done);
	}
	return n;
}

static void
parse(struct dmarc_day *d, struct str rest)
{
	struct map *done = map_new();

	d->kinds = mem_array(find_done(done, rest) + 1, sizeof(*d->kinds));
	while (str_find(rest, '\n') >= 0) {
		struct dmarc_kind *k = &d->kinds[d->kind_n];

		if (take_kind(&rest, &k->line, &k->count) &&
		    map_get(done, domain_of(k->line)) == NULL)
			d->kind_n++;
	}
	map_free(done);
	qsort(d->kinds, d->kind_n, sizeof(*d->kinds), by_line);
}

int
dmarc_day_done(int dir, const char *name, struct str domain)
{
	int fd = sys_openat(dir, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0), r, e;
	struct buf b;

	if (fd < 0)
		return -1;
	buf_init(&b, domain.n + 8);
	/* The line before may have been cut short by a kill. */
	buf_adds(&b, "\n" DONE);
	buf_add(&b, domain);
	buf_addc(&b, '\n');
	r = sys_write_all(fd, b.p, b.n) < 0 || sys_fdatasync(fd) < 0 ? -1 : 0;
	e = errno;
	sys_close(fd);
	buf_free(&b);
	errno = e;
	return r;
}

int
dmarc_day_read(int dir, const char *name, struct dmarc_day *d)
{
	struct str rest;
	int r = -1, e, fd;

	*d = (struct dmarc_day){ .kinds = NULL };
	buf_init(&d->text, FILE_OCTETS_MAX);
	fd = sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	r = file_read(fd, &d->text);
	e = errno;
	sys_close(fd);
	rest = buf_str(&d->text);
	if (r == 0 && !take_head(&rest, &d->day, d->id, &d->lost)) {
		e = EBADMSG;
		r = -1;
	}
	if (r == 0)
		parse(d, rest);
	else
		buf_free(&d->text);
	errno = e;
	return r;
}

void
dmarc_day_free(struct dmarc_day *d)
{
	mem_free(d->kinds);
	buf_free(&d->text);
}
