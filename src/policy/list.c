/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * list -- whether a mailing list takes a message.
 *
 * Answers of machines stay out, as does mail without a sender, which nobody
 * could be told about (RFC 3834 4 and 5, from the list's side); so does what
 * was here before.  Who it is from, the envelope or From may say: who sends by
 * way of others has another address in the one than in the other.
 */

#include "policy/list.h"

#include "lib/arena.h"
#include "mail/header.h"

#define ROOM ((size_t)4 << 20)

struct ask {
	const struct conf_list *list;
	bool (*member)(void *arg, const struct path *p);
	void *arg;
	struct arena arena;
	bool may;
};

static struct rcpt_verdict
refuse(int code, const char *enhanced, const char *text,
    const struct conf_list *l)
{
	return (struct rcpt_verdict){ .code = code, .enhanced = enhanced,
		.text = text, .place = l->place };
}

/* ---- who may send ------------------------------------------------------- */

static bool
may_send(const struct ask *q, const struct path *p)
{
	const struct conf_list *l = q->list;

	for (size_t i = 0; i < l->posters.n; i++)
		if (pattern_fits(&l->poster_patterns[i], p->local, p->domain))
			return true;
	return q->member(q->arg, p);
}

static bool
look_at_author(void *arg, struct str addr)
{
	struct ask *q = arg;
	struct path p;

	if (path_parse_addr(addr, PATH_UTF8, &q->arena, &p) == NULL)
		q->may = q->may || may_send(q, &p);
	return !q->may;
}

/* True if anybody may send about what SUBJECT is. */
static bool
is_open(struct ask *q, const struct field *subject)
{
	const struct conf_list *l = q->list;
	struct str text;

	if (l->subjects.n == 0 || subject->value.n >= ROOM / 64)
		return false;
	text = str_trim(field_unfold(&q->arena, subject));
	for (size_t i = 0; i < l->subjects.n; i++)
		if (pattern_fits(&l->subject_patterns[i], text, STR("")))
			return true;
	return false;
}

/* ---- what it is --------------------------------------------------------- */

/* "dev <dev.example.org>" or "<dev.example.org>": is it ID. */
static bool
is_id(struct str value, const char *id)
{
	ptrdiff_t from = str_rfind(value, '<'), to = str_rfind(value, '>');

	value = from >= 0 && to > from ?
	    str_n(value.p + from + 1, (size_t)(to - from - 1)) : value;
	return str_ieq(str_trim(value), str_c(id));
}

/* RFC 2045 5.1: "TYPE/SUBTYPE", of the value of a Content-Type. */
static bool
is_attachment(struct str value)
{
	struct str type;

	str_cut(value, ';', &type, &value);
	type = str_trim(type);
	if (str_ieq(type, STR("multipart/mixed")))
		return true;
	return str_find(type, '/') > 0 && !str_istarts(type, STR("text/")) &&
	    !str_istarts(type, STR("multipart/"));
}

/* RFC 3834 5: "auto-generated" is mail that somebody wants, such as of cron. */
static bool
is_answer(struct str value)
{
	struct str word;

	str_cut(value, ';', &word, &value);
	word = str_trim(word);
	return str_ieq(word, STR("auto-replied")) ||
	    str_ieq(word, STR("auto-notified"));
}

static struct rcpt_verdict
look_at_field(struct ask *q, const struct field *f)
{
	const struct conf_list *l = q->list;
	struct str value = str_trim(f->value);

	if (str_ieq(f->name, STR("List-Id"))) {
		if (is_id(value, l->id))
			return refuse(554, "5.4.6", "The message was sent by "
			    "this list already: it goes in circles", l);
		if (!l->other_lists)
			return refuse(550, "5.7.1", "This list takes no mail "
			    "of other lists", l);
	} else if (str_ieq(f->name, STR("Delivered-To"))) {
		if (str_ieq(value, str_c(l->address)))
			return refuse(554, "5.4.6", "The message was sent by "
			    "this list already: it goes in circles", l);
	} else if (str_ieq(f->name, STR("Auto-Submitted"))) {
		if (is_answer(value))
			return refuse(550, "5.7.1", "This list takes no "
			    "automatic replies", l);
	} else if (str_ieq(f->name, STR("Content-Type"))) {
		if (!l->attachments && is_attachment(value))
			return refuse(550, "5.7.0", "This list takes no "
			    "attachments", l);
	} else if (str_ieq(f->name, STR("From")) && l->members_only &&
	    !q->may && f->value.n < ROOM / 64) {
		(void)address_list(f->value, look_at_author, q);
	} else if (str_ieq(f->name, STR("Subject")) && !q->may) {
		q->may = is_open(q, f);
	}
	return (struct rcpt_verdict){ .code = 250, .enhanced = "2.1.5",
		.text = "Ok", .place = l->place };
}

struct rcpt_verdict
list_verdict(const struct conf_list *l, const struct list_mail *m,
    bool (*member)(void *arg, const struct path *p), void *arg)
{
	struct ask q = { .list = l, .member = member, .arg = arg };
	struct rcpt_verdict v = { .code = 250, .enhanced = "2.1.5",
		.text = "Ok", .place = l->place };
	struct str rest = m->text;
	struct field f;
	int r = 0;

	if (path_is_null(&m->from))
		return refuse(550, "5.7.1", "This list takes no reports", l);
	arena_init(&q.arena, ROOM + 64 * m->text.n);
	q.may = !l->members_only || may_send(&q, &m->from);
	while (v.code == 250 && (r = field_next(&rest, &f)) == 1)
		v = look_at_field(&q, &f);
	/* Some readers go on behind it; the list writes a header that ends there. */
	if (v.code == 250 && r < 0)
		v = refuse(550, "5.6.0", "The header has a line that is no field", l);
	if (v.code == 250 && !q.may)
		v = refuse(550, "5.7.2", l->refusal, l);
	arena_free(&q.arena);
	return v;
}
