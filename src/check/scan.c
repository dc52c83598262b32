/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scan -- a server is asked about one message: what all of them have in common.
 *
 * An answer is a head, up to a mark, and perhaps a body whose length the head
 * says.  The head is held, and so is a body that is read here; a text that
 * comes back is handed on in the pieces in which it comes.  All of it has
 * bounds, and what is beyond them is no answer.  What a server says of itself
 * (names, scores) is made harmless here: it ends in headers, replies and logs.
 */

#include "check/scan.h"

#include "scan_kinds.h"

static const struct scan_kind_ops *const kinds[] = {
	[SCAN_SPAMD] = &scan_spamd,
	[SCAN_RSPAMD] = &scan_rspamd,
	[SCAN_CLAMD] = &scan_clamd,
};

void
scan_init(struct scan *s, enum scan_server server, const struct msg_scan *about)
{
	*s = (struct scan){ .server = server, .about = about, .user = "",
		.v = { .symbols = STR(""), .what = STR("") } };
	buf_init(&s->head, SCAN_HEAD_MAX);
	buf_init(&s->body, SCAN_BODY_MAX);
	buf_init(&s->symbols, MSG_SCAN_SYMBOLS_MAX);
	buf_init(&s->what, MSG_SCAN_WHAT_MAX);
}

void
scan_free(struct scan *s)
{
	buf_free(&s->head);
	buf_free(&s->body);
	buf_free(&s->symbols);
	buf_free(&s->what);
}

/* ---- out ---------------------------------------------------------------------- */

void
scan_head(const struct scan *s, struct buf *out)
{
	kinds[s->server]->head(s, out);
}

void
scan_piece(const struct scan *s, struct buf *out, struct str text)
{
	if (kinds[s->server]->before != NULL && text.n > 0)
		kinds[s->server]->before(out, text.n);
	buf_add(out, text);
}

void
scan_tail(const struct scan *s, struct buf *out)
{
	if (kinds[s->server]->tail != NULL)
		kinds[s->server]->tail(out);
}

/* ---- in ----------------------------------------------------------------------- */

enum scan_state
scan_broken(struct scan *s, const char *why)
{
	s->why = why;
	return SCAN_BROKEN;
}

bool
scan_field(struct str head, struct str name, struct str *value)
{
	struct str line, key;

	(void)str_cut(head, '\n', &line, &head);
	while (head.n > 0) {
		(void)str_cut(head, '\n', &line, &head);
		if (str_cut(line, ':', &key, value) && str_ieq(str_trim(key), name)) {
			*value = str_trim(*value);
			return true;
		}
	}
	return false;
}

/* All of the body is there. */
static enum scan_state
finish(struct scan *s)
{
	const struct scan_kind_ops *k = kinds[s->server];

	return k->take_body != NULL ? k->take_body(s) : SCAN_DONE;
}

static enum scan_state
take_head(struct scan *s, struct str head)
{
	enum scan_state state = kinds[s->server]->take_head(s, head);

	s->in_body = state == SCAN_MORE;
	return s->in_body && s->left == 0 ? finish(s) : state;
}

/* Gathers the head from *BYTES, and leaves what is behind it. */
static enum scan_state
gather_head(struct scan *s, struct str *bytes)
{
	const struct scan_kind_ops *k = kinds[s->server];
	size_t from = s->head.n < k->head_end_n ? 0 : s->head.n - k->head_end_n;
	size_t room = SCAN_HEAD_MAX - s->head.n;
	struct str part = str_head(*bytes, room);
	const char *end;

	buf_add(&s->head, part);
	end = memmem(s->head.p + from, s->head.n - from, k->head_end, k->head_end_n);
	if (end == NULL) {
		*bytes = str_skip(*bytes, part.n);
		return bytes->n > 0 || s->head.n == SCAN_HEAD_MAX ?
		    scan_broken(s, "the head of its answer is too long") : SCAN_MORE;
	}
	*bytes = str_skip(*bytes,
	    part.n - (s->head.n - (size_t)(end - s->head.p) - k->head_end_n));
	return take_head(s, str_n(s->head.p, (size_t)(end - s->head.p)));
}

/* BYTES are of the body, and perhaps its last. */
static enum scan_state
gather_body(struct scan *s, struct str bytes)
{
	if (bytes.n > s->left)
		bytes.n = (size_t)s->left;
	if (s->take != NULL) {
		s->edited += bytes.n;
		if (s->edited > s->about->size + SCAN_EDIT_MORE)
			return scan_broken(s, "the text that it sends back is too long");
		if (!s->take(s->arg, bytes))
			return scan_broken(s, "the text that it sends back cannot be kept");
	} else {
		buf_add(&s->body, bytes);
		if (!buf_ok(&s->body))
			return scan_broken(s, "its answer is too long");
	}
	if (s->left != UINT64_MAX)
		s->left -= bytes.n;
	return s->left == 0 ? finish(s) : SCAN_MORE;
}

enum scan_state
scan_take(struct scan *s, struct str bytes)
{
	if (s->state == SCAN_MORE && !s->in_body)
		s->state = gather_head(s, &bytes);
	if (s->state == SCAN_MORE && s->in_body && bytes.n > 0)
		s->state = gather_body(s, bytes);
	return s->state;
}

enum scan_state
scan_end(struct scan *s)
{
	if (s->state != SCAN_MORE)
		return s->state;
	if (s->in_body && s->left == UINT64_MAX)
		s->state = finish(s);
	else if (!s->in_body && kinds[s->server]->head_is_all && s->head.n > 0)
		s->state = take_head(s, buf_str(&s->head));
	else
		s->state = scan_broken(s, "it closed the connection");
	return s->state;
}

/* ---- what is said ---------------------------------------------------------------- */

/* Adds S with what is no graphic ASCII, or one of NOT, as "?". */
static void
add_clean(struct buf *b, struct str s, const char *not)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		buf_addc(b, c < ' ' || c > '~' || strchr(not, c) != NULL ? '?' : c);
	}
}

void
scan_symbol(struct scan *s, struct str name)
{
	size_t comma = s->symbols.n > 0;

	if (name.n == 0 || s->symbols.n + comma + name.n > MSG_SCAN_SYMBOLS_MAX)
		return;
	if (comma)
		buf_addc(&s->symbols, ',');
	add_clean(&s->symbols, name, " ,;\"\\()<>");
	s->v.symbols = buf_str(&s->symbols);
}

void
scan_say(struct scan *s, struct str text)
{
	buf_reset(&s->what);
	add_clean(&s->what, str_head(text, MSG_SCAN_WHAT_MAX), "\"\\");
	s->v.what = buf_str(&s->what);
}

bool
scan_number(struct str text, int64_t *thousandths)
{
	bool minus = str_starts(text, STR("-"));
	struct str whole = str_skip(text, minus), part;
	bool point = str_cut(whole, '.', &whole, &part);
	uint64_t v, most = (uint64_t)MSG_SCAN_SCORE_MAX / 1000 - 1;
	int64_t sum;

	if (str_u64(whole, most, &v) < 0 || (point && part.n == 0))
		return false;
	sum = (int64_t)v * 1000;
	for (size_t i = 0; i < part.n; i++) {
		if (part.p[i] < '0' || part.p[i] > '9')
			return false;
		if (i < 3)
			sum += (part.p[i] - '0') * (i == 0 ? 100 : i == 1 ? 10 : 1);
	}
	*thousandths = minus ? -sum : sum;
	return true;
}

void
scan_number_add(struct buf *b, int64_t thousandths)
{
	uint64_t v = (uint64_t)(thousandths < 0 ? -thousandths : thousandths);
	unsigned part = (unsigned)(v % 1000);

	if (thousandths < 0)
		buf_addc(b, '-');
	buf_addu(b, v / 1000);
	buf_addf(b, part % 100 == 0 ? ".%.1u" : part % 10 == 0 ? ".%.2u" : ".%.3u",
	    part % 100 == 0 ? part / 100 : part % 10 == 0 ? part / 10 : part);
}
