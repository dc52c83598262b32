/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * result -- what became of an attempt, in the words of log and report.
 *
 * Replies of peers are bounded and made one line here; what is dangerous in
 * them (control characters, what is no UTF-8) is the business of those who
 * write them down: log, dsn and queue escape each in their own way.
 */

#include "result.h"

/* Of a reply that is kept: RFC 5321 4.5.3.1.5 gives one line 512 octets. */
#define REPLY_KEEP 500

struct result
result_words(enum outcome o, const char *status, struct str words)
{
	struct result res = { .outcome = o, .reply = words, .text = words };

	memcpy(res.status, status, strnlen(status, sizeof(res.status) - 1));
	return res;
}

static const char *
step_name(enum client_step step)
{
	switch (step) {
	case STEP_GREETING:
		return "greeting";
	case STEP_EHLO:
		return "EHLO command";
	case STEP_STARTTLS:
		return "STARTTLS command";
	case STEP_AUTH:
		return "AUTH command";
	case STEP_MAIL:
		return "MAIL FROM command";
	case STEP_RCPT:
		return "RCPT TO command";
	case STEP_DATA:
		return "DATA command";
	case STEP_TEXT:
		return "end of DATA command";
	case STEP_RSET:
		return "RSET command";
	case STEP_QUIT:
		break;
	}
	return "QUIT command";
}

/* The reply as one line: "550 5.1.1 no such user". */
static struct str
one_line(struct arena *a, const struct reply *r)
{
	char *p = arena_alloc(a, REPLY_KEEP + 32);
	struct buf b;
	size_t n;

	buf_init(&b, 64);
	if (r->code != 0)
		buf_addf(&b, "%d ", r->code);
	if (r->code != 0 && r->enhanced[0] != '\0')
		buf_addf(&b, "%s ", r->enhanced);
	n = b.n < 31 ? b.n : 31;
	memcpy(p, buf_cstr(&b), n);
	buf_free(&b);
	for (size_t i = 0; i < r->text.n && i < REPLY_KEEP; i++)
		p[n++] = r->text.p[i] == '\n' ? ' ' : r->text.p[i];
	return str_trim(str_n(p, n));
}

/* The enhanced code, or one that says as much as the outcome does. */
static void
status_set(struct result *res, enum client_step step, const struct reply *r)
{
	static const char *const plain[] = { [DELIVERED] = "2.0.0",
		[TEMPFAIL] = "4.0.0", [PERMFAIL] = "5.0.0" };
	const char *status = plain[res->outcome];
	bool milder = r->enhanced[0] == '5' && status[0] == '4';

	if (r->enhanced[0] == status[0] || milder)
		status = r->enhanced;
	else if (r->code == 0 && res->outcome == TEMPFAIL)
		status = step == STEP_STARTTLS ? "4.7.5" :
		    step == STEP_AUTH	       ? "4.7.8" :
						 "4.4.2";
	memcpy(res->status, status, strnlen(status, sizeof(res->status) - 1));
	/* A 5xx that is not the mail's: what it is about, of another class. */
	if (milder)
		res->status[0] = '4';
}

struct result
result_reply(struct arena *a, struct str host, struct str relay,
    enum outcome o, enum client_step step, const struct reply *r)
{
	struct result res = { .outcome = o, .remote = r->code != 0 };

	status_set(&res, step, r);
	res.host = arena_str(a, host);
	res.relay = arena_str(a, relay);
	res.reply = one_line(a, r);
	if (o == DELIVERED)
		res.text = res.reply;
	else if (res.remote)
		res.text = str_c(arena_printf(a,
		    "host %.*s said: %.*s (in reply to %s)", STR_ARG(relay),
		    STR_ARG(res.reply), step_name(step)));
	else
		res.text = str_c(arena_printf(a, "%.*s (%.*s)",
		    STR_ARG(res.reply), STR_ARG(relay)));
	return res;
}

struct result
result_copy(struct arena *a, const struct result *r)
{
	struct result res = *r;

	res.relay = arena_str(a, r->relay);
	res.host = arena_str(a, r->host);
	res.reply = arena_str(a, r->reply);
	/* Our own words are both, and often. */
	res.text = r->text.p == r->reply.p && r->text.n == r->reply.n ?
	    res.reply : arena_str(a, r->text);
	res.source = arena_str(a, r->source);
	res.tls = arena_str(a, r->tls);
	return res;
}

void
delay_add(struct buf *b, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	/* Two digits that count, as the field's tools are used to. */
	if (ms >= 9950)
		buf_addu(b, (uint64_t)(ms + 500) / 1000);
	else if (ms >= 995)
		buf_addf(b, "%d.%d", (int)((ms + 50) / 1000),
		    (int)((ms + 50) / 100 % 10));
	else if (ms >= 5)
		buf_addf(b, "0.%02d", (int)((ms + 5) / 10));
	else
		buf_addc(b, '0');
}

/* ---- causes ------------------------------------------------------------------ */

/* Six strings, each bounded by whoever made it. */
#define CAUSE_MAX 16384

void
cause_init(struct cause *c)
{
	*c = (struct cause){ .result = { .outcome = TEMPFAIL } };
	arena_init(&c->arena, CAUSE_MAX);
}

void
cause_set(struct cause *c, const struct result *r)
{
	struct arena old = c->arena;

	/* R may be C's own. */
	arena_init(&c->arena, CAUSE_MAX);
	c->result = result_copy(&c->arena, r);
	arena_free(&old);
}

void
cause_free(struct cause *c)
{
	arena_free(&c->arena);
}
