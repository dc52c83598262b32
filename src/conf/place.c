/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * place -- where options were set, and complaints that say so.
 *
 * libConfuse keeps no places and struct conf has no room for them beside
 * each field, so a table in the configuration's arena leads from a field's
 * address to its file and line.  It is written while the file is parsed
 * and searched afterwards.
 */

#include "private.h"

/* The table doubles when its count is a power of two from here on. */
#define SETS_FIRST 64

void
conf_complain(struct buf *error, struct conf_place place, const char *fmt, ...)
{
	va_list ap;

	if (place.file && place.file[0])
		buf_addf(error, "%s:%d: ", place.file, place.line);
	va_start(ap, fmt);
	buf_vaddf(error, fmt, ap);
	va_end(ap);
	buf_addc(error, '\n');
}

void
conf_blame(const struct conf *c, struct conf_place where, const char *name,
    struct buf *error, const char *fmt, ...)
{
	va_list ap;

	if (where.file[0])
		buf_addf(error, "%s:%d: %s: ", where.file, where.line, name);
	else
		buf_addf(error, "%s: %s (default): ", c->path, name);
	va_start(ap, fmt);
	buf_vaddf(error, fmt, ap);
	va_end(ap);
	buf_addc(error, '\n');
}

void
conf_not_yet(struct buf *error, struct conf_place place, const char *what)
{
	conf_complain(
	    error, place, "not yet: %s comes with a later release", what);
}

/*
 * Fields are seen once each and almost in the order of their addresses,
 * but for titled sections; so the table is kept sorted by insertion from
 * its end.
 */
void
conf_place_put(struct conf *c, const void *field, struct conf_place place)
{
	size_t n = c->set_n;
	struct conf_set *sets;

	if (n == 0 || (n >= SETS_FIRST && (n & (n - 1)) == 0)) {
		sets = arena_alloc(
		    &c->arena, (n ? 2 * n : SETS_FIRST) * sizeof(*sets));
		if (n)
			memcpy(sets, c->sets, n * sizeof(*sets));
		c->sets = sets;
	}
	while (n > 0 && (uintptr_t)c->sets[n - 1].field > (uintptr_t)field) {
		c->sets[n] = c->sets[n - 1];
		n--;
	}
	c->sets[n].field = field;
	c->sets[n].place = place;
	c->set_n++;
}

const struct conf_place *
conf_place_get(const struct conf *c, const void *field)
{
	size_t low = 0, high = c->set_n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (c->sets[mid].field == field)
			return &c->sets[mid].place;
		if ((uintptr_t)c->sets[mid].field < (uintptr_t)field)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct conf_place
conf_where(
    const struct conf *c, const void *field, struct conf_place otherwise)
{
	const struct conf_place *p = conf_place_get(c, field);

	return p ? *p : otherwise;
}

struct conf_place
conf_place_top(const struct conf *c)
{
	return (struct conf_place){ c->path, c->path[0] != '\0' };
}
