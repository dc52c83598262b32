/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rewrite -- the sections that make other addresses of addresses: what they
 * mean, and what is wrong with them.
 */

#include "conf/rewrite.h"

#include "private.h"
#include "recipients.h"

/* By bit. */
static const char *const places[] = { "envelope-sender", "envelope-recipient",
	"header-sender", "header-recipient" };

/* The bit of WORD; 0: it is none. */
static unsigned
place_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strcmp(word, places[i]) == 0)
			return 1U << i;
	return 0;
}

static bool
is_star(struct str s)
{
	return s.n == 0 || str_eq(s, STR("*"));
}

/* Halves TO; what is "*" is empty. */
static void
halves(const struct conf_rewrite *r, struct str *local, struct str *domain)
{
	struct str to = str_c(r->to);
	ptrdiff_t at = str_rfind(to, '@');

	*local = at < 0 ? to : str_head(to, (size_t)at);
	*domain = at < 0 ? STR("") : str_skip(to, (size_t)at + 1);
	if (is_star(*local))
		*local = STR("");
	if (is_star(*domain))
		*domain = STR("");
}

static void
finish(struct conf *c, struct conf_rewrite *r)
{
	struct str local, domain;

	if (pattern_address(&c->arena, str_c(r->pattern), &r->of) != NULL)
		r->of = (struct pattern){ .kind = PATTERN_NULL };
	for (size_t i = 0; i < r->what.n; i++)
		r->places |= place_of(r->what.v[i]);
	halves(r, &local, &domain);
	r->local = arena_cstr(&c->arena, local);
	r->domain = arena_cstr(&c->arena, domain);
}

void
conf_rewrite_finish(struct conf *c)
{
	for (size_t i = 0; i < c->rewrite_n; i++)
		finish(c, &c->rewrites[i]);
}

/* ---- mistakes ---- */

static void
check_to(const struct conf *c, const struct conf_rewrite *r, struct buf *error)
{
	struct str local, domain;
	struct buf b;

	if (r->to[0] == '\0')
		return;
	halves(r, &local, &domain);
	buf_init(&b, 1024);
	buf_add(&b, local.n > 0 ? local : STR("x"));
	buf_addc(&b, '@');
	buf_add(&b, domain.n > 0 ? domain : STR("example.org"));
	if (str_find(str_c(r->to), '@') < 0 ||
	    !conf_name_is_mailbox(buf_str(&b)))
		conf_complain(error, conf_where(c, &r->to, r->place),
		    "rewrite.%s.to: \"%s\" is no address, expected one such as "
		    "\"admin@example.org\" or \"@example.org\", in which \"*\" "
		    "is the half that stays", r->pattern, r->to);
	buf_free(&b);
}

static void
check_what(const struct conf *c, const struct conf_rewrite *r, struct buf *error)
{
	for (size_t i = 0; i < r->what.n; i++)
		if (place_of(r->what.v[i]) == 0)
			conf_complain(error, conf_where(c, &r->what.v[i],
			    conf_where(c, &r->what, r->place)),
			    "rewrite.%s.what: \"%s\" is unknown, expected "
			    "envelope-sender, envelope-recipient, header-sender "
			    "or header-recipient", r->pattern, r->what.v[i]);
}

static void
check_keep(const struct conf *c, const struct conf_rewrite *r, struct buf *error)
{
	if (r->keep != REWRITE_KEEP_NONE &&
	    !(r->places & REWRITE_HEADER_SENDER))
		conf_complain(error, conf_where(c, &r->keep, r->place),
		    "rewrite.%s.keep: it is for From, expected "
		    "\"header-sender\" in what", r->pattern);
}

static void
check_table(const struct conf *c, const struct conf_rewrite *r, struct buf *error)
{
	struct conf_place where = conf_where(c, &r->table, r->place);

	if (r->table[0] == '\0')
		return;
	if (!conf_name_is_path(str_c(r->table)))
		conf_complain(error, where,
		    "rewrite.%s.table: \"%s\" is no path, expected one such as "
		    "\"/etc/barid/canonical\"", r->pattern, r->table);
	if (r->to[0] != '\0')
		conf_complain(error, where,
		    "rewrite.%s.table: there is a \"to\" as well, expected one "
		    "of both", r->pattern);
}

void
conf_rewrite_check(const struct conf *c, struct buf *error)
{
	struct buf section;

	buf_init(&section, 2048);
	for (size_t i = 0; i < c->rewrite_n; i++) {
		const struct conf_rewrite *r = &c->rewrites[i];

		conf_pattern_check("rewrite", r->pattern, r->place,
		    "expected one that an address can have: \"<>\" stays", error);
		check_to(c, r, error);
		check_table(c, r, error);
		check_what(c, r, error);
		check_keep(c, r, error);
		buf_reset(&section);
		buf_addf(&section, "rewrite.%s", r->pattern);
		conf_listeners_check(c, buf_cstr(&section), &r->listener,
		    r->place, error);
	}
	buf_free(&section);
}
