/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * envelope -- the form of an envelope in the spool, written.
 *
 * A first line of fixed width, "key: value" lines, one line for each
 * recipient, a blank line (barid-spool(5)).  Nothing that is foreign is
 * escaped: values hold no control characters, and an envelope that has one
 * is refused here, so that no value can pass for a line of its own.  So is all
 * else that envelope_parse() would not read: a message that was acknowledged
 * and cannot be read is lost.  What changes later (states, count of delay
 * reports) has a fixed width and is overwritten in place; it counts as its
 * first value in the checksum.
 */

#include "queue/envelope.h"

#include "conf/collect.h"
#include "lib/hash.h"
#include "mail/text.h"

#include "envelope_line.h"
#include "spool.h"

static const char first_line[] = FIRST_LINE;

bool
envelope_tells_nobody(const struct envelope *e)
{
	return path_is_null(&e->from) || str_eq(e->listener, STR(CONF_LISTEN_COLLECT));
}

/* A value that may stand behind "key: ". */
static bool
is_value(struct str s)
{
	return !str_has_ctl(s);
}

/* A value that may stand among others in a line. */
static bool
is_word(struct str s)
{
	return is_value(s) && str_find(s, ' ') < 0;
}

/* RFC 5322 calls it a field name; here lower case, so that it is one word. */
static bool
is_key(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	return s.n > 0 && !envelope_key_known(s);
}

static void
add_line(struct buf *b, struct str key, struct str value)
{
	if (!is_value(value))
		b->err = true;
	buf_add(b, key);
	buf_add(b, STR(": "));
	buf_add(b, value);
	buf_addc(b, '\n');
}

/* The same, but an empty value is not written at all. */
static void
add_text(struct buf *b, const char *key, struct str value)
{
	if (value.n > 0)
		add_line(b, str_c(key), value);
}

static void
add_path(struct buf *b, const struct path *p)
{
	if (path_check(p) != NULL)
		b->err = true;
	buf_addc(b, '<');
	path_add(b, p);
	buf_addc(b, '>');
}

static void
add_notify(struct buf *b, unsigned notify)
{
	size_t at = b->n;

	notify_add(b, notify);
	if (notify_parse(str_skip(buf_str(b), at)) != notify)
		b->err = true;
}

static void
add_rcpt(struct buf *b, const struct envelope_rcpt *r)
{
	buf_adds(b, RCPT_KEY);
	buf_addc(b, (char)r->state);
	buf_addc(b, ' ');
	add_path(b, &r->path);
	if (r->notify != 0) {
		buf_add(b, STR(" notify="));
		add_notify(b, r->notify);
	}
	if (r->orcpt.n > 0) {
		if (!is_word(r->orcpt))
			b->err = true;
		buf_add(b, STR(" orcpt="));
		buf_add(b, r->orcpt);
	}
	if (r->of.n > 0) {
		if (!xtext_valid(r->of))
			b->err = true;
		buf_add(b, STR(" of="));
		buf_add(b, r->of);
	}
	if (r->part.n > 0) {
		if (!is_word(r->part))
			b->err = true;
		buf_add(b, STR(" part="));
		buf_add(b, r->part);
	}
	buf_addc(b, '\n');
	if (r->state == 0 || strchr(RCPT_STATES, r->state) == NULL ||
	    r->path.local.n == 0)
		b->err = true;
}

static void
add_number(struct buf *b, const char *key, uint64_t v)
{
	buf_adds(b, key);
	buf_addu(b, v);
	buf_addc(b, '\n');
}

/* A number that 0 leaves out. */
static void
add_setting(struct buf *b, const char *key, int64_t v)
{
	if (v < 0)
		b->err = true;
	if (v > 0)
		add_number(b, key, (uint64_t)v);
}

static void
add_priority(struct buf *b, int priority)
{
	if (priority < -ENVELOPE_PRIORITY_MAX ||
	    priority > ENVELOPE_PRIORITY_MAX)
		b->err = true;
	if (priority != 0)
		buf_addf(b, "priority: %d\n", priority);
}

static void
add_settings(struct buf *b, const struct envelope *e)
{
	int64_t ms[ENVELOPE_RETRY_MAX];

	add_setting(b, "not-before: ", e->not_before_us);
	add_setting(b, "deadline: ", e->deadline_us);
	add_setting(b, "max-attempts: ", e->max_attempts);
	if (e->max_attempts > ENVELOPE_ATTEMPTS_MAX ||
	    (e->retry.n > 0 && envelope_retry(e->retry, ms) == 0))
		b->err = true;
	add_text(b, "retry", e->retry);
	add_text(b, "source", e->source);
	add_text(b, "route", e->route);
	add_text(b, "route-user", e->route_user);
	add_text(b, "route-password", e->route_password);
	add_text(b, "key", e->key);
	add_text(b, "dkim", e->dkim);
	add_priority(b, e->priority);
	add_text(b, "checks", e->checks);
}

/* RFC 2852 4: when, and what then; "T" is the wish for traces. */
static void
add_by(struct buf *b, const struct envelope *e)
{
	if (e->by_us < 0)
		b->err = true;
	if (e->by_mode != BY_UNSAID)
		buf_addf(b, "by: %llu %s%s\n", (unsigned long long)e->by_us,
		    e->by_mode == BY_RETURN ? "R" : "N",
		    e->by_trace ? "T" : "");
}

static void
add_keys(struct buf *b, const struct envelope *e)
{
	char delays[DELAYS_LEN + 1] = "";

	add_line(b, STR("id"), str_c(e->id));
	buf_add(b, STR("from: "));
	add_path(b, &e->from);
	buf_addc(b, '\n');
	add_number(b, "time: ", (uint64_t)e->arrival_us);
	spool_dec(delays, DELAYS_LEN, e->delays);
	add_text(b, "delays", str_c(delays));
	add_text(b, "client", e->client);
	add_text(b, "helo", e->helo);
	add_text(b, "proto", e->proto);
	add_text(b, "user", e->user);
	if (e->ours)
		add_text(b, "ours", STR("yes"));
	add_text(b, "listener", e->listener);
	add_text(b, "local", e->local);
	add_text(b, "tls", e->tls);
	add_text(b, "certificate", e->certificate);
	add_text(b, "certificate-chain", e->chain);
	add_text(b, "body", str_c(envelope_body_name(e->body)));
	if (e->smtputf8)
		add_text(b, "smtputf8", STR("yes"));
	add_text(b, "ret", str_c(envelope_ret_name(e->ret)));
	add_text(b, "envid", e->envid);
	add_text(b, "report", e->report);
	add_text(b, "auth", e->auth);
	add_text(b, "requiretls", str_c(envelope_tls_name(e->tls_wish)));
	add_by(b, e);
	add_settings(b, e);
	for (size_t i = 0; i < e->extra_n; i++) {
		if (!is_key(e->extras[i].key))
			b->err = true;
		add_line(b, e->extras[i].key, e->extras[i].value);
	}
}

/* Makes what stands in B from AT on, and a line that ends it, SIZE octets long. */
static void
add_pad(struct buf *b, size_t at, size_t size)
{
	size_t n = b->n - at + 1, most = sizeof(PAD_KEY);

	if (n == size)
		return;
	if (n + most > size || size > ENVELOPE_MAX) {
		b->err = true;
		return;
	}
	buf_adds(b, PAD_KEY);
	for (n += most; n < size; n++)
		buf_addc(b, '.');
	buf_addc(b, '\n');
}

/* SIZE 0: as long as it is. */
static void
format(struct buf *b, const struct envelope *e, size_t size)
{
	size_t at = b->n, n;

	if (!queue_id_valid(str_c(e->id)) || e->arrival_us < 0 ||
	    e->delays > ENVELOPE_DELAYS_MAX || e->rcpt_n == 0 ||
	    e->rcpt_n > ENVELOPE_RCPT_MAX || e->extra_n > ENVELOPE_EXTRA_MAX)
		b->err = true;
	buf_add(b, str_c(first_line));
	add_keys(b, e);
	for (size_t i = 0; i < e->rcpt_n && !b->err; i++)
		add_rcpt(b, &e->rcpts[i]);
	if (size > 0 && !b->err)
		add_pad(b, at, size);
	buf_addc(b, '\n');
	n = b->n - at;
	if (n > ENVELOPE_MAX)
		b->err = true;
	if (b->err)
		return;
	spool_dec(b->p + at + FIRST_LENGTH_AT, FIRST_LENGTH_N, n);
	spool_hex(b->p + at + FIRST_SUM_AT, FIRST_SUM_N,
	    envelope_sum(str_n(b->p + at, n)));
}

void
envelope_format(struct buf *b, const struct envelope *e)
{
	format(b, e, 0);
}

void
envelope_format_to(struct buf *b, const struct envelope *e, size_t size)
{
	format(b, e, size);
}

size_t
envelope_rcpts_size(const struct envelope_rcpt *rcpts, size_t n)
{
	struct buf b;
	size_t octets = 0;

	buf_init(&b, ENVELOPE_MAX);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&b);
		add_rcpt(&b, &rcpts[i]);
		octets += b.n;
	}
	buf_free(&b);
	return octets;
}

void
envelope_seal(char *block, uint64_t size, uint32_t crc)
{
	spool_dec(block + FIRST_SIZE_AT, FIRST_SIZE_N, size);
	spool_hex(block + FIRST_CRC_AT, FIRST_CRC_N, crc);
}

/* The octets of LINE that may change in place: their offset, and number. */
static size_t
variable_part(struct str line, size_t *n)
{
	if (str_starts(line, STR(RCPT_KEY))) {
		*n = 1;
		return sizeof(RCPT_KEY) - 1;
	}
	*n = str_starts(line, STR(DELAYS_KEY)) ? DELAYS_LEN : 0;
	return sizeof(DELAYS_KEY) - 1;
}

uint32_t
envelope_sum(struct str block)
{
	struct str line, rest = str_skip(block, FIRST_LEN);
	const char *from = rest.p, *end = rest.p + rest.n;
	uint32_t crc = 0;

	while (str_cut(rest, '\n', &line, &rest)) {
		size_t n, at = variable_part(line, &n);

		if (n == 0 || at + n > line.n)
			continue;
		crc = crc32c(crc, from, (size_t)(line.p + at - from));
		crc = crc32c(crc, n == 1 ? "Q" : "00", n);
		from = line.p + at + n;
	}
	return crc32c(crc, from, (size_t)(end - from));
}
