/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan_change -- what a server of spam wants to be changed in a header.
 *
 * A value may be folded, as those of Rspamd are; whatever else would begin a line
 * goes on in the one before, so that no value is ever a field of its own.
 */

#include "check/scan_change.h"

#include "check/scan.h"
#include "mail/header.h"

/* RFC 5322 2.1.1 has 998; a name and its colon are in the first. */
#define LINE_OCTETS 900
#define NAME_OCTETS 76

/* ---- what may be changed -------------------------------------------------------- */

static bool
is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':')
			return false;
	return name.n > 0 && name.n <= NAME_OCTETS;
}

/* Where mail was, and what we say ourselves of spam, is not a server's to say. */
static bool
may_add(struct str name)
{
	if (str_ieq(name, STR("Received")) || str_ieq(name, STR("Return-Path")))
		return false;
	return str_ieq(name, STR("X-Spam-Level")) ||
	    !scan_field_is_ours(SCAN_KIND_SPAM, name);
}

/* The next line of *TEXT without its end; CONTINUES: it began with white space. */
static bool
next_line(struct str *text, struct str *line, bool *continues)
{
	size_t n = 0;

	while (text->n > 0 && (text->p[0] == '\r' || text->p[0] == '\n'))
		*text = str_skip(*text, 1);
	while (n < text->n && text->p[n] != '\r' && text->p[n] != '\n')
		n++;
	*line = str_head(*text, n);
	*text = str_skip(*text, n);
	*continues = line->n > 0 && (line->p[0] == ' ' || line->p[0] == '\t');
	*line = str_trim(*line);
	return n > 0;
}

/* Adds VALUE as it may stand in a header; false: a line of it is too long. */
static bool
add_value(struct buf *b, struct str value)
{
	struct str line;
	bool continues;
	size_t column = 0;

	while (next_line(&value, &line, &continues)) {
		if (line.n == 0)
			continue;
		if (b->n > 0) {
			buf_adds(b, continues ? "\r\n\t" : " ");
			column = continues ? 0 : column + 1;
		}
		for (size_t i = 0; i < line.n; i++)
			buf_addc(b, line.p[i] < ' ' || line.p[i] > '~' ? '?' : line.p[i]);
		column += line.n;
		if (column > LINE_OCTETS)
			return false;
	}
	return buf_ok(b);
}

bool
scan_change_add(struct scan_changes *c, struct arena *a, struct str name, struct str value,
    bool on_top)
{
	struct buf b;
	bool ok;

	buf_init(&b, SCAN_CHANGE_VALUE_MAX);
	ok = c->n < SCAN_CHANGES_MAX && is_name(name) && may_add(name) && add_value(&b, value);
	if (ok)
		c->v[c->n++] = (struct scan_change){ .name = arena_str(a, name),
			.value = arena_str(a, buf_str(&b)), .on_top = on_top };
	buf_free(&b);
	return ok;
}

bool
scan_change_remove(struct scan_changes *c, struct arena *a, struct str name, int64_t which)
{
	if (c->n == SCAN_CHANGES_MAX || !is_name(name))
		return false;
	c->v[c->n++] = (struct scan_change){ .name = arena_str(a, name), .value = STR(""),
		.remove = true, .which = which };
	return true;
}

bool
scan_change_subject(struct scan_changes *c, struct arena *a, struct str text)
{
	if (!scan_change_add(c, a, STR("Subject"), text, false))
		return false;
	if (scan_change_remove(c, a, STR("Subject"), 0))
		return true;
	c->n--;
	return false;
}

/* ---- the header that comes of it ---------------------------------------------------- */

static void
add_all(const struct scan_changes *c, bool on_top, struct buf *out)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct scan_change *v = &c->v[i];

		if (!v->remove && v->on_top == on_top)
			buf_addf(out, STR_FMT ": " STR_FMT "\r\n", STR_ARG(v->name),
			    STR_ARG(v->value));
	}
}

/* Of ALL fields with that name this is the NTH, from 1. */
static bool
is_meant(const struct scan_change *v, unsigned nth, unsigned all)
{
	return v->which == 0 || v->which == nth || v->which == (int64_t)nth - all - 1;
}

/* How many fields have the name of each change, in all, and so far. */
struct counted {
	const struct scan_changes *changes;
	unsigned all[SCAN_CHANGES_MAX], seen[SCAN_CHANGES_MAX];
};

static bool
is_of(const struct scan_change *v, const struct field *f)
{
	return v->remove && str_ieq(f->name, v->name);
}

/* header_strip(): of what is counted. */
static bool
is_removed(void *arg, const struct field *f)
{
	struct counted *n = arg;
	const struct scan_changes *c = n->changes;
	bool gone = false;

	for (size_t i = 0; i < c->n; i++)
		if (is_of(&c->v[i], f))
			gone = is_meant(&c->v[i], ++n->seen[i], n->all[i]) || gone;
	return gone;
}

void
scan_change_header(const struct scan_changes *c, struct str header, struct buf *out)
{
	struct counted n = { .changes = c };
	struct str rest = header;
	struct field f;

	while (field_seek(&rest, &f))
		for (size_t i = 0; i < c->n; i++)
			n.all[i] += is_of(&c->v[i], &f);
	add_all(c, true, out);
	if (header_strip(out, header, is_removed, &n) == 0)
		buf_add(out, header);
	add_all(c, false, out);
}
