/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * members -- the file of the members of a mailing list.
 *
 * Whoever can write it says who gets the mail: one that everybody can write is
 * not believed, as none of aliases is (CONFORMANCE S-52).  It is read whole
 * each time, so that what was changed counts at once.
 */

#include "mailbox/members.h"

#include <unistd.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "text_file.h"

#define ARENA_MAX ((size_t)256 << 20)
/* More would hide the first, which matters. */
#define COMPLAINTS_MAX 100

struct members {
	struct arena arena;
	struct map *known;
	struct member *v;
	size_t n, size;
	const char *path;	/* while it is read */
	struct buf *complaints;
	size_t complained;
};

static void
complain(struct members *m, int line, const char *what)
{
	if (++m->complained > COMPLAINTS_MAX)
		return;
	if (line > 0)
		buf_addf(m->complaints, "%s:%d: %s\n", m->path, line, what);
	else
		buf_addf(m->complaints, "%s: %s\n", m->path, what);
}

/* ---- lines -------------------------------------------------------------- */

static struct str
key_of(struct arena *a, const struct path *p)
{
	return arena_lower(a, path_str(a, p));
}

static void
add(struct members *m, const struct member *member, int line)
{
	static char is;

	if (m->n == MEMBERS_MAX) {
		complain(m, line, "more than 500000 members");
		return;
	}
	if (map_put(m->known, key_of(&m->arena, &member->path), &is) != NULL) {
		complain(m, line, "the address stands there already");
		return;
	}
	if (m->n == m->size) {
		m->size = m->size > 0 ? 2 * m->size : 64;
		m->v = mem_grow(m->v, m->size, sizeof(*m->v));
	}
	m->v[m->n++] = *member;
}

static void
read_line(struct members *m, struct str line, int number)
{
	struct member member = { .no_mail = false };
	struct str address = str_word(&line), word;
	const char *why;

	if (address.n == 0 || address.p[0] == '#')
		return;
	why = path_parse_addr(address, PATH_UTF8, &m->arena, &member.path);
	if (why != NULL) {
		complain(m, number, arena_printf(&m->arena, "\"" STR_FMT
		    "\" is no address: %s", STR_ARG(address), why));
		return;
	}
	while ((word = str_word(&line)).n > 0 && word.p[0] != '#') {
		if (str_ieq(word, STR("disabled")))
			return;
		if (!str_ieq(word, STR("no-mail"))) {
			complain(m, number, arena_printf(&m->arena, "\"" STR_FMT
			    "\" is unknown, expected no-mail or disabled",
			    STR_ARG(word)));
			return;
		}
		member.no_mail = true;
	}
	add(m, &member, number);
}

/* ---- the file ----------------------------------------------------------- */

static const char too_much[] = "it has more than 16 MiB";

static const char *
read_file(const char *path, struct buf *text)
{
	struct stat st = { .st_size = 0 };
	int fd;
	const char *why = text_file_open(path, &fd, &st);

	if (why == NULL && st.st_size > (off_t)MEMBERS_OCTETS_MAX)
		why = too_much;
	if (why == NULL)
		why = text_file_read(fd, text);
	if (why == NULL && !buf_ok(text))
		why = too_much;
	if (fd >= 0)
		close(fd);
	return why;
}

struct members *
members_load(const char *path, struct buf *complaints)
{
	struct members *m = mem_alloc(sizeof(*m));
	struct str rest, line;
	struct buf text;
	const char *why;
	int number = 0;

	arena_init(&m->arena, ARENA_MAX);
	m->known = map_new();
	m->path = path;
	m->complaints = complaints;
	buf_init(&text, MEMBERS_OCTETS_MAX + 65536);
	why = read_file(path, &text);
	if (why != NULL)
		complain(m, 0, why);
	for (rest = buf_str(&text); why == NULL && rest.n > 0;) {
		str_cut(rest, '\n', &line, &rest);
		read_line(m, str_trim(line), ++number);
	}
	buf_free(&text);
	m->complaints = NULL;
	if (why == NULL)
		return m;
	members_free(m);
	return NULL;
}

void
members_free(struct members *m)
{
	if (m == NULL)
		return;
	map_free(m->known);
	mem_free(m->v);
	arena_free(&m->arena);
	mem_free(m);
}

size_t
members_count(const struct members *m)
{
	return m->n;
}

const struct member *
members_at(const struct members *m, size_t i)
{
	return &m->v[i];
}

bool
members_have(const struct members *m, const struct path *p)
{
	struct arena a;
	bool have;

	arena_init(&a, 65536);
	have = map_get(m->known, key_of(&a, p)) != NULL;
	arena_free(&a);
	return have;
}
