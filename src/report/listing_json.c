/* SPDX-License-Identifier: GPL-3.0-or-later */

/* listing_json -- messages of the queue for programs, a line each; and such a line, read again. */

#include "lib/json.h"
#include "listing_forms.h"
#include "report/listing_row.h"

static void
set_address(struct json *o, const char *name, const struct path *p)
{
	struct buf b;

	buf_init(&b, 2048);
	path_add(&b, p);
	json_set_text(o, name, buf_str(&b));
	buf_free(&b);
}

static const char *
state_name(enum rcpt_state s)
{
	switch (s) {
	case RCPT_QUEUED: return "queued";
	case RCPT_DONE:
	case RCPT_SENT: return "delivered";
	case RCPT_FAILED:
	case RCPT_BOUNCED: return "failed";
	}
	return "unknown";
}

static struct json *
recipient(const struct envelope_rcpt *r, const struct queue_attempt *last)
{
	struct json *o = json_new_object();

	set_address(o, "address", &r->path);
	json_set_text(o, "state", str_c(state_name(r->state)));
	if (last->time != 0) {
		json_set_integer(o, "last_attempt", last->time);
		json_set_text(o, "status", str_c(last->status));
		json_set_text(o, "relay", last->relay);
		json_set_text(o, "delay_reason", last->reply);
	}
	return o;
}

static void
set_rcpts(struct json *o, const struct envelope *e, const struct queue_attempt *last)
{
	struct json *rcpts = json_new_array();

	for (size_t i = 0; i < e->rcpt_n; i++)
		json_add(rcpts, recipient(&e->rcpts[i], &last[i]));
	json_set(o, "recipients", rcpts);
}

void
listing_json_one(const struct listing_one *m, FILE *out)
{
	const struct queue_file *f = m->f;
	struct json *o = json_new_object();

	json_set_text(o, "queue_name", str_c(listing_state_name(m->state)));
	json_set_text(o, "queue_id", str_c(f != NULL ? f->env.id : m->id));
	if (f == NULL) {
		json_set_number(o, "file_size", m->size);
		json_set_text(o, "unreadable", str_c(m->reason != NULL ? m->reason : "broken"));
		json_set(o, "recipients", json_new_array());
	} else {
		json_set_integer(o, "arrival_time", f->env.arrival_us / 1000000);
		json_set_number(o, "message_size", f->size);
		json_set_integer(o, "next_attempt", f->next);
		set_address(o, "sender", &f->env.from);
		json_set_text(o, "client", f->env.client);
		if (f->env.user.n > 0)
			json_set_text(o, "user", f->env.user);
		set_rcpts(o, &f->env, m->last);
	}
	json_print(o, JSON_ONE_LINE, out);
}

/* ---- read again ---- */

static void
take_rcpts(const struct json *list, struct arena *a, struct listing_row *r)
{
	size_t n = json_items(list);

	n = n < LISTING_ROW_RCPTS ? n : LISTING_ROW_RCPTS;
	r->rcpts = arena_alloc(a, (n + 1) * sizeof(*r->rcpts));
	for (r->rcpt_n = 0; r->rcpt_n < n; r->rcpt_n++) {
		const struct json *j = json_item(list, r->rcpt_n);

		r->rcpts[r->rcpt_n] = (struct listing_row_rcpt){
			.address = json_text_in(j, "address", a),
			.state = json_text_in(j, "state", a),
			.status = json_text_in(j, "status", a),
			.relay = json_text_in(j, "relay", a),
			.reply = json_text_in(j, "delay_reason", a),
			.last = (int64_t)json_number(json_member(j, "last_attempt")) };
	}
}

static void
take(const struct json *j, struct arena *a, struct listing_row *r)
{
	r->place = json_text_in(j, "queue_name", a);
	r->id = json_text_in(j, "queue_id", a);
	r->sender = json_text_in(j, "sender", a);
	r->client = json_text_in(j, "client", a);
	r->user = json_text_in(j, "user", a);
	r->unreadable = json_text_in(j, "unreadable", a);
	r->size = json_number(json_member(j, r->unreadable.n > 0 ? "file_size" : "message_size"));
	r->arrival = (int64_t)json_number(json_member(j, "arrival_time"));
	r->next = (int64_t)json_number(json_member(j, "next_attempt"));
	take_rcpts(json_member(j, "recipients"), a, r);
}

bool
listing_row(struct str text, struct arena *a, struct listing_row *r)
{
	struct json *j = json_open(text);
	bool ok = json_kind(json_member(j, "queue_id")) == JSON_IS_TEXT;

	*r = (struct listing_row){ .size = 0 };
	if (ok)
		take(j, a, r);
	json_close(j);
	return ok;
}
