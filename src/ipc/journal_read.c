/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * journal_read -- the journal as a reader sees it, while it is written.
 *
 * Every call goes on where the last one ended, so that what came meanwhile
 * is read by another call.  A last line without its end is left for then:
 * it is being written, or was cut off.  A file that is taken away between
 * two calls is forgotten.  The memory is a block, whatever the files hold.
 */

#include "ipc/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "journal_file.h"

#define BLOCK_MAX ((size_t)1 << 20)
#define DAY_US INT64_C(86400000000)

struct file {
	struct journal_name name;
	off_t at;		/* what was read ends here */
	uint64_t line;		/* of it */
	bool torn;
};

struct journal_reader {
	int dir;
	int64_t from_day;
	struct file *files;	/* in the order in which they are read */
	size_t n, size;
	char *block;
};

/* A day after the other, a runner's parts in their order. */
static int
by_name(const void *a, const void *b)
{
	const struct journal_name *p = &((const struct file *)a)->name;
	const struct journal_name *q = &((const struct file *)b)->name;

	if (p->day != q->day)
		return p->day < q->day ? -1 : 1;
	if (p->runner != q->runner)
		return p->runner < q->runner ? -1 : 1;
	return p->part < q->part ? -1 : p->part > q->part;
}

static bool
is_known(const struct journal_reader *r, const struct journal_name *n)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->files[i].name.day == n->day &&
		    r->files[i].name.runner == n->runner &&
		    r->files[i].name.part == n->part)
			return true;
	return false;
}

static void
on_file(void *arg, const struct journal_name *n)
{
	struct journal_reader *r = arg;

	if (n->day < r->from_day || is_known(r, n))
		return;
	if (r->n == r->size) {
		r->size = r->size ? r->size * 2 : 64;
		r->files = mem_grow(r->files, r->size, sizeof(*r->files));
	}
	r->files[r->n++] = (struct file){ .name = *n };
}

/* Looks which files there are now. */
static int
look(struct journal_reader *r)
{
	if (journal_each(r->dir, on_file, r) < 0)
		return -1;
	if (r->n > 0)
		qsort(r->files, r->n, sizeof(*r->files), by_name);
	return 0;
}

struct journal_reader *
journal_reader_open(const char *spool, int64_t from_us)
{
	int dir = journal_dir(spool, false, (uid_t)-1), e;
	struct journal_reader *r;

	if (dir < 0)
		return NULL;
	r = mem_alloc(sizeof(*r));
	r->dir = dir;
	r->from_day = from_us > 0 ? from_us / DAY_US : 0;
	if (look(r) == 0) {
		r->block = mem_room(BLOCK_MAX);
		return r;
	}
	e = errno;
	journal_reader_close(r);
	errno = e;
	return NULL;
}

void
journal_reader_close(struct journal_reader *r)
{
	if (r == NULL)
		return;
	sys_close(r->dir);
	mem_free(r->files);
	mem_free(r->block);
	mem_free(r);
}

/* Gives the whole lines of a block; the octets that they took. */
static size_t
give_lines(struct file *f, const char *name, struct str block,
    void (*fn)(void *arg, const char *file, uint64_t number, struct str line),
    void *arg)
{
	struct str line, rest = block;
	size_t used = 0;

	while (str_cut(rest, '\n', &line, &rest)) {
		used = (size_t)(rest.p - block.p);
		f->line++;
		if (line.n > 0)
			fn(arg, name, f->line, line);
	}
	return used;
}

static int
read_file(struct journal_reader *r, struct file *f, int fd, const char *name,
    void (*fn)(void *arg, const char *file, uint64_t number, struct str line),
    void *arg)
{
	ssize_t got;

	f->torn = false;
	while ((got = sys_pread(fd, r->block, BLOCK_MAX, f->at)) > 0) {
		size_t used = give_lines(f, name,
		    str_n(r->block, (size_t)got), fn, arg);

		/* No line of ours is so long: whatever it is, it is skipped. */
		if (used == 0 && (size_t)got == BLOCK_MAX)
			used = BLOCK_MAX;
		f->at += (off_t)used;
		f->torn = used < (size_t)got;
		if (used == 0)
			break;
	}
	return got < 0 ? -1 : 0;
}

int
journal_read(struct journal_reader *r,
    void (*fn)(void *arg, const char *file, uint64_t number, struct str line),
    void *arg)
{
	struct buf name;
	int result = look(r);

	buf_init(&name, 128);
	for (size_t i = 0; i < r->n && result == 0; i++) {
		int fd, e;

		journal_name(&name, &r->files[i].name);
		fd = sys_openat(r->dir, buf_cstr(&name),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd < 0) {
			result = errno == ENOENT ? 0 : -1;
			continue;
		}
		result = read_file(r, &r->files[i], fd, buf_cstr(&name), fn,
		    arg);
		e = errno;
		sys_close(fd);
		errno = e;
	}
	buf_free(&name);
	return result;
}

void
journal_rewind(struct journal_reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->files[i] = (struct file){ .name = r->files[i].name };
}

int64_t
journal_oldest(const struct journal_reader *r)
{
	return r->n > 0 ? r->files[0].name.day * DAY_US : INT64_MAX;
}

size_t
journal_torn(const struct journal_reader *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->files[i].torn;
	return n;
}

uint64_t
journal_octets(const struct journal_reader *r)
{
	struct stat st;
	struct buf name;
	uint64_t n = 0;

	buf_init(&name, 128);
	for (size_t i = 0; i < r->n; i++) {
		journal_name(&name, &r->files[i].name);
		if (sys_fstatat(r->dir, buf_cstr(&name), &st) == 0)
			n += (uint64_t)st.st_size;
	}
	buf_free(&name);
	return n;
}
