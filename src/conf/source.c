/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * source -- the files that a configuration is made of.
 *
 * include() takes a file or a pattern, relative to the file that names it;
 * what a pattern matches is read in the order of the names, and a pattern
 * that matches nothing is fine.  A file that includes itself, by whatever
 * way, is an error.  Only regular files are read.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "private.h"

/* The file FD of ST's size as text on the heap; NULL with errno. */
static char *
read_all(int fd, const struct stat *st, size_t *n)
{
	size_t size = (size_t)st->st_size;
	char *text = mem_alloc(size + 1);
	ssize_t got;

	*n = 0;
	while (*n < size) {
		got = sys_read(fd, text + *n, size - *n);
		if (got < 0) {
			mem_free(text);
			return NULL;
		}
		if (got == 0)
			break;
		*n += (size_t)got;
	}
	return text;
}

static bool
is_open(const struct source *s, const struct stat *st)
{
	for (; s; s = s->parent)
		if (s->ino == (uint64_t)st->st_ino &&
		    s->dev == (uint64_t)st->st_dev)
			return true;
	return false;
}

/* What is wrong with reading the file, in English, or NULL. */
static const char *
refuse(const struct source *parent, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if ((uint64_t)st->st_size > CONF_FILE_MAX)
		return "is too large, expected at most 4MB";
	if (is_open(parent, st))
		return "includes itself";
	return NULL;
}

static bool
run_file(struct lexer *lx, const struct source *parent, const char *path,
    int fd, const struct stat *st)
{
	struct source s = { .parent = parent,
		.line = 1,
		.dev = (uint64_t)st->st_dev,
		.ino = (uint64_t)st->st_ino };
	size_t n;
	char *text = read_all(fd, st, &n);
	bool ok;

	if (!text) {
		conf_complain(lx->error, (struct conf_place){ path, 1 },
		    "cannot read: %s", strerror(errno));
		return false;
	}
	s.name = arena_cstr(lx->arena, str_c(path));
	s.text = str_n(text, n);
	ok = lexer_run(lx, &s);
	mem_wipe(text, n); /* it may hold passwords */
	mem_free(text);
	return ok;
}

/* PLACE is that of the include, or of the file itself. */
static bool
read_file(struct lexer *lx, const struct source *parent,
    struct conf_place place, const char *path)
{
	struct stat st;
	const char *why;
	bool ok = false;
	int fd;

	fd = sys_openat(
	    AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0 || sys_fstat(fd, &st) < 0) {
		conf_complain(lx->error, place,
		    "cannot open \"%s\": %s, expected a file that "
		    "can be read",
		    path, strerror(errno));
	} else if ((why = refuse(parent, &st))) {
		conf_complain(lx->error, place, "\"%s\" %s", path, why);
	} else {
		ok = run_file(lx, parent, path, fd, &st);
	}
	if (fd >= 0)
		(void)sys_close(fd);
	return ok;
}

bool
conf_source_read(struct lexer *lx, const char *path)
{
	return read_file(lx, NULL, (struct conf_place){ path, 1 }, path);
}

/* The directory of NAME, with what glob(3) expands escaped, then PATTERN. */
static void
add_path(struct buf *b, const char *name, const char *pattern, bool escape)
{
	ptrdiff_t slash = str_rfind(str_c(name), '/'), i;

	if (pattern[0] != '/') {
		for (i = 0; i <= slash; i++) {
			if (escape && strchr("*?[]\\", name[i]))
				buf_addc(b, '\\');
			buf_addc(b, name[i]);
		}
	}
	buf_adds(b, pattern);
}

static bool
read_glob(struct lexer *lx, const struct source *s, struct conf_place place,
    const char *pattern)
{
	glob_t g;
	size_t i;
	bool ok = true;
	int e;

	e = glob(pattern, 0, NULL, &g);
	if (e == GLOB_NOMATCH)
		return true;
	if (e != 0) {
		conf_complain(lx->error, place,
		    "cannot search \"%s\", expected directories that "
		    "can be read",
		    pattern);
		return false;
	}
	for (i = 0; ok && i < g.gl_pathc; i++)
		ok = read_file(lx, s, place, g.gl_pathv[i]);
	globfree(&g);
	return ok;
}

static unsigned
depth(const struct source *s)
{
	unsigned n = 0;

	for (; s; s = s->parent)
		n++;
	return n;
}

bool
conf_source_include(struct lexer *lx, const struct source *s,
    struct conf_place place, const char *pattern)
{
	bool many = strpbrk(pattern, "*?[") != NULL;
	struct buf path;
	bool ok;

	if (!lx->may_include) {
		conf_complain(lx->error, place,
		    "include() is not possible here, expected the "
		    "text itself");
		return false;
	}
	if (pattern[0] == '\0') {
		conf_complain(
		    lx->error, place, "include() of nothing, expected a file");
		return false;
	}
	if (depth(s) > CONF_INCLUDE_DEPTH) {
		conf_complain(lx->error, place,
		    "includes are nested too deeply, expected at "
		    "most %d",
		    CONF_INCLUDE_DEPTH);
		return false;
	}
	buf_init(&path, 2 * CONF_VALUE_MAX);
	add_path(&path, s->name, pattern, many);
	if (many)
		ok = read_glob(lx, s, place, buf_cstr(&path));
	else
		ok = read_file(lx, s, place, buf_cstr(&path));
	buf_free(&path);
	return ok;
}
