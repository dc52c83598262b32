/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * policies -- MTA-STS policies as files.
 *
 * A file is one line "sts1 FETCHED ID" and the policy.  It is written beside
 * the old one, synced and put in its place, so that a reader sees the one or
 * the other; after a power cut an old one may be back, which costs a fetch.
 * When a file was last used is its access time, which is set here and does
 * not depend on how the file system is mounted.
 */

#include "ipc/policies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/entries.h"
#include "lib/mem.h"
#include "lib/subdir.h"
#include "lib/sys.h"

#define HEAD_MAX 128
#define TMP_NAME ".tmp"
#define DOMAIN_MAX 253
/* The access time is this exact, in seconds. */
#define USED_GRAIN 3600

int
policies_dir(const char *spool, bool make, uid_t owner)
{
	return subdir_open(spool, POLICIES_DIR, make, owner);
}

/* The file of DOMAIN, which comes from the network; false if it can have none. */
static bool
name_of(struct str domain, char name[DOMAIN_MAX + 1])
{
	if (domain.n == 0 || domain.n > DOMAIN_MAX || domain.p[0] == '.')
		return false;
	for (size_t i = 0; i < domain.n; i++) {
		char c = char_lower(domain.p[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || c == '.'))
			return false;
		name[i] = c;
	}
	name[domain.n] = '\0';
	return true;
}

bool
policies_can_have(struct str domain)
{
	char name[DOMAIN_MAX + 1];

	return name_of(domain, name);
}

/* ---- one of them ------------------------------------------------------------ */

static bool
is_id(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n > 0 && s.n <= POLICIES_ID_MAX;
}

/* The whole file's text into F. */
static bool
parse(struct str text, struct policy_file *f)
{
	struct str head, rest;
	uint64_t fetched;

	if (!str_cut(text, '\n', &head, &rest) ||
	    !str_eq(str_word(&head), STR("sts1")) ||
	    str_u64(str_word(&head), INT64_MAX, &fetched) < 0)
		return false;
	head = str_trim(head);
	if (!is_id(head) || rest.n > POLICIES_TEXT_MAX)
		return false;
	f->fetched = (int64_t)fetched;
	memcpy(f->id, head.p, head.n);
	f->id[head.n] = '\0';
	buf_add(&f->text, rest);
	return true;
}

static void
note_use(int fd, const struct stat *st)
{
	struct timespec times[2] = { { .tv_sec = clock_wall() },
		{ .tv_nsec = UTIME_OMIT } };

	if (llabs((long long)(times[0].tv_sec - st->st_atime)) > USED_GRAIN &&
	    sys_futimens(fd, times) < 0)
		return;	/* It is forgotten sooner, and no more. */
}

static int
read_file(int fd, struct policy_file *f)
{
	char *p = mem_room(HEAD_MAX + POLICIES_TEXT_MAX + 1);
	ssize_t n = sys_pread(fd, p, HEAD_MAX + POLICIES_TEXT_MAX + 1, 0);
	bool ok = n > 0 && parse(str_n(p, (size_t)n), f);

	mem_free(p);
	if (ok)
		return 0;
	if (n >= 0)
		errno = EBADMSG;
	return -1;
}

/* To read one is no use of it, also where the file system would note that. */
static int
open_quietly(int dir, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
	int fd = sys_openat(dir, name, flags | O_NOATIME, 0);

	return fd >= 0 || errno != EPERM ? fd : sys_openat(dir, name, flags, 0);
}

static int
get(int dir, struct str domain, struct policy_file *f, bool use)
{
	char name[DOMAIN_MAX + 1];
	struct stat st;
	int fd, rc, e;

	*f = (struct policy_file){ .fetched = 0 };
	buf_init(&f->text, POLICIES_TEXT_MAX);
	if (!name_of(domain, name)) {
		errno = EINVAL;
		return -1;
	}
	fd = open_quietly(dir, name);
	if (fd < 0)
		return -1;
	rc = sys_fstat(fd, &st);
	if (rc == 0)
		rc = read_file(fd, f);
	if (rc == 0)
		f->used = st.st_atime;
	if (rc == 0 && use)
		note_use(fd, &st);
	e = errno;
	sys_close(fd);
	errno = e;
	return rc;
}

int
policies_get(int dir, struct str domain, struct policy_file *f)
{
	return get(dir, domain, f, true);
}

int
policies_look(int dir, struct str domain, struct policy_file *f)
{
	return get(dir, domain, f, false);
}

int
policies_put(int dir, struct str domain, const struct policy_file *f)
{
	char name[DOMAIN_MAX + 1];
	struct timespec times[2] = { { .tv_sec = f->used },
		{ .tv_nsec = UTIME_OMIT } };
	struct buf b;
	int fd, rc = -1, e;

	if (!name_of(domain, name) || !is_id(str_c(f->id)) || f->fetched < 0 ||
	    f->text.n > POLICIES_TEXT_MAX) {
		errno = EINVAL;
		return -1;
	}
	fd = sys_openat(dir, TMP_NAME,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	buf_init(&b, HEAD_MAX + POLICIES_TEXT_MAX);
	buf_addf(&b, "sts1 %lld %s\n", (long long)f->fetched, f->id);
	buf_add(&b, buf_str(&f->text));
	if (sys_write_all(fd, b.p, b.n) == 0 &&
	    (f->used == 0 || sys_futimens(fd, times) == 0) &&
	    sys_fdatasync(fd) == 0)
		rc = sys_renameat(dir, TMP_NAME, dir, name);
	e = errno;
	sys_close(fd);
	buf_free(&b);
	errno = e;
	return rc;
}

/* ---- all of them ------------------------------------------------------------ */

struct used {
	int64_t at;
	const char *name;
};

struct all {
	struct used *v;
	size_t n, size;
	struct arena names;
};

static void
all_add(struct all *all, int dir, const char *name)
{
	struct stat st;

	if (name[0] == '.' || sys_fstatat(dir, name, &st) < 0)
		return;
	if (all->n == all->size) {
		all->size = all->size ? all->size * 2 : 256;
		all->v = mem_grow(all->v, all->size, sizeof(*all->v));
	}
	all->v[all->n++] = (struct used){ st.st_atime,
		arena_cstr(&all->names, str_c(name)) };
}

static int
by_use(const void *va, const void *vb)
{
	const struct used *a = va, *b = vb;

	return (a->at > b->at) - (a->at < b->at);
}

/* One file in ten more than needed: so that it is not to be done each time. */
static int
forget(int dir, struct all *all, size_t max)
{
	size_t keep = max - max / 10;

	qsort(all->v, all->n, sizeof(*all->v), by_use);
	for (size_t i = 0; i + keep < all->n; i++)
		if (sys_unlinkat(dir, all->v[i].name) < 0 && errno != ENOENT)
			return -1;
	return 0;
}

/* Fills ALL, to be freed in any case.  -1: errno. */
static int
list(int dir, struct all *all)
{
	const struct dirent *e;
	struct entries l;

	*all = (struct all){ .n = 0 };
	arena_init(&all->names, (size_t)1 << 30);
	if (entries_open(&l, dir, ".") < 0)
		return -1;
	while ((e = entries_next(&l)) != NULL)
		all_add(all, dir, e->d_name);
	return entries_close(&l);
}

static void
all_free(struct all *all)
{
	arena_free(&all->names);
	mem_free(all->v);
}

int
policies_each(int dir, void (*fn)(void *arg, const char *domain, int64_t used),
    void *arg)
{
	struct all all;
	int rc = list(dir, &all);

	for (size_t i = 0; i < all.n; i++)
		fn(arg, all.v[i].name, all.v[i].at);
	all_free(&all);
	return rc;
}

int
policies_trim(int dir, size_t max)
{
	struct all all;
	int rc = list(dir, &all);

	if (rc == 0 && all.n > max)
		rc = forget(dir, &all, max);
	all_free(&all);
	return rc;
}
