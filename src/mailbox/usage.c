/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * usage -- how much is in a mailbox, as its file maildirsize says.
 *
 * The first line has the limit, "1000000S,100C"; each other one a number of
 * octets and of messages, which are added up.  Who changes the mailbox appends
 * a line, in one write behind the end, so that programs that know nothing of
 * each other may do so at once.  A file is never mended, but replaced: by
 * rename, and only if no directory has changed while all was counted.
 *
 * What comes between that look and the rename is missing in the file, and what
 * is appended to a file that was just replaced is lost.  So a mailbox may hold a
 * message more than its limit, never one less: "full" is counted anew, unless
 * the file is fresh.
 */

#include "mailbox/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/entries.h"
#include "lib/random.h"
#include "lib/sys.h"
#include "mailbox.h"

#define FILE_NAME "maildirsize"
/* A file that is longer is counted anew, as Courier and Dovecot do it. */
#define FILE_OCTETS_MAX 5120
#define LINE_OCTETS_MAX 64
/* So many seconds "full" is believed. */
#define FRESH 900
/* So often all is counted while the mailbox changes. */
#define COUNTS_MAX 3
/* Of folders in a mailbox. */
#define FOLDERS_MAX 10000

bool
usage_fits(const struct usage_limit *l, const struct usage *u, uint64_t octets)
{
	return (l->octets == 0 || (u->octets <= l->octets &&
		octets <= l->octets - u->octets)) &&
	    (l->messages == 0 || u->messages < l->messages);
}

static bool
has_limit(const struct conf_account *a)
{
	return a->mailbox_quota > 0 || a->mailbox_messages > 0;
}

const struct conf_account *
usage_rule(const struct conf *c, const char *mailbox)
{
	for (size_t i = 0; i < c->account_n; i++)
		if (has_limit(&c->accounts[i]) &&
		    pattern_fits(&c->accounts[i].user, str_c(mailbox), STR("")))
			return &c->accounts[i];
	return NULL;
}

bool
usage_is_limited(const struct conf *c)
{
	for (size_t i = 0; i < c->account_n; i++)
		if (has_limit(&c->accounts[i]))
			return true;
	return false;
}

struct usage_limit
usage_limit_of(const struct conf_account *a)
{
	struct usage_limit l = { 0, 0 };

	if (a != NULL)
		l = (struct usage_limit){ a->mailbox_quota, a->mailbox_messages };
	return l;
}

static uint64_t
per_cent(uint64_t used, uint64_t most)
{
	if (most == 0)
		return 0;
	return used <= UINT64_MAX / 100 ? used * 100 / most : used / most * 100;
}

uint64_t
usage_part(const struct usage_limit *l, const struct usage *u)
{
	uint64_t a = per_cent(u->octets, l->octets);
	uint64_t b = per_cent(u->messages, l->messages);

	return a > b ? a : b;
}

void
usage_words(const struct usage_limit *l, const struct usage *u, struct buf *b)
{
	if (l->octets > 0)
		buf_addf(b, "%llu of %llu octets", (unsigned long long)u->octets,
		    (unsigned long long)l->octets);
	if (l->octets > 0 && l->messages > 0)
		buf_adds(b, ", ");
	if (l->messages > 0)
		buf_addf(b, "%llu of %llu messages",
		    (unsigned long long)u->messages,
		    (unsigned long long)l->messages);
}

/* ---- the file --------------------------------------------------------------- */

/* What a file says. */
struct said {
	struct usage_limit limit;
	int64_t octets, messages;
	unsigned lines;
	int64_t changed;
};

/* "1000000S,100C", in any order; what has another letter is nothing to us. */
static bool
read_limit(struct str line, struct usage_limit *l)
{
	struct str word;
	uint64_t n;

	*l = (struct usage_limit){ 0 };
	while (line.n > 0) {
		str_cut(line, ',', &word, &line);
		word = str_trim(word);
		if (word.n < 2 ||
		    str_u64(str_head(word, word.n - 1), INT64_MAX, &n) < 0)
			return false;
		if (word.p[word.n - 1] == 'S')
			l->octets = n;
		else if (word.p[word.n - 1] == 'C')
			l->messages = n;
	}
	return true;
}

static bool
add_number(struct str s, int64_t *sum)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t n;

	if (str_u64(str_skip(s, minus), INT64_MAX / FILE_OCTETS_MAX, &n) < 0)
		return false;
	*sum += minus ? -(int64_t)n : (int64_t)n;
	return true;
}

static bool
read_line(struct str line, struct said *s)
{
	struct str octets, messages;

	if (!str_cut(str_trim(line), ' ', &octets, &messages))
		return false;
	s->lines++;
	return add_number(octets, &s->octets) &&
	    add_number(str_trim(messages), &s->messages);
}

static bool
read_all(struct str text, struct said *s)
{
	struct str line;

	if (!str_ends(text, STR("\n")) ||
	    !str_cut(text, '\n', &line, &text) || !read_limit(line, &s->limit))
		return false;
	while (text.n > 0)
		if (!str_cut(text, '\n', &line, &text) || !read_line(line, s))
			return false;
	return s->lines > 0 && s->octets >= 0 && s->messages >= 0;
}

/* 1, or 0 if there is no file, or one that says nothing; -1: errno. */
static int
file_read(int box, struct said *s)
{
	int fd = sys_openat(box, FILE_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	char p[FILE_OCTETS_MAX + 1];
	struct stat st;
	ssize_t got;

	*s = (struct said){ .lines = 0 };
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == EISDIR ? 0 : -1;
	got = sys_fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ? 0 :
	    sys_pread(fd, p, sizeof(p), 0);
	sys_close(fd);
	if (got < 0)
		return -1;
	s->changed = st.st_mtim.tv_sec;
	return got > 0 && got <= FILE_OCTETS_MAX &&
	    read_all(str_n(p, (size_t)got), s);
}

static void
file_remove(int box)
{
	int e = errno;

	(void)!sys_unlinkat(box, FILE_NAME);
	errno = e;
}

static int
write_to(int fd, const struct usage_limit *l, const struct usage *u)
{
	struct buf b;
	int r;

	buf_init(&b, 256);
	if (l->octets > 0)
		buf_addf(&b, "%lluS", (unsigned long long)l->octets);
	if (l->messages > 0)
		buf_addf(&b, "%s%lluC", b.n > 0 ? "," : "",
		    (unsigned long long)l->messages);
	buf_addf(&b, "\n%llu %llu\n", (unsigned long long)u->octets,
	    (unsigned long long)u->messages);
	r = sys_write_all(fd, b.p, b.n);
	buf_free(&b);
	return r;
}

/* A file that is new.  Not durable: after a power cut all is counted again. */
static int
file_replace(int box, const struct usage_limit *l, const struct usage *u)
{
	int tmp = mailbox_dir(box, "tmp", true), fd, r = -1, e;
	struct buf name;
	uint64_t luck;

	if (tmp < 0)
		return -1;
	random_bytes(&luck, sizeof(luck));
	buf_init(&name, 128);
	buf_addf(&name, FILE_NAME ".%016llx", (unsigned long long)luck);
	fd = sys_openat(tmp, buf_cstr(&name),
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		r = write_to(fd, l, u);
		e = errno;
		sys_close(fd);
		errno = e;
		if (r == 0)
			r = sys_renameat(tmp, buf_cstr(&name), box, FILE_NAME);
		e = errno;
		if (r < 0)
			(void)!sys_unlinkat(tmp, buf_cstr(&name));
		errno = e;
	}
	e = errno;
	buf_free(&name);
	sys_close(tmp);
	errno = e;
	return r;
}

/* ---- counting --------------------------------------------------------------- */

/* A count under way; STAMP is of the directories that were read. */
struct count {
	struct usage u;
	uint64_t stamp;
	unsigned folders;
	bool only_stamp;
};

/* The octets of message NAME in DIR; 0: it is gone. */
static uint64_t
octets_of(int dir, const char *name)
{
	struct stat st;
	uint64_t n;

	if (maildir_said_octets(name, &n))
		return n;
	return sys_fstatat(dir, name, &st) == 0 && st.st_size > 0 ?
	    (uint64_t)st.st_size : 0;
}

static void
count_entries(struct entries *l, struct count *c)
{
	const struct dirent *e;

	while ((e = entries_next(l)) != NULL) {
		if (e->d_name[0] == '.' ||
		    (e->d_type != DT_REG && e->d_type != DT_UNKNOWN))
			continue;
		c->u.octets += octets_of(l->fd, e->d_name);
		c->u.messages++;
	}
}

/* Adds what is in SUB of FOLDER; one that is not there has nothing. */
static int
count_sub(int folder, const char *sub, struct count *c)
{
	struct stat st = { .st_ino = 0 };
	struct entries l;
	int r;

	if (entries_open(&l, folder, sub) < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? 0 : -1;
	r = sys_fstat(l.fd, &st);
	c->stamp = (c->stamp ^ (uint64_t)st.st_ino ^
	    (uint64_t)st.st_mtim.tv_sec << 30 ^
	    (uint64_t)st.st_mtim.tv_nsec) * UINT64_C(0x9e3779b97f4a7c15);
	if (r == 0 && !c->only_stamp)
		count_entries(&l, c);
	return entries_close(&l) < 0 ? -1 : r;
}

static int
count_folder(int folder, struct count *c)
{
	return count_sub(folder, "new", c) < 0 || count_sub(folder, "cur", c) < 0 ?
	    -1 : 0;
}

/* Maildir++: a folder is a directory whose name begins with a dot. */
static int
count_named(int box, const char *name, struct count *c)
{
	int folder, r, e;

	if (name[0] != '.' || ++c->folders > FOLDERS_MAX)
		return 0;
	folder = sys_openat(box, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (folder < 0)
		return errno == EMFILE || errno == ENFILE || errno == EIO ? -1 : 0;
	r = count_folder(folder, c);
	e = errno;
	sys_close(folder);
	errno = e;
	return r;
}

static int
count_all(int box, struct count *c)
{
	const struct dirent *e;
	struct entries l;
	int r = 0;

	if (count_folder(box, c) < 0 || entries_open(&l, box, ".") < 0)
		return -1;
	while (r == 0 && (e = entries_next(&l)) != NULL)
		if (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN)
			r = count_named(box, e->d_name, c);
	return entries_close(&l) < 0 ? -1 : r;
}

int
usage_count(int box, struct usage *u)
{
	struct count c = { .stamp = 0 };

	if (count_all(box, &c) < 0)
		return -1;
	*u = c.u;
	return 0;
}

/* Counts, and keeps it in a new file if nothing changed meanwhile. */
static int
count_anew(int box, const struct usage_limit *l, struct usage *u)
{
	for (int i = 0; i < COUNTS_MAX; i++) {
		struct count c = { .stamp = 0 }, then = { .only_stamp = true };

		if (count_all(box, &c) < 0 || count_all(box, &then) < 0)
			return -1;
		*u = c.u;
		if (c.stamp == then.stamp) {
			/* A disk that is full has no room for this, either. */
			(void)!file_replace(box, l, u);
			return 0;
		}
	}
	/* What it says is of no use now. */
	file_remove(box);
	return 0;
}

/* ---- asking and telling ------------------------------------------------------- */

int
usage_look(int box, const struct usage_limit *l, uint64_t octets,
    struct usage *u, bool *fits)
{
	int64_t now = clock_wall();
	struct said s;
	int r = file_read(box, &s);

	if (r <= 0)
		return r;
	*u = (struct usage){ (uint64_t)s.octets, (uint64_t)s.messages };
	*fits = usage_fits(l, u, octets);
	if (s.limit.octets != l->octets || s.limit.messages != l->messages)
		return 0;
	return *fits || (s.lines == 1 && s.changed <= now &&
	    now - s.changed < FRESH);
}

int
usage_ask(int box, const struct usage_limit *l, uint64_t octets,
    struct usage *u, bool *fits)
{
	int r = usage_look(box, l, octets, u, fits);

	if (r != 0)
		return r;
	if (count_anew(box, l, u) < 0)
		return -1;
	*fits = usage_fits(l, u, octets);
	return 1;
}

void
usage_add(int box, int64_t octets, int64_t messages)
{
	int e = errno, fd = sys_openat(box, FILE_NAME,
	    O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	struct buf b;

	if (fd < 0) {
		if (errno != ENOENT)
			file_remove(box);
		errno = e;
		return;
	}
	buf_init(&b, LINE_OCTETS_MAX);
	buf_addf(&b, "%lld %lld\n", (long long)octets, (long long)messages);
	if (sys_write_all(fd, b.p, b.n) < 0)
		file_remove(box);
	buf_free(&b);
	sys_close(fd);
	errno = e;
}
