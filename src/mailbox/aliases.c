/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * aliases -- the files of aliases(5), read with all that they include.
 *
 * Whoever can write such a file says where mail goes.  One that everybody can
 * write is not believed, one that is no plain file not opened for longer than
 * it takes to see that (CONFORMANCE S-52).  A file that is included and cannot
 * be read makes those wait who stand in it, and nobody else.
 */

#include "mailbox/aliases.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "text_file.h"

/* What octets can become at worst: lines of "a:b". */
#define ARENA_MAX ((size_t)1 << 30)
/* What is made of one address. */
#define SCRATCH_MAX ((size_t)1 << 20)
/* More would hide the first, which matters. */
#define COMPLAINTS_MAX 100

struct alias {
	struct str name;
	struct alias_list list;
};

/* A file, and what it was when it was read. */
struct file {
	const char *path;
	struct stat st;		/* st_ino 0: it could not be read */
	struct alias_list list;	/* of one that is included */
	const char *wrong;	/* with it, or NULL */
};

struct aliases {
	struct arena arena;
	struct arena scratch;	/* while it is read */
	struct map *names;	/* folded name -> alias */
	struct alias **v;
	size_t n, size;
	struct file **files;
	size_t file_n;
	size_t octets;		/* that they have */
	struct buf *complaints;	/* while it is read */
	size_t complained;
};

static void
complain(struct aliases *a, const char *path, int line, const char *what)
{
	if (++a->complained > COMPLAINTS_MAX)
		return;
	if (line > 0)
		buf_addf(a->complaints, "%s:%d: %s\n", path, line, what);
	else
		buf_addf(a->complaints, "%s: %s\n", path, what);
}

/* ---- files -------------------------------------------------------------- */

static const char too_much[] = "all such files together have more than 16 MiB";

const char *
aliases_why_not(const char *path, size_t *octets)
{
	struct stat st = { .st_size = 0 };
	int fd;
	const char *why = text_file_open(path, &fd, &st);

	if (fd >= 0)
		close(fd);
	if (why == NULL && (uint64_t)st.st_size > ALIASES_OCTETS_MAX - *octets)
		why = too_much;
	if (why == NULL)
		*octets += (size_t)st.st_size;
	return why;
}

/* The text of the file at PATH, in the arena; F remembers what it was. */
static struct str
file_read(struct aliases *a, struct file *f)
{
	struct str text = STR("");
	struct buf b;
	int fd;

	buf_init(&b, ALIASES_OCTETS_MAX - a->octets + 65536);
	f->wrong = text_file_open(f->path, &fd, &f->st);
	if (f->wrong == NULL)
		f->wrong = text_file_read(fd, &b);
	if (f->wrong == NULL && (!buf_ok(&b) || b.n > ALIASES_OCTETS_MAX - a->octets))
		f->wrong = too_much;
	if (f->wrong == NULL) {
		a->octets += b.n;
		text = arena_str(&a->arena, buf_str(&b));
	} else
		f->wrong = arena_cstr(&a->arena, str_c(f->wrong));
	if (fd >= 0)
		close(fd);
	buf_free(&b);
	return text;
}

static struct file *
file_add(struct aliases *a, const char *path)
{
	struct file *f = arena_alloc(&a->arena, sizeof(*f));

	if (a->file_n % 64 == 0)
		a->files = mem_grow(a->files, a->file_n + 64,
		    sizeof(struct file *));
	f->path = path;
	a->files[a->file_n++] = f;
	return f;
}

static struct file *
file_find(const struct aliases *a, struct str path)
{
	for (size_t i = 0; i < a->file_n; i++)
		if (str_eq(str_c(a->files[i]->path), path))
			return a->files[i];
	return NULL;
}

/* ---- lists -------------------------------------------------------------- */

/* A list that grows; what it grew out of stays in the arena. */
static void
list_add(struct aliases *a, struct alias_list *l, size_t *size,
    const struct alias_target *t)
{
	struct alias_target *v;

	if (l->n == *size) {
		*size = *size > 0 ? 2 * *size : 4;
		v = arena_alloc(&a->arena, *size * sizeof(*v));
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
	}
	l->v[l->n++] = *t;
}

static void
include(struct aliases *a, struct str path, const char *by, int line)
{
	if (file_find(a, path) != NULL)
		return;
	if (a->file_n == ALIASES_FILES_MAX)
		complain(a, by, line, "more than 1000 files are included");
	else
		file_add(a, arena_cstr(&a->arena, path));
}

/* One that is no address says nothing, and nothing of the others of its list. */
static bool
is_sound(struct aliases *a, const struct alias_target *t, const char *path, int line)
{
	const char *why;
	struct path p;

	if (t->kind != ALIAS_ADDRESS)
		return true;
	arena_reset(&a->scratch);
	why = alias_address(t->text, &a->scratch, &p);
	if (why != NULL)
		complain(a, path, line, arena_printf(&a->scratch, "\"" STR_FMT
		    "\" is no address: %s", STR_ARG(t->text), why));
	return why == NULL;
}

/* Reads the targets of TEXT, which stands at LINE of F. */
static void
list_read(struct aliases *a, struct alias_list *l, size_t *size,
    struct str text, const struct file *f, int line)
{
	const char *path = f->path;
	struct alias_target t;
	const char *why;

	while ((why = alias_next(&text, &a->arena, &t)) != NULL ||
	    t.text.n > 0) {
		if (why == NULL && l->n == ALIAS_TARGETS_MAX)
			why = "there are more than 100000 targets";
		if (why != NULL) {
			complain(a, path, line, why);
			return;
		}
		if (!is_sound(a, &t, path, line))
			continue;
		if (t.kind == ALIAS_INCLUDE)
			include(a, t.text, path, line);
		t.owner = f->st.st_uid;
		list_add(a, l, size, &t);
	}
}

static void
read_included(struct aliases *a, struct file *f)
{
	struct str text = file_read(a, f), line;
	int number = 0, next = 0;
	size_t size = 0;

	if (f->wrong != NULL)
		complain(a, f->path, 0, f->wrong);
	while (alias_line(&text, &a->arena, &line, &number, &next))
		list_read(a, &f->list, &size, line, f, number);
}

/* ---- aliases ------------------------------------------------------------ */

static void
alias_add(struct aliases *a, struct str name, struct str targets,
    const struct file *f, int line)
{
	struct alias *al = arena_alloc(&a->arena, sizeof(*al));
	struct str key = arena_lower(&a->arena, name);
	size_t size = 0;

	al->name = name;
	list_read(a, &al->list, &size, targets, f, line);
	if (al->list.n == 0)
		complain(a, f->path, line, "no target stands behind the name");
	else if (map_get(a->names, key) != NULL)
		complain(a, f->path, line, "there is such an alias already: "
		    "the first counts");
	else {
		map_put(a->names, key, al);
		if (a->n == a->size) {
			a->size = a->size > 0 ? 2 * a->size : 64;
			a->v = mem_grow(a->v, a->size, sizeof(struct alias *));
		}
		a->v[a->n++] = al;
	}
}

static bool
read_aliases(struct aliases *a, const char *path)
{
	struct file *f = file_add(a, arena_cstr(&a->arena, str_c(path)));
	struct str text = file_read(a, f), line, name, targets;
	int number = 0, next = 0;

	if (f->wrong != NULL) {
		complain(a, path, 0, f->wrong);
		return false;
	}
	while (alias_line(&text, &a->arena, &line, &number, &next)) {
		const char *why = alias_split(line, &a->arena, &name, &targets);

		if (why == NULL && !name_is_plain(name))
			why = "the name is none that an address can have here: "
			      "expected 1 to 64 letters, digits and any of "
			      "\"._=+@-\"";
		if (why != NULL)
			complain(a, path, number, why);
		else
			alias_add(a, name, targets, f, number);
	}
	return true;
}

struct aliases *
aliases_load(const struct conf_strs *files, bool follow,
    struct buf *complaints)
{
	struct aliases *a = mem_alloc(sizeof(*a));
	bool all = true;

	arena_init(&a->arena, ARENA_MAX);
	arena_init(&a->scratch, SCRATCH_MAX);
	a->names = map_new();
	a->complaints = complaints;
	for (size_t i = 0; i < files->n; i++)
		all = read_aliases(a, files->v[i]) && all;
	/* What is included may include more. */
	for (size_t i = files->n; follow && i < a->file_n; i++)
		read_included(a, a->files[i]);
	arena_free(&a->scratch);
	a->complaints = NULL;
	if (all)
		return a;
	aliases_free(a);
	return NULL;
}

void
aliases_free(struct aliases *a)
{
	if (a == NULL)
		return;
	map_free(a->names);
	mem_free(a->v);
	mem_free(a->files);
	arena_free(&a->arena);
	mem_free(a);
}

/* ---- looking ------------------------------------------------------------ */

bool
aliases_changed(const struct aliases *a)
{
	for (size_t i = 0; i < a->file_n; i++) {
		const struct stat *was = &a->files[i]->st;
		struct stat st = { .st_ino = 0 };

		if (stat(a->files[i]->path, &st) < 0)
			st.st_ino = 0;
		if (st.st_ino != was->st_ino || (st.st_ino != 0 &&
		    (st.st_size != was->st_size || st.st_mode != was->st_mode ||
			st.st_ctim.tv_sec != was->st_ctim.tv_sec ||
			st.st_ctim.tv_nsec != was->st_ctim.tv_nsec)))
			return true;
	}
	return false;
}

struct search {
	const struct aliases *in;
	const struct alias *found;
};

static bool
try_name(void *arg, struct str name)
{
	struct search *s = arg;
	char folded[NAME_LEN_MAX];

	if (name.n > sizeof(folded))
		return false;
	for (size_t i = 0; i < name.n; i++)
		folded[i] = char_lower(name.p[i]);
	s->found = map_get(s->in->names, str_n(folded, name.n));
	return s->found != NULL;
}

const struct alias_list *
aliases_of(const struct aliases *a, struct str marks, const struct path *p)
{
	struct search s = { .in = a };

	return alias_any(marks, p, try_name, &s) ? &s.found->list : NULL;
}

const struct alias_list *
aliases_include(const struct aliases *a, struct str path, const char **why)
{
	const struct file *f = file_find(a, path);

	*why = f != NULL ? f->wrong : "it was not read";
	return *why == NULL ? &f->list : NULL;
}

bool
aliases_next(const struct aliases *a, size_t *at, struct str *name,
    const struct alias_list **list)
{
	if (*at >= a->n)
		return false;
	*name = a->v[*at]->name;
	*list = &a->v[(*at)++]->list;
	return true;
}
