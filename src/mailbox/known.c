/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * known -- sizes that were counted, kept for the next session.
 *
 * Where names do not say how long messages are, each has to be read, and of
 * fifty thousand that is what a session costs.  So what was counted is kept in
 * the mailbox, in .barid-sizes: a head and a record for each file, in the order
 * of the inodes.  A record counts if inode, name, length and time of the last
 * change are those of the file; a file of records that is not whole counts as
 * none.  It is never synced: all of it can be counted again.
 *
 * A message that is fetched is counted before, whatever is known of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/sys.h"
#include "mailbox.h"

#define FILE_NAME ".barid-sizes"
#define NEW_NAME ".barid-sizes.new"
/* In the order of this machine's octets: another one's is not taken. */
#define MAGIC UINT64_C(0x62617269642d7331)
/* Of larger mailboxes nothing is kept: a session has no room for it. */
#define RECORDS_MAX 250000
/* Fewer are counted faster than they are written. */
#define WORTH 64

struct record {
	uint64_t inode;
	uint64_t base;		/* a hash of the part of the name that stays */
	uint64_t changed;	/* nanoseconds */
	uint64_t stored;	/* octets of the file */
	uint64_t sent;
};

struct head {
	uint64_t magic;
	uint64_t n;
	uint64_t sum;		/* CRC-32C of the records */
};

struct known {
	struct record *old;	/* as they were found, by inode */
	size_t old_n;
	struct record *v;	/* of messages that are there */
	size_t n, max;
	size_t counted;		/* of these in this session */
};

static uint64_t
hash(struct str s)
{
	return fnv1a(FNV1A_START, s);
}

static struct record
record_of(const struct maildir_entry *e, const struct stat *st)
{
	return (struct record){ .inode = st->st_ino,
		.base = hash(maildir_base(e->name)),
		.changed = (uint64_t)st->st_mtim.tv_sec * 1000000000 +
		    (uint64_t)st->st_mtim.tv_nsec,
		.stored = (uint64_t)st->st_size };
}

/* ---- reading ----------------------------------------------------------- */

static bool
read_all(int fd, void *to, size_t n, off_t at)
{
	char *p = to;

	while (n > 0) {
		ssize_t got = sys_pread(fd, p, n, at);

		if (got <= 0)
			return false;
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* Whatever is wrong with FD: then nothing is known. */
static void
load(struct known *k, int fd)
{
	struct head h;
	struct stat st;
	size_t octets;

	if (sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !read_all(fd, &h, sizeof(h), 0) || h.magic != MAGIC || h.n == 0 ||
	    h.n > RECORDS_MAX)
		return;
	octets = (size_t)h.n * sizeof(*k->old);
	if (st.st_size != (off_t)(sizeof(h) + octets))
		return;
	k->old = mem_array((size_t)h.n, sizeof(*k->old));
	if (read_all(fd, k->old, octets, sizeof(h)) &&
	    crc32c(0, k->old, octets) == h.sum)
		k->old_n = (size_t)h.n;
}

static struct known *
known(struct maildir *m)
{
	int fd;

	if (m->known != NULL)
		return m->known;
	m->known = mem_alloc(sizeof(*m->known));
	fd = sys_openat(m->dir, FILE_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd >= 0) {
		load(m->known, fd);
		sys_close(fd);
	}
	return m->known;
}

static int
by_inode(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void
add(struct known *k, const struct record *r)
{
	if (k->n == RECORDS_MAX)
		return;
	if (k->n == k->max) {
		k->max = k->max > 0 ? 2 * k->max : 64;
		k->v = mem_grow(k->v, k->max, sizeof(*k->v));
	}
	k->v[k->n++] = *r;
}

bool
known_any(struct maildir *m)
{
	return m->n >= WORTH && known(m)->old_n > 0;
}

bool
known_size(struct maildir *m, const struct maildir_entry *e,
    const struct stat *st, uint64_t *sent)
{
	struct record r = record_of(e, st);
	const struct record *found;
	struct known *k;

	if (!known_any(m))
		return false;
	k = m->known;
	found = bsearch(&r, k->old, k->old_n, sizeof(r), by_inode);
	if (found == NULL || found->base != r.base ||
	    found->changed != r.changed || found->stored != r.stored)
		return false;
	*sent = found->sent;
	add(k, found);
	return true;
}

void
known_add(struct maildir *m, const struct maildir_entry *e,
    const struct stat *st)
{
	struct record r = record_of(e, st);

	if (m->n < WORTH)
		return;
	r.sent = e->size;
	add(known(m), &r);
	m->known->counted++;
}

/* ---- writing ----------------------------------------------------------- */

/* True if V has all that has to be counted: the old ones are not needed. */
static bool
is_worth_it(const struct maildir *m)
{
	if (m->known->counted < WORTH || m->n > RECORDS_MAX)
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].sized)
			return false;
	return true;
}

static int
write_records(int fd, const struct known *k)
{
	size_t octets = k->n * sizeof(*k->v);
	struct head h = { MAGIC, k->n, crc32c(0, k->v, octets) };

	if (sys_write_all(fd, &h, sizeof(h)) < 0)
		return -1;
	return sys_write_all(fd, k->v, octets);
}

static void
save(const struct maildir *m)
{
	struct known *k = m->known;
	int fd = sys_openat(m->dir, NEW_NAME,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0600);
	int r;

	if (fd < 0)
		return;
	qsort(k->v, k->n, sizeof(*k->v), by_inode);
	r = write_records(fd, k);
	sys_close(fd);
	if (r == 0)
		r = sys_renameat(m->dir, NEW_NAME, m->dir, FILE_NAME);
	if (r < 0)
		(void)!sys_unlinkat(m->dir, NEW_NAME);
}

void
known_end(struct maildir *m)
{
	if (m->known == NULL)
		return;
	if (is_worth_it(m))
		save(m);
	mem_free(m->known->old);
	mem_free(m->known->v);
	mem_free(m->known);
	m->known = NULL;
}
