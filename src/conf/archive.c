/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * archive -- the sections by which others get a copy of mail: what they mean,
 * and what is wrong with them.
 */

#include "conf/archive.h"

#include "private.h"
#include "recipients.h"

/* One that is none fits nobody, and is complained about. */
static struct conf_patterns
read(struct arena *a, const struct conf_strs *from,
    const char *(*as)(struct arena *a, struct str text, struct pattern *p))
{
	struct conf_patterns p = { .n = from->n,
		.v = arena_alloc(a, (from->n + 1) * sizeof(*p.v)) };

	for (size_t i = 0; i < from->n; i++)
		if (as(a, str_c(from->v[i]), &p.v[i]) != NULL)
			p.v[i] = (struct pattern){ .kind = PATTERN_NAME,
				.local = STR("") };
	return p;
}

void
conf_archive_finish(struct conf *c)
{
	for (size_t i = 0; i < c->archive_n; i++) {
		struct conf_archive *r = &c->archives[i];

		r->senders = read(&c->arena, &r->sender, pattern_address);
		r->recipients = read(&c->arena, &r->recipient, pattern_address);
		r->users = read(&c->arena, &r->user, pattern_name);
	}
}

/* ---- mistakes ---- */

static void
check_patterns(struct conf *c, const struct conf_archive *r, const char *name,
    const struct conf_strs *list,
    const char *(*as)(struct arena *a, struct str text, struct pattern *p),
    struct buf *error)
{
	struct pattern p;

	for (size_t i = 0; i < list->n; i++) {
		const char *why = as(&c->arena, str_c(list->v[i]), &p);

		if (why != NULL)
			conf_complain(error, conf_where(c, &list->v[i],
			    conf_where(c, list, r->place)),
			    "archive.%s.%s: \"%s\" is no pattern, %s", r->name,
			    name, list->v[i], why);
	}
}

void
conf_archive_check(struct conf *c, struct buf *error)
{
	struct buf section;

	buf_init(&section, 2048);
	for (size_t i = 0; i < c->archive_n; i++) {
		const struct conf_archive *r = &c->archives[i];

		if (r->to.n == 0)
			conf_complain(error, r->place, "archive.%s.to: nobody "
			    "gets it, expected an address such as "
			    "\"archive@example.org\"", r->name);
		for (size_t k = 0; k < r->to.n; k++)
			if (!conf_name_is_mailbox(str_c(r->to.v[k])))
				conf_complain(error, conf_where(c, &r->to.v[k],
				    conf_where(c, &r->to, r->place)),
				    "archive.%s.to: \"%s\" is no address, "
				    "expected one such as \"archive@example.org\"",
				    r->name, r->to.v[k]);
		check_patterns(c, r, "sender", &r->sender, pattern_address, error);
		check_patterns(c, r, "recipient", &r->recipient, pattern_address,
		    error);
		check_patterns(c, r, "user", &r->user, pattern_name, error);
		buf_reset(&section);
		buf_addf(&section, "archive.%s", r->name);
		conf_listeners_check(c, buf_cstr(&section), &r->listener,
		    r->place, error);
	}
	buf_free(&section);
}
