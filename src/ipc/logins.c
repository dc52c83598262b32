/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * logins -- when each password was last used.
 *
 *	head	magic, secret
 *	slots	SLOTS times {key, time}
 *
 * A key is half an HMAC of user and app password by the secret, and says where
 * to look: in the NEAR slots from there on.  Where all of these are taken, the
 * one that was used longest ago is given up.  One process writes; each half of
 * a slot is written whole, and who reads between them sees a time that is not
 * quite right, of a login that is just now.
 */

#include "ipc/logins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/random.h"

#define MAGIC UINT64_C(0x626172696c6f6701)
#define SLOTS ((size_t)1 << 15)
#define NEAR 16
#define HEAD ((size_t)4096)
#define TOTAL (HEAD + SLOTS * sizeof(struct slot))
#define FILE_NEW LOGINS_FILE ".new"

struct head {
	uint64_t magic;
	unsigned char secret[LOGINS_SECRET_SIZE];
};

struct slot {
	_Atomic uint64_t key;	/* 0: free */
	_Atomic int64_t time;
};

struct logins {
	char *base;
	bool writable;
};

static const struct head *
head_of(const struct logins *l)
{
	return (const struct head *)(const void *)l->base;
}

static struct slot *
slots_of(const struct logins *l)
{
	return (struct slot *)(void *)(l->base + HEAD);
}

/* ---- the file ----------------------------------------------------------------- */

/*
 * Whoever may write the directory could put another file there: one of
 * somebody else's, or with a second name, is not ours to write.
 */
static bool
is_ours(int fd, unsigned uid)
{
	struct stat st;
	struct head h;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_nlink == 1 && (st.st_uid == uid || st.st_uid == geteuid()) &&
	    st.st_size == (off_t)TOTAL &&
	    pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) &&
	    h.magic == MAGIC;
}

static int
fill(int fd, unsigned uid, unsigned gid)
{
	struct head h = { .magic = MAGIC };

	random_bytes(h.secret, sizeof(h.secret));
	if (ftruncate(fd, (off_t)TOTAL) < 0 ||
	    pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    (geteuid() == 0 && fchown(fd, uid, gid) < 0))
		return -1;
	return 0;
}

/* Whole beside the old one, and then in its place. */
static int
make(int dir, unsigned uid, unsigned gid)
{
	int fd, err;

	(void)unlinkat(dir, FILE_NEW, 0);
	fd = openat(dir, FILE_NEW,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (fill(fd, uid, gid) == 0 &&
	    renameat(dir, FILE_NEW, dir, LOGINS_FILE) == 0)
		return fd;
	err = errno;
	(void)unlinkat(dir, FILE_NEW, 0);
	close(fd);
	errno = err;
	return -1;
}

/* Maps FD and closes it. */
static struct logins *
map(int fd, bool writable)
{
	struct logins *l = mem_alloc(sizeof(*l));
	void *p = mmap(NULL, TOTAL, writable ? PROT_READ | PROT_WRITE : PROT_READ,
	    MAP_SHARED, fd, 0);
	int err = errno;

	close(fd);
	l->base = p;
	l->writable = writable;
	if (p != MAP_FAILED)
		return l;
	mem_free(l);
	errno = err;
	return NULL;
}

struct logins *
logins_open(int dir, unsigned uid, unsigned gid)
{
	int fd = openat(dir, LOGINS_FILE,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && !is_ours(fd, uid)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fd = make(dir, uid, gid);
	return fd < 0 ? NULL : map(fd, true);
}

struct logins *
logins_look(int dir)
{
	int fd = openat(dir, LOGINS_FILE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !is_ours(fd, st.st_uid)) {
		close(fd);
		errno = EINVAL;
		return NULL;
	}
	return map(fd, false);
}

void
logins_free(struct logins *l)
{
	if (l == NULL)
		return;
	munmap(l->base, TOTAL);
	mem_free(l);
}

const unsigned char *
logins_secret(const struct logins *l)
{
	return head_of(l)->secret;
}

/* ---- slots -------------------------------------------------------------------- */

/* Names have no case here; neither holds a slash.  0: there is none. */
static uint64_t
key_of(const struct logins *l, struct str user, struct str app)
{
	unsigned char mac[SHA256_SIZE];
	uint64_t key = 0;
	struct buf b;

	buf_init(&b, 1024);
	buf_add_lower(&b, user);
	buf_addc(&b, '/');
	buf_add_lower(&b, app);
	if (buf_ok(&b) && hmac_sha256(str_n((const char *)head_of(l)->secret,
			      LOGINS_SECRET_SIZE), buf_str(&b), mac) == 0)
		memcpy(&key, mac, sizeof(key));
	buf_free(&b);
	return key;
}

/* The slot of KEY; else, if TO_WRITE, the one that it may have; else NULL. */
static struct slot *
slot_of(const struct logins *l, uint64_t key, bool to_write)
{
	struct slot *s, *best = NULL;

	for (size_t i = 0; i < NEAR; i++) {
		s = &slots_of(l)[(key + i) % SLOTS];
		if (atomic_load(&s->key) == key)
			return s;
		if (best == NULL ||
		    atomic_load(&s->time) < atomic_load(&best->time))
			best = s;
	}
	return to_write ? best : NULL;
}

void
logins_note(struct logins *l, struct str user, struct str app, int64_t now)
{
	uint64_t key = key_of(l, user, app);
	struct slot *s;

	if (key == 0 || !l->writable)
		return;
	s = slot_of(l, key, true);
	atomic_store(&s->time, now);
	atomic_store(&s->key, key);
}

int64_t
logins_last(const struct logins *l, struct str user, struct str app)
{
	uint64_t key = key_of(l, user, app);
	struct slot *s = key != 0 ? slot_of(l, key, false) : NULL;

	return s != NULL ? atomic_load(&s->time) : 0;
}
