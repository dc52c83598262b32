/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * remap -- addresses made others, as the sections rewrite say.
 *
 * Pure functions.  The first section that fits decides, and what it makes is
 * not looked at again, so that nothing goes round in circles.  What would be too
 * long for an address is done without the detail, and else not at all.  In a
 * header the address is put where the old one stood, octet for octet.
 */

#include "queue/remap.h"

#include "lib/map.h"
#include "mail/header.h"

#define TEMPORARY (1U << 16)
/* Local part and domain of a path. */
#define KEY_MAX 1024

/* ---- addresses ------------------------------------------------------------------- */

static bool
came_by(const struct conf_rewrite *w, struct str listener)
{
	if (w->listener.n == 0)
		return true;
	for (size_t i = 0; i < w->listener.n; i++)
		if (str_eq(str_c(w->listener.v[i]), listener))
			return true;
	return false;
}

/* True if W is asked at all about mail like this. */
static bool
concerns(const struct remap *r, const struct conf_rewrite *w, unsigned what)
{
	const unsigned header = REWRITE_HEADER_SENDER | REWRITE_HEADER_RECIPIENT;

	return w->at == (int)r->at && (w->places & what) != 0 &&
	    (!r->stranger || w->strangers || (what & ~header) != 0) &&
	    came_by(w, r->listener);
}

/* What the table of W has for P, and the detail that stays with it. */
static const struct conf_table_entry *
look(const struct remap *r, const struct conf_rewrite *w, const struct path *p,
    struct str *detail)
{
	const struct conf *c = r->conf;

	if (w->entries == NULL)
		return NULL;
	return conf_table_find(w->entries, p->local, p->domain,
	    conf_is_local(c, p->domain), str_c(c->recipients.subaddress), detail);
}

static bool
fits(const struct remap *r, const struct conf_rewrite *w, const struct path *p)
{
	struct str detail;

	return pattern_fits(&w->of, p->local, p->domain) &&
	    (w->table[0] == '\0' || look(r, w, p, &detail) != NULL);
}

const struct conf_rewrite *
remap_find(const struct remap *r, unsigned what, const struct path *p)
{
	const struct conf *c = r->conf;

	if (path_is_null(p))
		return NULL;
	for (size_t i = 0; i < c->rewrite_n; i++)
		if (concerns(r, &c->rewrites[i], what) &&
		    fits(r, &c->rewrites[i], p))
			return &c->rewrites[i];
	return NULL;
}

struct path
remap_by(const struct remap *r, const struct conf_rewrite *w, struct arena *a,
    const struct path *p)
{
	struct str detail = STR("");
	const struct conf_table_entry *e = look(r, w, p, &detail);
	struct str local = str_c(w->local), domain = str_c(w->domain);
	struct path to = *p;

	if (e != NULL)
		conf_table_halves(e, &local, &domain);
	if (domain.n > 0)
		to.domain = arena_str(a, domain);
	if (local.n == 0)
		return path_check(&to) == NULL ? to : *p;
	to.local = str_c(arena_printf(a, STR_FMT STR_FMT, STR_ARG(local),
	    STR_ARG(detail)));
	if (path_check(&to) != NULL)
		to.local = arena_str(a, local);
	return path_check(&to) == NULL ? to : *p;
}

struct conf_place
remap_place(const struct remap *r, const struct conf_rewrite *w, const struct path *p)
{
	struct str detail;
	const struct conf_table_entry *e = look(r, w, p, &detail);

	return e != NULL ? (struct conf_place){ w->table, e->line } : w->place;
}

bool
remap_path(const struct remap *r, unsigned what, struct arena *a, struct path *p)
{
	const struct conf_rewrite *w = remap_find(r, what, p);
	struct path was = *p;

	if (w != NULL)
		*p = remap_by(r, w, a, p);
	return w != NULL && !path_eq(&was, p);
}

/* True the first time that P is put into SEEN. */
static bool
is_new(struct map *seen, const struct path *p)
{
	static char is;
	struct buf key;
	bool new;

	buf_init(&key, KEY_MAX);
	buf_add(&key, p->local);
	buf_addc(&key, '@');
	buf_add_lower(&key, p->domain);
	/* What is too long to compare is nobody else: twice is better than not at all. */
	new = !buf_ok(&key) || map_put(seen, buf_str(&key), &is) == NULL;
	buf_free(&key);
	return new;
}

void
remap_all(const struct remap *r, struct arena *a, struct envelope *e)
{
	struct map *seen = map_new();
	size_t n = 0;

	(void)remap_path(r, REWRITE_ENVELOPE_SENDER, a, &e->from);
	for (size_t i = 0; i < e->rcpt_n; i++) {
		struct envelope_rcpt *rcpt = &e->rcpts[n];
		bool other, new;

		*rcpt = e->rcpts[i];
		other = remap_path(r, REWRITE_ENVELOPE_RECIPIENT, a, &rcpt->path);
		new = is_new(seen, &rcpt->path);
		if (new || !other)
			n++;
	}
	e->rcpt_n = n;
	map_free(seen);
}

/* ---- headers --------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned what;
} fields[] = {
	{ "From", REWRITE_HEADER_SENDER },
	{ "Sender", REWRITE_HEADER_SENDER },
	{ "Reply-To", REWRITE_HEADER_SENDER },
	{ "Errors-To", REWRITE_HEADER_SENDER },
	{ "Return-Receipt-To", REWRITE_HEADER_SENDER },
	{ "Disposition-Notification-To", REWRITE_HEADER_SENDER },
	{ "Resent-From", REWRITE_HEADER_SENDER },
	{ "Resent-Sender", REWRITE_HEADER_SENDER },
	{ "Resent-Reply-To", REWRITE_HEADER_SENDER },
	{ "To", REWRITE_HEADER_RECIPIENT },
	{ "Cc", REWRITE_HEADER_RECIPIENT },
	{ "Bcc", REWRITE_HEADER_RECIPIENT },
	{ "Resent-To", REWRITE_HEADER_RECIPIENT },
	{ "Resent-Cc", REWRITE_HEADER_RECIPIENT },
	{ "Resent-Bcc", REWRITE_HEADER_RECIPIENT },
};

/* A field being written. */
struct writer {
	const struct remap *remap;
	unsigned what;
	struct arena arena;	/* of the address under way */
	struct buf *out;
	const char *done;	/* up to here it is in OUT */
	const struct conf_rewrite *by;	/* that made the last other one; NULL: none */
};

static unsigned
what_of(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_ieq(name, str_c(fields[i].name)))
			return fields[i].what;
	return 0;
}

static bool
write_address(void *arg, struct str addr, struct str where)
{
	struct writer *w = arg;
	const struct conf_rewrite *by;
	struct path p, to;

	arena_reset(&w->arena);
	if (path_parse_addr(addr, PATH_BARE | PATH_UTF8, &w->arena, &p) != NULL ||
	    (by = remap_find(w->remap, w->what, &p)) == NULL)
		return true;
	to = remap_by(w->remap, by, &w->arena, &p);
	if (path_eq(&to, &p))
		return true;
	w->by = by;
	buf_add(w->out, str_n(w->done, (size_t)(where.p - w->done)));
	path_add(w->out, &to);
	w->done = where.p + where.n;
	return true;
}

/* Adds F with its addresses made others; true if one is. */
static bool
write_field(struct writer *w, const struct field *f)
{
	w->what = what_of(f->name);
	w->done = f->raw.p;
	/* What is broken behind some addresses is no reason to keep those. */
	if (w->what != 0)
		(void)address_list_at(f->value, write_address, w);
	buf_add(w->out, str_skip(f->raw, (size_t)(w->done - f->raw.p)));
	return w->done != f->raw.p;
}

/* What stood in From, where W's section wants it kept in HEADER. */
static void
keep_from(struct writer *w, const struct field *f, struct str header)
{
	static const char *const names[] = { [REWRITE_KEEP_REPLY_TO] = "Reply-To",
		[REWRITE_KEEP_ORIGINAL] = "X-Original-From" };
	const char *name = names[w->by->keep];
	struct field other;

	/* Where replies go was said already. */
	if (name == NULL || header_find(header, str_c(name), &other))
		return;
	buf_adds(w->out, name);
	buf_addc(w->out, ':');
	buf_add(w->out, f->value);
	buf_adds(w->out, "\r\n");
}

bool
remap_leaves_header(const struct remap *r)
{
	const unsigned header = REWRITE_HEADER_SENDER | REWRITE_HEADER_RECIPIENT;

	for (size_t i = 0; i < r->conf->rewrite_n; i++)
		if (concerns(r, &r->conf->rewrites[i], header))
			return false;
	return true;
}

size_t
remap_header(const struct remap *r, struct str text, struct buf *out)
{
	struct writer w = { .remap = r, .out = out };
	struct str rest = text;
	const char *from = text.p;
	bool changed = false;
	struct field f;

	/* What begins with a line that is no field has no header. */
	if (remap_leaves_header(r) || field_next(&rest, &f) != 1)
		return 0;
	arena_init(&w.arena, TEMPORARY);
	for (rest = text; field_seek(&rest, &f);) {
		buf_add(out, str_n(from, (size_t)(f.raw.p - from)));
		from = f.raw.p + f.raw.n;
		if (!write_field(&w, &f))
			continue;
		changed = true;
		if (str_ieq(f.name, STR("From")))
			keep_from(&w, &f, text);
	}
	arena_free(&w.arena);
	return changed ? (size_t)(from - text.p) : 0;
}
