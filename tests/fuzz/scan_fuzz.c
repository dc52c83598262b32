/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: what servers of spam and viruses answer: whatever it is, what is made of
 * it passes from process to process and stands in a header.
 *
 * Parsers: check/scan.c check/spamd.c check/clamd.c check/rspamd.c
 * check/scan_edit.c check/scan_fields.c.
 */

#include "fuzz.h"

#include "check/scan.h"
#include "check/rspamd_answer.h"
#include "check/scan_change.h"
#include "mail/header.h"

#define TRACE "Received: from a\r\n\tby b\r\n"

static bool
take(void *arg, struct str piece)
{
	buf_add(arg, piece);
	return buf_ok(arg);
}

/* V goes to a session, and from there into a header. */
static void
go_on(const struct msg_scan_result *v)
{
	struct msg_scan_result again;
	struct str header;
	struct field f;
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_scan_result_put(&b, v);
	check(msg_scan_result_get(buf_str(&b), &again));
	check(again.result == v->result && again.score == v->score);
	buf_reset(&b);
	scan_fields_add(&b, SCAN_KIND_SPAM, v);
	scan_fields_add(&b, SCAN_KIND_VIRUS, v);
	buf_adds(&b, "\r\n");
	check(buf_ok(&b));
	header = buf_str(&b);
	while (field_next(&header, &f) == 1)
		check(scan_field_is_ours(SCAN_KIND_SPAM, f.name) ||
		    scan_field_is_ours(SCAN_KIND_VIRUS, f.name));
	check(header.n == 0);
	buf_free(&b);
}

static void
edit(struct str text, bool binary)
{
	struct arena a;
	struct buf out;

	arena_init(&a, 1 << 22);
	buf_init(&out, 1 << 21);
	if (scan_edited(&out, text, STR(TRACE), binary) == NULL) {
		/* Of a binary message only the header is lines. */
		const char *end = binary ? memmem(out.p, out.n, "\r\n\r\n", 4) : NULL;
		size_t n = end != NULL ? (size_t)(end - out.p) + 2 : out.n;
		struct field f;

		check(str_starts(buf_str(&out), STR(TRACE)));
		for (size_t i = 0; i < n; i++)
			check((out.p[i] != '\n' || out.p[i - 1] == '\r') &&
			    (out.p[i] != '\r' || out.p[i + 1] == '\n') && out.p[i] != '\0');
		check(header_find(buf_str(&out), STR("Received"), &f));
		(void)scan_edited_symbols(buf_str(&out), &a);
	}
	buf_free(&out);
	arena_free(&a);
}

/* Whatever R wants of a header, it is one, and has no field more than it asks for. */
static void
change(const struct rspamd_answer *r, struct arena *a)
{
	struct scan_changes c = { .n = 0 };
	struct str rest;
	struct field f;
	struct buf out;
	size_t added = 1, n = 0;
	int got;

	for (size_t i = 0; i < r->wish_n; i++)
		if (r->wishes[i].remove)
			(void)scan_change_remove(&c, a, r->wishes[i].name, r->wishes[i].which);
		else
			added += scan_change_add(&c, a, r->wishes[i].name, r->wishes[i].value,
			    r->wishes[i].ordered);
	added += scan_change_subject(&c, a, r->subject);
	buf_init(&out, 1 << 21);
	scan_change_header(&c, STR("Subject: x\r\n"), &out);
	buf_adds(&out, "\r\nbody");
	rest = buf_str(&out);
	while ((got = field_next(&rest, &f)) == 1)
		n++;
	check(got == 0 && n <= added && str_eq(rest, STR("body")));
	buf_free(&out);
}

/* What rspamd says, as barid-check reads it. */
static void
read_json(struct scan *s)
{
	struct rspamd_answer r;
	struct arena a;

	arena_init(&a, 1 << 22);
	if (rspamd_answer_read(buf_str(&s->body), &a, &r)) {
		if (!scan_take_action(s, r.action))
			s->v.result = SCAN_FAILED;
		for (size_t i = 0; i < r.symbol_n; i++)
			scan_symbol(s, r.symbols[i]);
		scan_say(s, r.words);
		change(&r, &a);
	}
	arena_free(&a);
}

/* The question, with a text of 1000 octets. */
static void
say(const struct scan *s)
{
	static const char text[1000];
	struct buf b;

	buf_init(&b, 65536);
	scan_head(s, &b);
	scan_piece(s, &b, str_n(text, sizeof(text)));
	scan_tail(s, &b);
	check(buf_ok(&b) && b.n > sizeof(text));
	buf_free(&b);
}

/* The first octet says who answers and in which pieces. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct msg_scan about = { .size = 1000, .id = STR("ID"), .from = STR("a@b.test"),
		.client = STR("192.0.2.1"), .name = STR("host.b.test"), .helo = STR("b.test"),
		.login = STR("alice"), .rcpts = { STR("c@d.test") }, .rcpt_n = 1 };
	struct str text = str_n((const char *)data, n);
	enum scan_state state = SCAN_MORE;
	size_t step;
	struct scan s;
	struct buf edited;

	if (n < 2)
		return 0;
	scan_init(&s, (enum scan_server)(data[0] % 3), &about);
	buf_init(&edited, 1 << 19);
	if (data[0] % 3 == SCAN_SPAMD && (data[0] & 64) != 0) {
		s.edit = true;
		s.take = take;
		s.arg = &edited;
	}
	say(&s);
	step = (data[0] & 128) != 0 ? 1 : n;
	for (text = str_skip(text, 1); text.n > 0 && state == SCAN_MORE; text = str_skip(text, step))
		state = scan_take(&s, str_head(text, step));
	if (state == SCAN_MORE)
		state = scan_end(&s);
	check(state != SCAN_MORE && (state == SCAN_BROKEN) == (s.why != NULL));
	if (state == SCAN_DONE && s.server == SCAN_RSPAMD)
		read_json(&s);
	if (state == SCAN_DONE)
		go_on(&s.v);
	if (state == SCAN_DONE && s.edit) {
		edit(buf_str(&edited), false);
		edit(buf_str(&edited), true);
	}
	scan_free(&s);
	buf_free(&edited);
	return 0;
}
