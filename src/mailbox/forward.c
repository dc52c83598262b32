/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * forward -- the file .forward in the home directory of an account.
 *
 * Who may write it sends the mail of that account where he likes, and runs
 * programs as it.  So it must be that account's own, a plain file with one
 * name that nobody else can write, and stand in a directory that is the same
 * account's, or root's, and not everybody's (CONFORMANCE S-52).  One that is not is
 * none, and said in the log: the mail stays with the account.
 */

#include "mailbox/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TARGETS_MAX 100

static const char *
why_no_home(const struct stat *st, uid_t uid)
{
	if (st->st_uid != uid && st->st_uid != 0)
		return "the home directory is another account's";
	if ((st->st_mode & S_IWOTH) != 0)
		return "everybody can write the home directory";
	return NULL;
}

static const char *
why_not(const struct stat *st, uid_t uid)
{
	if (!S_ISREG(st->st_mode))
		return "it is no plain file";
	if (st->st_uid != uid)
		return "it is another account's";
	if (st->st_nlink != 1)
		return "it has more than one name";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others can write it";
	if (st->st_size > FORWARD_MAX)
		return "it has more than 32 KiB";
	return NULL;
}

/* What the errno of opening something there comes to. */
static enum forward_state
state_of(int error, const char **why)
{
	if (error == ENOENT || error == ENOTDIR || error == EACCES)
		return FORWARD_NONE;
	*why = error == ELOOP ? "it is a symbolic link" : "it cannot be opened";
	return error == ELOOP ? FORWARD_NONE : FORWARD_LATER;
}

/* Octets as they come; a file that grows meanwhile is cut off. */
static enum forward_state
read_all(int fd, struct buf *text, const char **why)
{
	char p[4096];
	ssize_t n;

	while ((n = read(fd, p, sizeof(p))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(text, str_n(p, (size_t)n));
	if (n == 0 && buf_ok(text))
		return FORWARD_FOUND;
	*why = "it cannot be read";
	return FORWARD_LATER;
}

static enum forward_state
read_in(int dir, uid_t uid, struct buf *text, const char **why)
{
	enum forward_state state;
	struct stat st;
	int fd = openat(dir, FORWARD_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return state_of(errno, why);
	if (fstat(fd, &st) < 0) {
		*why = "it cannot be looked at";
		state = FORWARD_LATER;
	} else {
		*why = why_not(&st, uid);
		state = *why != NULL ? FORWARD_NONE : read_all(fd, text, why);
	}
	close(fd);
	return state;
}

enum forward_state
forward_read(const char *home, uid_t uid, struct buf *text, const char **why)
{
	enum forward_state state;
	struct stat st;
	int dir = open(home, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);

	*why = NULL;
	if (dir < 0)
		return state_of(errno, why);
	if (fstat(dir, &st) == 0 && (*why = why_no_home(&st, uid)) == NULL)
		state = read_in(dir, uid, text, why);
	else
		state = FORWARD_NONE;
	close(dir);
	return state;
}

/* ---- what it says ------------------------------------------------------------ */

static const char *
add_line(struct str line, struct arena *a, struct alias_list *list)
{
	struct alias_target t;
	const char *why;
	struct path p;

	while ((why = alias_next(&line, a, &t)) == NULL && t.text.n > 0) {
		if (t.kind == ALIAS_INCLUDE)
			return "it includes another file, which it may not";
		if (list->n == TARGETS_MAX)
			return "it has more than 100 targets";
		if (t.kind == ALIAS_ADDRESS && (why = alias_address(t.text, a, &p)) != NULL)
			return arena_printf(a, "\"" STR_FMT "\" is no address: %s",
			    STR_ARG(t.text), why);
		t.home = true;
		list->v[list->n++] = t;
	}
	return why;
}

const char *
forward_parse(struct str text, struct arena *a, struct alias_list *list)
{
	int number = 0, next = 0;
	const char *why = NULL;
	struct str line;

	list->v = arena_alloc(a, TARGETS_MAX * sizeof(*list->v));
	list->n = 0;
	while (why == NULL && alias_line(&text, a, &line, &number, &next))
		why = add_line(line, a, list);
	if (why != NULL)
		list->n = 0;
	return why;
}
