/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * show -- the configuration in effect, option by option.
 *
 * Values are written from the structs, so that what is shown is what is
 * used, also where the default came from the system or another option.
 */

#include "private.h"

struct show {
	const struct conf *c;
	void (*fn)(void *arg, const char *name, const char *value,
	    struct conf_place place);
	void *arg;
	struct buf name;
	struct buf value;
};

static void show_options(
    struct show *s, const struct option *o, size_t n, const char *base);

static void
show_leaf(struct show *s, const struct option *o, const void *field)
{
	buf_reset(&s->value);
	conf_value_show(o, field, &s->value);
	s->fn(s->arg, buf_cstr(&s->name), buf_cstr(&s->value),
	    conf_where(s->c, field, (struct conf_place){ "", 0 }));
}

static void
show_titled(struct show *s, const struct option *o, const char *base)
{
	const char *array, *title;
	size_t count, i, name_n = s->name.n;

	memcpy(&array, base + o->offset, sizeof(array));
	memcpy(&count, base + o->count_offset, sizeof(count));
	for (i = 0; i < count; i++, array += o->size) {
		memcpy(&title, array, sizeof(title));
		buf_addf(&s->name, ".%s", title);
		show_options(s, o->sub, o->sub_n, array);
		buf_cut(&s->name, name_n);
	}
}

/* BASE is where its struct is, which has no title if there is no such section. */
static void
show_kind(struct show *s, const struct option *o, const char *base)
{
	size_t name_n = s->name.n;
	const char *title;

	memcpy(&title, base, sizeof(title));
	if (title == NULL)
		return;
	buf_addf(&s->name, ".%s", title);
	show_options(s, o->sub, o->sub_n, base);
	buf_cut(&s->name, name_n);
}

static void
show_options(struct show *s, const struct option *o, size_t n, const char *base)
{
	size_t i, name_n = s->name.n;

	for (i = 0; i < n; i++, o++) {
		if (o->when != OPTION_NOW)
			continue;
		if (name_n)
			buf_addc(&s->name, '.');
		buf_adds(&s->name, o->name);
		if (o->type != OPTION_SECTION)
			show_leaf(s, o, base + o->offset);
		else if (o->title != NULL)
			show_kind(s, o, base + o->offset);
		else if (o->count_offset != SIZE_MAX)
			show_titled(s, o, base);
		else
			show_options(s, o->sub, o->sub_n, base + o->offset);
		buf_cut(&s->name, name_n);
	}
}

void
conf_each(const struct conf *c,
    void (*fn)(void *arg, const char *name, const char *value,
	struct conf_place place),
    void *arg)
{
	struct show s = { .c = c, .fn = fn, .arg = arg };

	buf_init(&s.name, 3 * CONF_VALUE_MAX);
	buf_init(&s.value, 2 * CONF_TEXT_MAX);
	show_options(&s, conf_options, conf_option_n, (const char *)c);
	buf_free(&s.name);
	buf_free(&s.value);
}
