/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * store -- texts of messages that stand outside of the spool.
 *
 * Others write there, who may be hostile: a file is opened without following
 * links and without blocking, and looked at before it is read.  A text has an
 * end however it is packed, by its size and by its ratio, and none is held in
 * memory as a whole.  One that changes while it is read is not taken.  Writers
 * of ours there are none, so that nothing here is made durable.
 */

#include "queue/store.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/packed.h"
#include "lib/sys.h"

#include "spool.h"

#define PLAIN ".eml"
#define PACKED ".eml.gz"

struct store_text {
	int fd;
	bool whole;		/* of gzip: its end was seen */
	struct stat st;		/* when it was opened */
	off_t at;		/* octets of the file that were read */
	uint64_t out, most;	/* of the text so far, and at most */
	const char *why;
	struct packed *packed;	/* gzip; or NULL */
	struct str in;		/* of PIECE, what is still to be unpacked */
	char piece[SPOOL_CHUNK / 4];
};

/* True if NAME is that of a text. */
static bool
is_text_name(struct str name)
{
	size_t end = str_ends(name, STR(PACKED)) ? sizeof(PACKED) - 1 :
	    str_ends(name, STR(PLAIN))		 ? sizeof(PLAIN) - 1 : 0;

	return end > 0 && store_key_valid(str_head(name, name.n - end));
}

/* ---- reading ------------------------------------------------------------------ */

static int
open_file(int dir, struct str key, const char *end)
{
	char name[STORE_KEY_MAX + sizeof(PACKED)];
	struct buf b;

	buf_init_in(&b, name, sizeof(name));
	buf_add(&b, key);
	buf_adds(&b, end);
	return sys_openat(dir, buf_cstr(&b), O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC, 0);
}

/* What is wrong with the file that T is, which has not been read yet. */
static const char *
judge(const struct store_text *t, uid_t owner)
{
	if (!S_ISREG(t->st.st_mode) || t->st.st_nlink != 1)
		return "its text is not a plain file with one name";
	if (owner != STORE_ANYBODY && t->st.st_uid != owner)
		return "its text belongs to somebody else";
	return NULL;
}

/* What errno of opening a file there says of that file; NULL: nothing. */
static const char *
judge_errno(int e)
{
	return e == ENOENT ? "its text is not in the store" :
	    e == ELOOP || e == ENXIO ? "its text is not a plain file with one name" :
	    e == EACCES || e == EPERM ? "its text may not be read" : NULL;
}

static int
open_either(int dir, struct str key, bool *packed)
{
	int fd = open_file(dir, key, PLAIN);

	*packed = fd < 0 && errno == ENOENT;
	return *packed ? open_file(dir, key, PACKED) : fd;
}

/* As a .eml in drop/: its writer may not be done. */
static bool
is_young(const struct store_text *t)
{
	int64_t now = clock_wall(), at = t->st.st_mtim.tv_sec;

	return at <= now && now - at < QUEUE_EML_AGE;
}

static int
begin(struct store_text *t, bool packed, uid_t owner, const char **why)
{
	if (sys_fstat(t->fd, &t->st) < 0)
		return -1;
	*why = judge(t, owner);
	if (*why != NULL) {
		errno = EBADMSG;
		return -1;
	}
	if (is_young(t)) {
		*why = "its text is being written";
		errno = EAGAIN;
		return -1;
	}
	if (packed && (t->packed = packed_open(PACKED_GZIP)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

struct store_text *
store_open(const char *path, struct str key, uid_t owner, uint64_t most,
    const char **why)
{
	struct store_text *t;
	bool packed;
	int dir, fd, error;

	*why = NULL;
	dir = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return NULL;
	fd = open_either(dir, key, &packed);
	error = errno;
	sys_close(dir);
	if (fd < 0) {
		*why = judge_errno(error);
		errno = *why != NULL && error != ENOENT ? EBADMSG : error;
		return NULL;
	}
	t = mem_alloc(sizeof(*t));
	t->fd = fd;
	t->most = most;
	if (begin(t, packed, owner, why) == 0)
		return t;
	error = errno;
	sys_close(fd);
	mem_free(t);
	errno = error;
	return NULL;
}

static ssize_t
refuse(struct store_text *t, const char *why)
{
	t->why = why;
	errno = EBADMSG;
	return -1;
}

/* One that is written to, or cut short, while it is read is no text yet. */
static ssize_t
at_end(struct store_text *t)
{
	struct stat st;

	if (sys_fstat(t->fd, &st) < 0)
		return -1;
	if (t->at == t->st.st_size && st.st_size == t->st.st_size &&
	    st.st_mtim.tv_sec == t->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == t->st.st_mtim.tv_nsec)
		return 0;
	t->why = "its text is being written";
	errno = EAGAIN;
	return -1;
}

static ssize_t
read_plain(struct store_text *t, char *p, size_t n)
{
	ssize_t got = spool_read(t->fd, t->at, p, n);

	if (got > 0)
		t->at += got;
	return got;
}

/* More for the inflater; 0: there is no more. */
static ssize_t
feed(struct store_text *t)
{
	ssize_t got = sys_pread(t->fd, t->piece, sizeof(t->piece), t->at);

	if (got > 0) {
		t->at += got;
		t->in = str_n(t->piece, (size_t)got);
	}
	return got;
}

static ssize_t
read_packed(struct store_text *t, char *p, size_t n)
{
	enum packed_state state;
	size_t done = 0, out;

	while (done < n && !t->whole) {
		ssize_t got = t->in.n > 0 ? 1 : feed(t);

		if (got <= 0)
			return got < 0 || at_end(t) < 0 ? -1 :
			    refuse(t, "its text is gzip that is cut short");
		state = packed_next(t->packed, &t->in, p + done, n - done, &out);
		done += out;
		t->whole = state == PACKED_END;
		if (state == PACKED_NO_MEMORY) {
			errno = ENOMEM;
			return -1;
		}
		if (state == PACKED_BROKEN)
			return refuse(t, "its text is no gzip");
	}
	if (t->whole && (t->in.n > 0 || t->at < t->st.st_size))
		return refuse(t, "something stands behind the gzip of its text");
	return (ssize_t)done;
}

ssize_t
store_read(struct store_text *t, char *p, size_t n)
{
	ssize_t got;

	n = n > SPOOL_CHUNK * 16 ? SPOOL_CHUNK * 16 : n;
	got = t->packed != NULL ? read_packed(t, p, n) : read_plain(t, p, n);
	if (got < 0)
		return -1;
	t->out += (uint64_t)got;
	if (t->out > t->most)
		return refuse(t, "its text is larger than limits.message-size");
	if (t->packed != NULL && t->out > STORE_RATIO_FROM &&
	    t->out / STORE_RATIO_MAX > (uint64_t)t->at - t->in.n)
		return refuse(t, "its text unpacks to more than is believable");
	return got == 0 && n > 0 ? at_end(t) : got;
}

const char *
store_why(const struct store_text *t)
{
	return t->why;
}

void
store_close(struct store_text *t)
{
	int error = errno;

	if (t == NULL)
		return;
	packed_close(t->packed);
	sys_close(t->fd);
	mem_free(t);
	errno = error;
}

/* ---- what is over ---------------------------------------------------------------- */

struct sweep {
	int64_t before;
	unsigned left;		/* that may still be removed */
	int removed;
	int error;		/* errno of the last that could not be */
};

static bool
sweep_entry(void *arg, int dir, const struct dirent *e)
{
	struct sweep *s = arg;
	struct stat st;

	if (e == NULL)
		return false;
	if (!is_text_name(str_c(e->d_name)) ||
	    sys_fstatat(dir, e->d_name, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_mtim.tv_sec >= s->before)
		return true;
	if (sys_unlinkat(dir, e->d_name) == 0)
		s->removed++;
	else if (errno != ENOENT)
		s->error = errno;
	return --s->left > 0;
}

int
store_sweep(const char *path, int64_t before, unsigned most)
{
	struct sweep s = { .before = before, .left = most };
	int dir = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return -1;
	if (spool_list(dir, ".", sweep_entry, &s) < 0)
		s.error = errno;
	sys_close(dir);
	if (s.error == 0 || s.removed > 0)
		return s.removed;
	errno = s.error;
	return -1;
}
