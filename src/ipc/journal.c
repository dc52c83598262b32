/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * journal -- the files of the journal, as a runner writes them.
 *
 * A file for each runner, day (UTC) and part of PART_MAX octets:
 * "2026-11-21.0.000.jsonl".  One writer means no lock, and that what was
 * written is known: a write that failed is made again at the same place,
 * so that no line is there twice or in half, and only a writer that was
 * killed leaves one that is cut off.  The next one ends that line before
 * its own.
 *
 * Lines are collected and written when the caller says so, which is before
 * the spool forgets what they tell.  A journal that cannot be written never
 * stops mail: lines wait, then are counted, and a gap line says how many
 * are missing and since when.
 */

#include "ipc/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/entries.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/subdir.h"
#include "lib/sys.h"

#include "journal_file.h"

#define PART_MAX ((off_t)256 << 20)
/* Many lines at once are written in portions, not only when the caller says so. */
#define PORTION ((size_t)256 << 10)
/* Lines may wait for a disk that is full, so many octets of them. */
#define WAIT_MAX ((size_t)1 << 20)
/* No line is longer: twenty strings and as many short ones, each octet escaped. */
#define LINE_MAX_OCTETS ((size_t)192 << 10)
#define DAY_S 86400

struct journal {
	int dir;
	int fd;			/* -1: none yet */
	int before;		/* the file before it, which is not synced yet; or -1 */
	off_t at;		/* what is whole ends here */
	bool torn;		/* a line that was cut off stands there */
	size_t runner;
	int64_t day, keep_days;
	unsigned part;
	struct buf lines;
	size_t portion;		/* written when there are so many octets of them */
	uint64_t lost;		/* in all, and not yet said */
	uint64_t unsaid;
	int64_t unsaid_since;	/* microseconds */
};

/* ---- names -------------------------------------------------------------- */

void
journal_name(struct buf *b, const struct journal_name *n)
{
	time_t t = (time_t)(n->day * DAY_S);
	struct tm tm;

	gmtime_r(&t, &tm);
	buf_reset(b);
	buf_addf(b, "%04d-%02d-%02d.%zu.%03u.jsonl", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, n->runner, n->part);
}

static bool
cut_number(struct str *s, char end, uint64_t max, uint64_t *to)
{
	struct str head;

	return str_cut(*s, end, &head, s) && str_u64(head, max, to) == 0;
}

bool
journal_name_parse(struct str name, struct journal_name *n)
{
	uint64_t year, month, day, runner, part;
	struct str whole = name;
	struct tm tm = { 0 };
	struct buf again;
	bool same;

	if (!cut_number(&name, '-', 9999, &year) || year < 1970 ||
	    !cut_number(&name, '-', 12, &month) || month == 0 ||
	    !cut_number(&name, '.', 31, &day) || day == 0 ||
	    !cut_number(&name, '.', 9999, &runner) ||
	    !cut_number(&name, '.', 999999, &part) ||
	    !str_eq(name, STR("jsonl")))
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day;
	*n = (struct journal_name){ .day = timegm(&tm) / DAY_S,
		.runner = (size_t)runner, .part = (unsigned)part };
	/* 31 February is another day by now, and a part has three digits. */
	buf_init(&again, 128);
	journal_name(&again, n);
	same = str_eq(buf_str(&again), whole);
	buf_free(&again);
	return same;
}

int
journal_each(int dir, void (*fn)(void *arg, const struct journal_name *n),
    void *arg)
{
	const struct dirent *e;
	struct journal_name n;
	struct entries l;

	if (entries_open(&l, dir, ".") < 0)
		return -1;
	while ((e = entries_next(&l)) != NULL)
		if (journal_name_parse(str_c(e->d_name), &n))
			fn(arg, &n);
	return entries_close(&l);
}

int
journal_dir(const char *spool, bool make, uid_t owner)
{
	return subdir_open(spool, JOURNAL_DIR, make, owner);
}

/* ---- the file ----------------------------------------------------------- */

static int64_t
today(void)
{
	return clock_wall() / DAY_S;
}

static void
on_own_part(void *arg, const struct journal_name *n)
{
	struct journal *j = arg;

	if (n->runner == j->runner && n->day == j->day && n->part > j->part)
		j->part = n->part;
}

/* Where the whole lines of the open file end. */
static int
find_end(struct journal *j)
{
	struct stat st;
	char last = '\n';

	if (sys_fstat(j->fd, &st) < 0)
		return -1;
	if (st.st_size > 0 && sys_pread(j->fd, &last, 1, st.st_size - 1) != 1)
		return -1;
	j->at = st.st_size;
	j->torn = last != '\n';
	return 0;
}

/* Opens the file of DAY and PART, or of the day's last part. */
static int
file_open(struct journal *j)
{
	struct journal_name n = { .runner = j->runner, .day = j->day,
		.part = j->part };
	struct buf name;
	int e;

	buf_init(&name, 128);
	journal_name(&name, &n);
	j->fd = sys_openat(j->dir, buf_cstr(&name),
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
	buf_free(&name);
	if (j->fd >= 0 && find_end(j) == 0)
		return 0;
	e = errno;
	if (j->fd >= 0)
		sys_close(j->fd);
	j->fd = -1;
	errno = e;
	return -1;
}

static void
on_old(void *arg, const struct journal_name *n)
{
	const struct journal *j = arg;
	struct buf name;

	if (n->day >= j->day - j->keep_days)
		return;
	buf_init(&name, 128);
	journal_name(&name, n);
	/* Of a runner that is no more, too; two may try at once. */
	if (sys_unlinkat(j->dir, buf_cstr(&name)) < 0 && errno != ENOENT)
		log_warn(NULL, "cannot remove the journal's %s: %s",
		    buf_cstr(&name), strerror(errno));
	buf_free(&name);
}

struct journal *
journal_open(const char *spool, size_t runner, uid_t owner, int64_t keep_ms)
{
	int dir = journal_dir(spool, true, owner);
	struct journal *j;

	if (dir < 0)
		return NULL;
	j = mem_alloc(sizeof(*j));
	j->dir = dir;
	j->fd = j->before = -1;
	j->runner = runner;
	j->day = today();
	j->keep_days = (keep_ms + DAY_S * 1000 - 1) / (DAY_S * 1000);
	j->portion = PORTION;
	buf_init(&j->lines, WAIT_MAX + LINE_MAX_OCTETS);
	(void)journal_each(j->dir, on_own_part, j);
	return j;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->before >= 0)
		sys_close(j->before);
	if (j->fd >= 0)
		sys_close(j->fd);
	sys_close(j->dir);
	buf_free(&j->lines);
	mem_free(j);
}

/* ---- lines -------------------------------------------------------------- */

static void
lose(struct journal *j)
{
	if (j->unsaid++ == 0)
		j->unsaid_since = clock_wall_us();
	j->lost++;
}

/* Whoever has thousands of lines to add does not lose them for it. */
static void
write_portion(struct journal *j)
{
	if (j->lines.n < j->portion)
		return;
	/* What fails here is told to the next who asks for it. */
	j->portion = journal_flush(j) == 0 ? PORTION : j->lines.n + PORTION;
}

void
journal_add(struct journal *j, const struct journal_line *l)
{
	if (j == NULL)
		return;
	if (j->lines.n < WAIT_MAX)
		journal_format(&j->lines, l, clock_wall_us());
	else
		lose(j);
	write_portion(j);
}

void
journal_add_line(struct journal *j, struct str line)
{
	if (j == NULL)
		return;
	if (j->lines.n < WAIT_MAX && line.n < LINE_MAX_OCTETS)
		buf_add(&j->lines, line);
	else
		lose(j);
	write_portion(j);
}

size_t
journal_waiting(const struct journal *j)
{
	return j != NULL ? j->lines.n : 0;
}

uint64_t
journal_lost(const struct journal *j)
{
	return j != NULL ? j->lost : 0;
}

/* Ends what somebody who was killed has begun. */
static int
mend(struct journal *j)
{
	if (sys_pwrite_all(j->fd, "\n", 1, j->at) < 0)
		return -1;
	j->at++;
	j->torn = false;
	return 0;
}

static void
say_gap(struct journal *j)
{
	struct journal_line l = { .event = JOURNAL_GAP, .runner = j->runner,
		.lost = j->unsaid, .since_us = j->unsaid_since };

	j->unsaid = 0;
	journal_format(&j->lines, &l, clock_wall_us());
}

int
journal_flush(struct journal *j)
{
	if (j == NULL || j->lines.n == 0)
		return 0;
	if (j->fd < 0 && file_open(j) < 0)
		return -1;
	if (j->torn && mend(j) < 0)
		return -1;
	if (sys_pwrite_all(j->fd, j->lines.p, j->lines.n, j->at) < 0)
		return -1;
	j->at += (off_t)j->lines.n;
	buf_reset(&j->lines);
	j->portion = PORTION;
	if (j->unsaid > 0)
		say_gap(j);
	return 0;
}

/* What failed once is not tried again: the kernel would say that all is well. */
static int
sync_before(struct journal *j)
{
	int r = 0, e;

	if (j->before < 0)
		return 0;
	r = sys_fdatasync(j->before);
	e = errno;
	sys_close(j->before);
	j->before = -1;
	errno = e;
	return r;
}

int
journal_sync(struct journal *j)
{
	int r;

	if (j == NULL)
		return 0;
	r = sync_before(j);
	return j->fd >= 0 && sys_fdatasync(j->fd) < 0 ? -1 : r;
}

bool
journal_turn(struct journal *j)
{
	int64_t day = today();
	bool turned;

	if (j == NULL || (day == j->day && j->at < PART_MAX))
		return false;
	/* What cannot be written there goes into the next, and only there. */
	if (journal_flush(j) < 0 && j->fd >= 0 &&
	    sys_ftruncate(j->fd, j->at) < 0)
		log_warn(NULL, "a file of the journal ends in half a line: %s",
		    strerror(errno));
	/* Its last lines tell of what the spool is about to forget. */
	if (j->fd >= 0) {
		if (sync_before(j) < 0)
			log_warn(NULL, "a file of the journal may not be durable: %s",
			    strerror(errno));
		j->before = j->fd;
	}
	j->fd = -1;
	j->at = 0;
	j->torn = false;
	turned = day != j->day;
	j->part = turned ? 0 : j->part + 1;
	j->day = day;
	if (turned) {
		/* A clock that was set back: the day has files already. */
		(void)journal_each(j->dir, on_own_part, j);
		(void)journal_each(j->dir, on_old, j);
	}
	return turned;
}

void
journal_set_day(struct journal *j, int64_t day)
{
	j->day = day;
}
