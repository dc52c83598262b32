/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * size -- how many octets a message has when it is sent (RFC 1939 11).
 *
 * A name that we made says it, ",S=octets in the file,W=octets sent", and is
 * believed where the file still has S octets: so a large mailbox is listed
 * without opening a file.  Names of other programs say it too, and some
 * count otherwise: a lone CR, a last line without an end.  Those files are
 * read, up to a limit for each session; the names behind it are believed on
 * the same condition.  What says nothing, or is not true, is read, unless an
 * earlier session has (known.c).
 *
 * A message that is fetched is counted before, whatever its name says.
 */

#include <errno.h>

#include "lib/mem.h"
#include "lib/sys.h"
#include "mailbox.h"

/* Of what others have named a session reads so much, in doubt only. */
#define DOUBT_MAX (UINT64_C(32) << 20)
/* To open a file costs as much as to read so much. */
#define OPEN_COST (16 << 10)

/* What a name says. */
struct said {
	uint64_t stored, sent;
	bool has_stored, has_sent;
};

static void
take_number(struct str word, const char *key, uint64_t *v, bool *has)
{
	if (!*has && str_starts(word, str_c(key)))
		*has = str_u64(str_skip(word, 2), INT64_MAX / 4, v) == 0;
}

/* True if NAME has both sizes, and they may be of one message. */
static bool
says(const char *name, struct said *s)
{
	struct str rest = maildir_fixed(name), word;

	*s = (struct said){ 0 };
	str_cut(rest, ',', &word, &rest);
	while (rest.n > 0) {
		str_cut(rest, ',', &word, &rest);
		take_number(word, "S=", &s->stored, &s->has_stored);
		take_number(word, "W=", &s->sent, &s->has_sent);
	}
	return s->has_stored && s->has_sent && s->sent >= s->stored &&
	    s->sent <= 2 * s->stored + 2;
}

bool
maildir_said_octets(const char *name, uint64_t *octets)
{
	struct said s;

	(void)says(name, &s);
	*octets = s.stored;
	return s.has_stored;
}

/* True if NAME is one of maildir_deliver(): 1763683200.Q0651F...R0.host */
static bool
is_ours(const char *name)
{
	static const char digits[] = "0123456789", id[] = "0123456789ABCDEF";
	size_t n = strspn(name, digits);

	if (n == 0 || name[n] != '.' || name[n + 1] != 'Q')
		return false;
	name += n + 2;
	name += strspn(name, id);
	return name[0] == 'R' && strspn(name + 1, digits) > 0;
}

/* What the file of E is now; false if it is gone. */
static bool
look(struct maildir *m, struct maildir_entry *e, struct stat *st)
{
	return sys_fstatat(maildir_dir_of(m, e), e->name, st) == 0 ||
	    (errno == ENOENT && maildir_find_again(m, e) == 0 &&
	    sys_fstatat(maildir_dir_of(m, e), e->name, st) == 0);
}

/* True if a session may still read a file of so many octets in doubt only. */
static bool
may_doubt(struct maildir *m, uint64_t octets)
{
	if (m->doubted + octets + OPEN_COST >= DOUBT_MAX)
		return false;
	m->doubted += octets + OPEN_COST;
	return true;
}

/* Takes E's size from its name, or an earlier session, if that can be believed. */
static bool
believe(struct maildir *m, struct maildir_entry *e)
{
	struct stat st;
	struct said s;
	bool told = says(e->name, &s);

	if ((!told && !known_any(m)) || !look(m, e, &st) ||
	    !S_ISREG(st.st_mode) || st.st_size < 0)
		return false;
	told = told && (uint64_t)st.st_size == s.stored;
	if ((!told || !is_ours(e->name)) &&
	    known_size(m, e, &st, &e->size)) {
		e->sized = true;
		return true;
	}
	if (!told || (!is_ours(e->name) && may_doubt(m, s.stored)))
		return false;
	e->size = s.sent;
	e->sized = true;
	return true;
}

int
maildir_count(struct maildir *m, size_t i, int fd, uint64_t *size)
{
	struct maildir_entry *e = &m->v[i];
	struct wire w = { 0 };
	off_t at = 0;
	ssize_t got;
	char *p = mem_room(MAILDIR_CHUNK);

	/* A plain file gives less than was asked for at its end only. */
	do {
		got = sys_pread(fd, p, MAILDIR_CHUNK, at);
		if (got > 0)
			wire_count(&w, str_n(p, (size_t)got));
		at += got;
	} while (got == MAILDIR_CHUNK);
	mem_free(p);
	if (got < 0)
		return -1;
	e->size = *size = wire_octets(&w);
	e->sized = true;
	return 0;
}

int
maildir_size(struct maildir *m, size_t i, uint64_t *size)
{
	struct maildir_entry *e = &m->v[i];
	int fd, r, error;
	struct stat st;

	if (!e->sized && m->far >= 0)
		return far_size(m, i, size);
	if (!e->sized && !believe(m, e)) {
		if ((fd = maildir_read_stat(m, i, &st)) < 0)
			return -1;
		r = maildir_count(m, i, fd, size);
		if (r == 0)
			known_add(m, e, &st);
		error = errno;
		sys_close(fd);
		errno = error;
		return r;
	}
	*size = e->size;
	return 0;
}
