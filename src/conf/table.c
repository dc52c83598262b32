/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table -- files of addresses and what they become.
 *
 * Whoever can write such a file says where mail goes, so that one which everybody
 * can write is not believed.  It is read whole into a map, and costs time and
 * memory by its octets alone: what stands behind a key is checked then and kept as
 * text for whoever asks, since there may be a hundred thousand of which few matter.
 */

#include "conf/table.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/map.h"
#include "lib/mem.h"

#include "private.h"
#include "recipients.h"

#define PIECE 65536
/* Entries, keys and texts, of lines of three octets at worst. */
#define ARENA_FACTOR 32
/* A key, and up to a thousand addresses of those that people have. */
#define LINE_MAX_OCTETS 65536
/* More would hide the first, which matters. */
#define COMPLAINTS_MAX 100
#define ADDRESS_MAX 1000

struct conf_table {
	struct arena arena;
	struct map *entries;	/* folded key -> struct conf_table_entry */
};

/* A file being read. */
struct reading {
	const struct conf *conf;
	struct conf_table *table;
	const char *path;
	conf_table_take *take;
	struct arena scratch;	/* of one line */
	struct buf *complaints;
	size_t complained;
};

static void
complain(struct reading *r, int line, const char *what, struct str text)
{
	if (++r->complained > COMPLAINTS_MAX)
		return;
	text = str_head(text, 200);
	buf_addf(r->complaints, "%s:%d: \"" STR_FMT "\" %s\n", r->path, line, STR_ARG(text),
	    what);
}

/* True if LOCAL@DOMAIN is an address; a half that is empty is fine. */
static bool
is_address(struct str local, struct str domain)
{
	struct buf b;
	bool good;

	buf_init(&b, ADDRESS_MAX);
	buf_add(&b, local.n > 0 ? local : STR("x"));
	buf_addc(&b, '@');
	buf_add(&b, domain.n > 0 ? domain : STR("example.org"));
	good = buf_ok(&b) && conf_name_is_mailbox(buf_str(&b));
	buf_free(&b);
	return good;
}

static void
halves(struct str address, struct str *local, struct str *domain)
{
	ptrdiff_t at = str_rfind(address, '@');

	*local = at < 0 ? address : str_head(address, (size_t)at);
	*domain = at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

/* The first of domains, which what is written without one has. */
static const char *
home_of(const struct conf *c)
{
	return c->domains.n > 0 ? c->domains.v[0] : c->hostname;
}

const char *
conf_table_address(const struct conf *c, struct arena *a, struct str *to)
{
	struct str local, domain;

	halves(*to, &local, &domain);
	if (to->n == 0)
		return "has nothing behind it, expected an address";
	if (str_ends(*to, STR("@")) || !is_address(local, domain))
		return "is no address, expected one, or \"@domain\"";
	if (str_find(*to, '@') < 0)
		*to = str_c(arena_printf(a, STR_FMT "@%s", STR_ARG(*to), home_of(c)));
	return NULL;
}

static void
take(struct reading *r, int line, struct str text)
{
	struct str key = str_word(&text), to = str_trim(text), local, domain, was = to;
	struct arena *a = &r->table->arena;
	struct conf_table_entry *e;
	const char *why;

	halves(key, &local, &domain);
	if (!is_address(local, domain) || str_ends(key, STR("@"))) {
		complain(r, line, "is no key, expected \"user@domain\", \"user\" or "
		    "\"@domain\"", key);
		return;
	}
	arena_reset(&r->scratch);
	why = r->take(r->conf, &r->scratch, &to);
	if (why != NULL) {
		complain(r, line, why, was.n == 0 ? key : was);
		return;
	}
	key = arena_lower(&r->scratch, key);
	if (map_get(r->table->entries, key) != NULL) {
		complain(r, line, "stands there before, expected each key once", key);
		return;
	}
	e = arena_alloc(a, sizeof(*e));
	*e = (struct conf_table_entry){ .to = arena_cstr(a, to), .line = line,
		.all = str_starts(key, STR("@")) };
	(void)map_put(r->table->entries, key, e);
}

static bool
is_white(char c)
{
	return c == ' ' || c == '\t';
}

/* The next logical line of *REST, in B; its number, or 0 at the end. */
static int
next_line(struct str *rest, int *line, struct buf *b)
{
	struct str physical;
	int first = 0;

	buf_reset(b);
	while (rest->n > 0) {
		if (first > 0 && rest->p[0] != '#' && !is_white(rest->p[0]) &&
		    rest->p[0] != '\n' && rest->p[0] != '\r')
			break;
		(void)str_cut(*rest, '\n', &physical, rest);
		++*line;
		if (str_trim(physical).n == 0 || str_trim(physical).p[0] == '#')
			continue;
		if (first == 0)
			first = *line;
		else
			buf_addc(b, ' ');
		buf_add(b, str_trim(physical));
	}
	return first;
}

static void
take_all(struct reading *r, struct str text)
{
	struct buf b;
	int at = 0, line;

	buf_init(&b, LINE_MAX_OCTETS);
	while ((line = next_line(&text, &at, &b)) > 0) {
		if (!buf_ok(&b))
			complain(r, line, "is too long, expected a key and what it becomes",
			    str_head(buf_str(&b), 40));
		else
			take(r, line, buf_str(&b));
	}
	buf_free(&b);
}

/* ---- the file ------------------------------------------------------------------------ */

static const char *
why_not(int fd, struct stat *st)
{
	if (fd < 0 || fstat(fd, st) < 0)
		return strerror(errno);
	if (!S_ISREG(st->st_mode))
		return "it is no plain file";
	if ((st->st_mode & S_IWOTH) != 0)
		return "everybody can write it, expected a file that only its owner and "
		       "group can";
	if ((uint64_t)st->st_size > CONF_TABLE_OCTETS_MAX)
		return "it is too large, expected at most 64MB";
	return NULL;
}

static const char *
read_text(int fd, struct buf *text)
{
	for (;;) {
		char *room = buf_room(text, PIECE);
		ssize_t n = room != NULL ? read(fd, room, PIECE) : -1;

		if (room == NULL)
			return "it is too large, expected at most 64MB";
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? NULL : strerror(errno);
		buf_grew(text, (size_t)n);
	}
}

static void blame_file(const struct conf *c, const char *path, const char *why,
    struct buf *complaints);

/* All of the file at PATH, or a complaint.  TEXT is to be freed either way. */
static bool
read_file(const struct conf *c, const char *path, struct buf *text, struct buf *complaints)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	const char *why = why_not(fd, &st);

	buf_init(text, CONF_TABLE_OCTETS_MAX + PIECE);
	if (why == NULL)
		why = read_text(fd, text);
	if (fd >= 0)
		close(fd);
	if (why != NULL)
		blame_file(c, path, why, complaints);
	return why == NULL;
}

/* TEXT is that of the file at PATH. */
static struct conf_table *
make(const struct conf *c, const char *path, struct str text, conf_table_take *take_text,
    struct buf *complaints)
{
	struct reading r = { .conf = c, .path = path, .take = take_text,
		.complaints = complaints };

	r.table = mem_alloc(sizeof(*r.table));
	arena_init(&r.table->arena, ARENA_FACTOR * CONF_TABLE_OCTETS_MAX);
	arena_init(&r.scratch, 64 * LINE_MAX_OCTETS);
	r.table->entries = map_new();
	take_all(&r, text);
	arena_free(&r.scratch);
	return r.table;
}

struct conf_table *
conf_table_read(const struct conf *c, const char *path, conf_table_take *take_text,
    struct buf *complaints)
{
	struct conf_table *t = NULL;
	struct buf text;

	if (read_file(c, path, &text, complaints))
		t = make(c, path, buf_str(&text), take_text, complaints);
	buf_free(&text);
	return t;
}

void
conf_table_free(struct conf_table *t)
{
	if (t == NULL)
		return;
	map_free(t->entries);
	arena_free(&t->arena);
	mem_free(t);
}

size_t
conf_table_count(const struct conf_table *t)
{
	return map_count(t->entries);
}

/* ---- looking ------------------------------------------------------------------------- */

const struct conf_table_entry *
conf_table_get(const struct conf_table *t, struct str key)
{
	const struct conf_table_entry *e;
	struct buf b;

	buf_init(&b, ADDRESS_MAX);
	buf_add_lower(&b, key);
	e = buf_ok(&b) ? map_get(t->entries, buf_str(&b)) : NULL;
	buf_free(&b);
	return e;
}

static const struct conf_table_entry *
get_whole(const struct conf_table *t, struct str local, struct str domain)
{
	const struct conf_table_entry *e;
	struct buf b;

	buf_init(&b, ADDRESS_MAX);
	buf_add(&b, local);
	buf_addc(&b, '@');
	buf_add(&b, domain);
	e = buf_ok(&b) ? conf_table_get(t, buf_str(&b)) : NULL;
	buf_free(&b);
	return e;
}

/* Octets of LOCAL before its detail; all of them: it has none. */
static size_t
base_length(struct str local, struct str marks)
{
	for (size_t i = 1; i < local.n; i++)
		if (str_find(marks, local.p[i]) >= 0)
			return i;
	return local.n;
}

const struct conf_table_entry *
conf_table_find(const struct conf_table *t, struct str local, struct str domain, bool ours,
    struct str marks, struct str *detail)
{
	size_t base = base_length(local, marks);
	struct str name = str_head(local, base);
	const struct conf_table_entry *e = get_whole(t, local, domain);

	*detail = STR("");
	if (e == NULL && ours)
		e = conf_table_get(t, local);
	if (e != NULL)
		return e;
	if (base < local.n) {
		e = get_whole(t, name, domain);
		if (e == NULL && ours)
			e = conf_table_get(t, name);
	}
	if (e != NULL) {
		/* Where the user stays it has its detail already. */
		if (e->to[0] != '@')
			*detail = str_skip(local, base);
		return e;
	}
	return get_whole(t, STR(""), domain);
}

void
conf_table_halves(const struct conf_table_entry *e, struct str *local, struct str *domain)
{
	halves(str_c(e->to), local, domain);
}

/* ---- of a configuration -------------------------------------------------------------- */

/* A section that has a file. */
struct place_of_use {
	const char *path;	/* "": it has none */
	conf_table_take *take;
	struct conf_table **loaded;
	const char *section, *pattern;
	struct conf_place place;
};

/* A section that was not read to its end has no path at all. */
static bool
is_used(const struct place_of_use *u)
{
	return u->path != NULL && u->path[0] != '\0';
}

static size_t
use_n(const struct conf *c)
{
	return c->rewrite_n + c->rule_n;
}

/* Section I, those of rewrite first. */
static struct place_of_use
use_at(const struct conf *c, size_t i)
{
	if (i < c->rewrite_n) {
		struct conf_rewrite *w = &c->rewrites[i];

		return (struct place_of_use){ w->table, conf_table_address, &w->entries, "rewrite",
			w->pattern, conf_where(c, &w->table, w->place) };
	}
	struct conf_recipient *r = &c->rules[i - c->rewrite_n];

	return (struct place_of_use){ r->table, conf_row_take, &r->rows, "recipient", r->pattern,
		conf_where(c, &r->table, r->place) };
}

/* WHY the file at PATH cannot be had, with the first section that names it. */
static void
blame_file(const struct conf *c, const char *path, const char *why, struct buf *complaints)
{
	const char *expected = strstr(why, "expected") ? "" : ", expected a file of addresses";

	for (size_t i = 0; i < use_n(c); i++) {
		struct place_of_use u = use_at(c, i);

		if (!is_used(&u) || strcmp(u.path, path) != 0)
			continue;
		conf_complain(complaints, u.place, "%s.%s.table: %s: %s%s", u.section, u.pattern,
		    path, why, expected);
		return;
	}
	buf_addf(complaints, "%s: %s\n", path, why);
}

/* The section before section I that has its file in the same form; I: none. */
static size_t
first_use(const struct conf *c, size_t i)
{
	struct place_of_use of = use_at(c, i), u;

	for (size_t k = 0; k < i; k++) {
		u = use_at(c, k);
		if (u.take == of.take && is_used(&u) && strcmp(u.path, of.path) == 0)
			return k;
	}
	return i;
}

/* Section I is the first that has its file in its form. */
static bool
is_first_use(const struct conf *c, size_t i)
{
	struct place_of_use u = use_at(c, i);

	return is_used(&u) && first_use(c, i) == i;
}

void
conf_tables_check(const struct conf *c, struct buf *error)
{
	for (size_t i = 0; i < use_n(c); i++) {
		struct place_of_use u = use_at(c, i);

		if (is_first_use(c, i))
			conf_table_free(conf_table_read(c, u.path, u.take, error));
	}
}

/* The file of U, if there is nothing wrong with it, behind those that FD has.  -1: errno. */
static int
keep_use(const struct conf *c, struct place_of_use u, int fd, struct buf *error)
{
	size_t before = error->n;
	struct buf text;
	int r = 0;

	if (read_file(c, u.path, &text, error))
		conf_table_free(make(c, u.path, buf_str(&text), u.take, error));
	if (error->n == before)
		r = conf_keep_table(fd, u.path, buf_str(&text));
	buf_free(&text);
	return r;
}

int
conf_tables_keep(const struct conf *c, int kept, struct buf *error)
{
	size_t before = error->n;
	int fd = conf_keep_again(kept), r = 0;

	for (size_t i = 0; i < use_n(c) && fd >= 0 && r == 0; i++)
		if (is_first_use(c, i))
			r = keep_use(c, use_at(c, i), fd, error);
	if (fd >= 0 && (r < 0 || error->n > before)) {
		int err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return fd < 0 ? -1 : conf_keep_end(fd);
}

/* That of U as it is now, or the next of those that were KEPT. */
static struct conf_table *
load(const struct conf *c, struct place_of_use u, struct str *kept, struct buf *error)
{
	struct str text;

	if (kept == NULL)
		return conf_table_read(c, u.path, u.take, error);
	if (conf_kept_table(kept, u.path, &text))
		return make(c, u.path, text, u.take, error);
	buf_addf(error, "%s: what was kept of it is broken\n", u.path);
	return NULL;
}

static int
load_all(struct conf *c, struct str *kept, struct buf *error)
{
	int r = 0;

	for (size_t i = 0; i < use_n(c); i++) {
		struct place_of_use u = use_at(c, i);
		size_t first;

		if (!is_used(&u))
			continue;
		first = first_use(c, i);
		*u.loaded = first < i ? *use_at(c, first).loaded : load(c, u, kept, error);
		if (*u.loaded == NULL)
			r = -1;
	}
	return r;
}

int
conf_tables_load(struct conf *c, struct buf *error)
{
	return load_all(c, NULL, error);
}

int
conf_tables_take(struct conf *c, struct str kept, struct buf *error)
{
	size_t before = error->n;

	/* There was nothing wrong with them when they were kept. */
	return load_all(c, &kept, error) < 0 || error->n > before ? -1 : 0;
}

void
conf_tables_free(struct conf *c)
{
	for (size_t i = use_n(c); i-- > 0;) {
		struct place_of_use u = use_at(c, i);

		if (is_first_use(c, i))
			conf_table_free(*u.loaded);
		*u.loaded = NULL;
	}
}

uint64_t
conf_tables_stamp(const struct conf *c)
{
	uint64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < use_n(c); i++) {
		const char *path = use_at(c, i).path;

		if (path[0] == '\0')
			continue;
		memset(&st, 0, sizeof(st));
		(void)stat(path, &st);
		const uint64_t facts[] = { st.st_ino, (uint64_t)st.st_size,
			(uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec };
		sum = sum * 31 + fnv1a(FNV1A_START, str_n((const char *)facts, sizeof(facts)));
	}
	return sum;
}
