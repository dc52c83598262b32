/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * deliver -- a message into a Maildir, durably.
 *
 * Written in tmp/, renamed into new/, then synced: the sync behind the
 * rename makes text and name durable together, whichever file system the
 * mailbox is on.  (A sync before the rename leaves the name to luck.)  Only
 * then may the spool forget the recipient.  Before the rename the text is
 * handed to the disk, without a flush: so a power cut cannot leave the name
 * in new/ and no text behind it.
 *
 * The file's name comes from the queue id, the recipient and the text, so
 * that a delivery repeated after a crash meets the file of the first one:
 * it stays if it is whole, and is replaced if it is not.
 *
 * Those that may share a file do so: the first is written, and the others are
 * links to it, made when its text is with the disk and before it is synced.  A
 * link is in the journal with the inode, so that one sync makes all of them
 * durable; if that fails, none is delivered.  What cannot be linked is a copy.
 *
 * In the same way one sync makes all durable that go together, where the file
 * system has one journal that is written in order (ordered.c): that of the file
 * whose name was shown last.  Each sync of its own would be a flush of the disk.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/name.h"
#include "lib/sys.h"
#include "mailbox.h"

#define HOST_MAX 100
#define NAME_CAP 255	/* of a file name */

struct delivery {
	const struct maildir_delivery *d;
	const struct delivery *before;	/* of those that go together; NULL: none */
	const struct delivery *first;	/* whose file it may be a link to; NULL: its own */
	int box, tmp, new;
	bool borrowed;		/* these are BEFORE's */
	int fd;
	struct buf name;	/* in tmp/; with sizes appended in new/ */
	struct buf out;
	struct stored stored;
	struct wire wire;
	uint64_t octets;
	struct usage was;	/* in the mailbox, if it has a limit */
	char *tmp_name;		/* NULL: nothing is in tmp/ */
	bool shown;		/* in new/, and not durable yet */
	bool together;		/* made durable by a sync for several ... */
	int sync_error;		/* ... which failed, or 0 */
	bool full;		/* the mailbox is */
	int error;
};

/* The host in a name: what has a meaning there becomes \ooo. */
static void
add_host(struct buf *b, struct str host)
{
	host = str_head(host, HOST_MAX / 4);
	for (size_t i = 0; i < host.n; i++) {
		unsigned char c = (unsigned char)host.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("/:,\\", c) != NULL)
			buf_addf(b, "\\%03o", c);
		else
			buf_addc(b, (char)c);
	}
}

static void
make_name(struct delivery *v)
{
	const struct maildir_delivery *d = v->d;

	buf_addu(&v->name, (uint64_t)d->arrival);
	buf_addf(&v->name, ".Q%sR%zu.", d->id, d->rcpt);
	add_host(&v->name, str_c(d->hostname));
}

static const char *
place(const struct maildir_delivery *d)
{
	return d->path != NULL ? d->path : d->mailbox;
}

/* True if A and B go into the same mailbox. */
static bool
is_same_box(const struct maildir_delivery *a, const struct maildir_delivery *b)
{
	return a->base == b->base && (a->path == NULL) == (b->path == NULL) &&
	    strcmp(place(a), place(b)) == 0;
}

/* The delivery whose file V's can be; NULL: it has one of its own. */
static const struct delivery *
first_of(const struct delivery *v)
{
	const struct maildir_delivery *d = v->d;

	if (!d->shares || d->path != NULL)
		return NULL;
	for (const struct delivery *b = v->before; b != NULL; b = b->before)
		if (b->first == NULL && b->error == 0 && b->d->shares &&
		    b->d->path == NULL && b->d->base == d->base &&
		    b->d->size == d->size && strcmp(b->d->id, d->id) == 0 &&
		    str_eq(b->d->prefix, d->prefix))
			return b;
	return NULL;
}

/* Takes the directories of the delivery before, if they are the same. */
static bool
borrow_dirs(struct delivery *v)
{
	const struct delivery *b = v->before;

	if (b == NULL || b->new < 0 || !is_same_box(b->d, v->d))
		return false;
	v->box = b->box;
	v->tmp = b->tmp;
	v->new = b->new;
	v->borrowed = true;
	return true;
}

/*
 * A mailbox that is new is not synced for itself: a journal is written in
 * order, and the message's own sync comes behind.
 */
static int
open_dirs(struct delivery *v)
{
	const struct maildir_delivery *d = v->d;
	int base = d->path != NULL ? AT_FDCWD : d->base;

	if (borrow_dirs(v))
		return 0;
	v->box = mailbox_dir(base, place(d), true);
	if (v->box < 0 || (v->tmp = mailbox_dir(v->box, "tmp", true)) < 0)
		return -1;
	v->new = mailbox_dir(v->box, "new", false);
	if (v->new >= 0 || errno != ENOENT)
		return v->new < 0 ? -1 : 0;
	/* Readers expect a cur/ as well. */
	if (sys_mkdirat(v->box, "cur", 0700) < 0 && errno != EEXIST)
		return -1;
	v->new = mailbox_dir(v->box, "new", true);
	return v->new < 0 ? -1 : 0;
}

static int
create(struct delivery *v)
{
	int flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	const char *name = buf_cstr(&v->name);

	v->fd = sys_openat(v->tmp, name, flags, 0600);
	if (v->fd < 0 && errno == EEXIST) {
		/* Of this very delivery, which was killed. */
		if (sys_unlinkat(v->tmp, name) < 0 && errno != ENOENT)
			return -1;
		v->fd = sys_openat(v->tmp, name, flags, 0600);
	}
	if (v->fd < 0)
		return -1;
	v->tmp_name = mem_dup(buf_str(&v->name));
	return 0;
}

static int
flush(struct delivery *v)
{
	struct str s = buf_str(&v->out);

	if (!buf_ok(&v->out)) {
		errno = ENOMEM;
		return -1;
	}
	wire_count(&v->wire, s);
	v->octets += s.n;
	if (s.n > 0 && sys_write_all(v->fd, s.p, s.n) < 0)
		return -1;
	buf_reset(&v->out);
	return 0;
}

/* Our own header lines: only their line ends change. */
static void
add_prefix(struct delivery *v)
{
	struct stored s = { .body = true };

	stored_add(&s, v->d->prefix, &v->out);
	stored_end(&s, &v->out);
}

static int
copy(struct delivery *v)
{
	const struct maildir_delivery *d = v->d;
	size_t chunk =
	    d->size < MAILDIR_CHUNK ? (size_t)d->size : MAILDIR_CHUNK;
	char *p = mem_alloc(chunk + 1);
	uint64_t left = d->size;
	off_t at = d->at;
	int r = 0;

	add_prefix(v);
	while (left > 0 && r == 0) {
		ssize_t got = sys_pread(d->fd, p,
		    left < chunk ? (size_t)left : chunk, at);

		if (got <= 0) {
			/* The spool's file is shorter than it says. */
			errno = got == 0 ? EIO : errno;
			r = -1;
			break;
		}
		stored_add(&v->stored, str_n(p, (size_t)got), &v->out);
		at += got;
		left -= (uint64_t)got;
		if (left == 0)
			stored_end(&v->stored, &v->out);
		r = flush(v);
	}
	mem_free(p);
	if (r == 0)
		r = flush(v);
	buf_free(&v->out);
	return r;
}

/*
 * 0 if the mailbox has room for the message beside those that go with it.  The
 * text with CRLF is the larger one, so that nothing is written for nothing.
 */
static int
has_room(struct delivery *v)
{
	const struct maildir_delivery *d = v->d;
	struct usage u, more = { 0 };
	bool fits;

	if (usage_limit_is_none(&d->limit))
		return 0;
	/* As if these were there. */
	for (const struct delivery *b = v->before; b != NULL; b = b->before) {
		if (b->error != 0 || !is_same_box(b->d, d))
			continue;
		more.octets += b->octets;
		more.messages++;
	}
	if (usage_ask(v->box, &d->limit, more.octets + d->size + d->prefix.n, &u, &fits) < 0)
		return -1;
	v->was = (struct usage){ u.octets + more.octets, u.messages + more.messages };
	if (fits && (d->limit.messages == 0 || v->was.messages < d->limit.messages))
		return 0;
	v->full = true;
	errno = EDQUOT;
	return -1;
}

/* Begins to write the text out; what goes wrong is found out by write_out(). */
static int
hand_over(struct delivery *v)
{
	if (v->fd < 0)
		return 0;
	(void)sync_file_range(v->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	return 0;
}

/*
 * Waits until the text is with the disk.  Its blocks and its length are in
 * the journal before the rename then, and the journal is written in order.
 */
static int
write_out(int fd)
{
	if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE |
	    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0)
		return 0;
	/* A file system, or a sandbox, that does not know it: at a price. */
	if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
		return sys_fdatasync(fd);
	return -1;
}

/* True if A and B hold the same; false also if one cannot be read. */
static bool
is_same(int a, int b)
{
	char *p = mem_alloc(2 * MAILDIR_CHUNK), *q = p + MAILDIR_CHUNK;
	ssize_t got;
	off_t at = 0;

	do {
		got = sys_pread(a, p, MAILDIR_CHUNK, at);
		if (got < 0 || sys_pread(b, q, MAILDIR_CHUNK, at) != got ||
		    memcmp(p, q, (size_t)got) != 0)
			got = -1;
		at += got;
	} while (got > 0);
	mem_free(p);
	return got == 0;
}

/*
 * NAME was in new/ before us, from a delivery that was cut off or whose
 * success nobody learnt: 1 if it is the message, made durable; 0 if it is
 * not whole, or gone; -1: errno.
 */
static int
keep_other(const struct delivery *v, const char *name)
{
	int fd = sys_openat(v->new, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	int r = 0, e;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : -1;
	if (is_same(v->fd, fd))
		r = sys_fsync(fd) == 0 ? 1 : -1;
	e = errno;
	sys_close(fd);
	errno = e;
	return r;
}

/* Removes NAME; errno stays. */
static void
forget(int dir, const char *name)
{
	int e = errno;

	(void)!sys_unlinkat(dir, name);
	errno = e;
}

/*
 * Renames it to NAME: 0; 1 if the message is there already; or -1.  Where no rename
 * refuses to replace something (NFS, some of FUSE: EINVAL) a look comes first, which
 * is enough: nobody else makes that name.
 */
static int
rename_into(struct delivery *v, const char *name)
{
	int there;

	if (sys_rename_new(v->tmp, v->tmp_name, v->new, name) == 0)
		return 0;
	if (errno != EEXIST && errno != EINVAL && errno != ENOSYS)
		return -1;
	if ((there = keep_other(v, name)) != 0)
		return there;
	return sys_renameat(v->tmp, v->tmp_name, v->new, name);
}

/* The name that it will have in new/, in place of the one in tmp/. */
static int
final_name(struct delivery *v)
{
	buf_add(&v->name, STR(",S="));
	buf_addu(&v->name, v->octets);
	buf_add(&v->name, STR(",W="));
	buf_addu(&v->name, wire_octets(&v->wire));
	if (buf_ok(&v->name))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int
begin(struct delivery *v)
{
	const struct maildir_delivery *d = v->d;

	if (d->path == NULL && !name_is_plain(str_c(d->mailbox))) {
		errno = EINVAL;
		return -1;
	}
	make_name(v);
	if (open_dirs(v) < 0)
		return -1;
	v->first = first_of(v);
	if (has_room(v) < 0)
		return -1;
	if (v->first != NULL) {
		v->octets = v->first->octets;
		return 0;
	}
	if (create(v) < 0 || copy(v) < 0)
		return -1;
	return final_name(v);
}

/* A link to the first one's file: 0; -1: it cannot be one. */
static int
link_to_first(struct delivery *v)
{
	const struct delivery *f = v->first;
	size_t plain = v->name.n;

	/* What stood there before it was not made durable by us. */
	if (f->error != 0 || !f->shown)
		return -1;
	v->wire = f->wire;
	if (final_name(v) == 0 && sys_linkat(f->new, buf_cstr(&f->name), v->new,
	    buf_cstr(&v->name)) == 0) {
		v->shown = true;
		usage_add(v->box, (int64_t)v->octets, 1);
		return 0;
	}
	buf_cut(&v->name, plain);
	return -1;
}

/* It is none, then, but a copy: of another file system, or too many have it. */
static int
copy_late(struct delivery *v)
{
	v->first = NULL;
	v->octets = 0;
	v->wire = (struct wire){ 0 };
	return create(v) < 0 || copy(v) < 0 ? -1 : final_name(v);
}

static int
show(struct delivery *v)
{
	int r;

	if (v->first != NULL && link_to_first(v) == 0)
		return 0;
	if (v->first != NULL && copy_late(v) < 0)
		return -1;
	if (write_out(v->fd) < 0)
		return -1;
	r = rename_into(v, buf_cstr(&v->name));
	if (r > 0)
		forget(v->tmp, v->tmp_name);
	v->shown = r == 0;
	if (v->shown)
		usage_add(v->box, (int64_t)v->octets, 1);
	return r < 0 ? -1 : 0;
}

/* True if V's name is in the journal that its caller knows of. */
static bool
is_in_journal(const struct delivery *v)
{
	struct stat st;

	return v->error == 0 && v->shown && v->d->journal != 0 &&
	    sys_fstat(v->new, &st) == 0 && st.st_dev == v->d->journal;
}

/* One sync for those of V[0..N) that are in the journal of the first of them. */
static void
sync_together(struct delivery *v, size_t n)
{
	const struct delivery *last = NULL;
	int error;

	for (size_t i = 0; i < n; i++)
		if ((last == NULL || last->d->journal == v[i].d->journal) &&
		    is_in_journal(&v[i])) {
			v[i].together = true;
			last = &v[i];
		}
	if (last == NULL)
		return;
	/* A link is a change of the file that it is a link to. */
	error = sys_fsync(last->first != NULL ? last->first->fd : last->fd) == 0 ? 0 : errno;
	for (size_t i = 0; i < n; i++)
		if (v[i].together)
			v[i].sync_error = error;
}

static int
make_durable(struct delivery *v)
{
	if (v->first != NULL && v->first->error != 0)
		errno = v->first->error;
	else if (v->together && v->sync_error != 0)
		errno = v->sync_error;
	else if (v->together || !v->shown || v->first != NULL || sys_fsync(v->fd) == 0)
		return 0;
	/* Not delivered, and not to be seen. */
	forget(v->new, buf_cstr(&v->name));
	usage_add(v->box, -(int64_t)v->octets, -1);
	return -1;
}

/* Each of V[0..N) that is well does STEP. */
static void
each(struct delivery *v, size_t n, int (*step)(struct delivery *v))
{
	for (size_t i = 0; i < n; i++)
		if (v[i].error == 0 && step(&v[i]) < 0)
			v[i].error = errno;
}

static void
close_if(int fd)
{
	if (fd >= 0)
		sys_close(fd);
}

/* What its caller wants to know of the mailbox. */
static void
tell_usage(const struct delivery *v)
{
	if (v->d->was != NULL)
		*v->d->was = v->was;
	if (v->d->now != NULL)
		*v->d->now = (struct usage){ v->was.octets + v->octets,
			v->was.messages + 1 };
}

static void
end(struct delivery *v)
{
	tell_usage(v);
	/* After a sync that failed it is gone from there. */
	if (v->error != 0 && v->tmp_name != NULL)
		forget(v->tmp, v->tmp_name);
	close_if(v->fd);
	if (!v->borrowed) {
		close_if(v->new);
		close_if(v->tmp);
		close_if(v->box);
	}
	mem_free(v->tmp_name);
	buf_free(&v->out);
	buf_free(&v->name);
}

void
maildir_deliver_all(const struct maildir_delivery *d, size_t n, int *errors)
{
	struct delivery *v = mem_array(n, sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct delivery){ .d = &d[i],
			.before = i > 0 ? &v[i - 1] : NULL,
			.box = -1, .tmp = -1, .new = -1, .fd = -1 };
		buf_init(&v[i].name, NAME_CAP);
		buf_init(&v[i].out, 2 * MAILDIR_CHUNK + d[i].prefix.n);
	}
	each(v, n, begin);
	if (n > 1)
		each(v, n, hand_over);
	each(v, n, show);
	if (n > 1)
		sync_together(v, n);
	each(v, n, make_durable);
	/* The last first: it may stand in directories that the first has open. */
	for (size_t i = n; i-- > 0;) {
		errors[i] = v[i].full ? MAILDIR_FULL : v[i].error;
		end(&v[i]);
	}
	mem_free(v);
}

int
maildir_deliver(const struct maildir_delivery *d)
{
	int error;

	maildir_deliver_all(d, 1, &error);
	errno = error == MAILDIR_FULL ? EDQUOT : error;
	return error == 0 ? 0 : -1;
}
