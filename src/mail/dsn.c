/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dsn -- delivery status notifications, from facts to a whole message.
 *
 * The report has three parts: words for people, fields for programs, and
 * the original or its header.  The words are in dsn_text.  Every foreign
 * text (replies, addresses, names) is bounded, made ASCII and folded before
 * it goes in, so that none can begin a field, a part or a line too long.
 * The report decides nothing about who gets one: that is the queue's part.
 */

#include "mail/dsn.h"

#include "dsn_text.h"
#include "grammar.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/text.h"

/* Where a line of the original is broken that no line may have. */
#define BREAK_AT 990
/* The address type of an ORCPT; the longest that is registered has 6. */
#define ORCPT_TYPE_MAX 64

struct report {
	struct buf *b;
	const struct dsn *d;
	struct buf t;		/* a value that is being made */
	struct buf boundary;
	struct str original;	/* what is returned of it */
	bool full;
	bool eight;
};

unsigned
notify_parse(struct str s)
{
	static const struct {
		struct str name;
		unsigned bit;
	} words[] = {
		{ { "NEVER", 5 }, NOTIFY_NEVER },
		{ { "SUCCESS", 7 }, NOTIFY_SUCCESS },
		{ { "FAILURE", 7 }, NOTIFY_FAILURE },
		{ { "DELAY", 5 }, NOTIFY_DELAY },
	};
	unsigned notify = 0;
	struct str word;
	bool more;

	do {
		unsigned bit = 0;

		more = str_cut(s, ',', &word, &s);
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (str_ieq(word, words[i].name))
				bit = words[i].bit;
		if (bit == 0 || (notify & bit) != 0)
			return 0;
		notify |= bit;
	} while (more);
	/* RFC 3461 4.1: NEVER stands alone. */
	if ((notify & NOTIFY_NEVER) != 0 && notify != NOTIFY_NEVER)
		return 0;
	return notify;
}

void
notify_add(struct buf *b, unsigned notify)
{
	const char *comma = "";

	if ((notify & NOTIFY_NEVER) != 0) {
		buf_add(b, STR("NEVER"));
		return;
	}
	if ((notify & NOTIFY_SUCCESS) != 0) {
		buf_add(b, STR("SUCCESS"));
		comma = ",";
	}
	if ((notify & NOTIFY_FAILURE) != 0) {
		buf_adds(b, comma);
		buf_add(b, STR("FAILURE"));
		comma = ",";
	}
	if ((notify & NOTIFY_DELAY) != 0) {
		buf_adds(b, comma);
		buf_add(b, STR("DELAY"));
	}
}

static bool
any_failed(const struct dsn *d)
{
	for (size_t i = 0; i < d->rcpt_n; i++)
		if (d->rcpts[i].action == DSN_FAILED)
			return true;
	return false;
}

static bool
has_long_line(struct str s)
{
	struct str line;

	while (s.n > 0) {
		str_cut(s, '\n', &line, &s);
		if (line.n > MAIL_LINE_MAX)
			return true;
	}
	return false;
}

/* The header of MESSAGE, or as many whole fields of it as there is room for. */
static struct str
header_part(struct str message)
{
	struct str rest = message;
	struct field f;
	size_t n = 0;

	while (field_next(&rest, &f) == 1 && n + f.raw.n <= DSN_FULL_MAX)
		n += f.raw.n;
	return str_head(message, n);
}

/*
 * RFC 3461 4.3: the whole is returned with failures only.  A message with
 * lines that no line may have cannot be part of another.
 */
static void
choose_original(struct report *r)
{
	const struct dsn *d = r->d;

	r->full = d->full && d->original.n > 0 &&
	    d->original.n <= DSN_FULL_MAX && any_failed(d) &&
	    !has_long_line(d->original);
	r->original = r->full ? d->original : header_part(d->original);
	r->eight = str_has_8bit(r->original);
}

/*
 * RFC 2046 5.1.1.  "=_" is in no base64 and no quoted-printable text; the
 * rest is looked for, since the original may be made to hold it.
 */
static void
choose_boundary(struct report *r)
{
	struct str original = r->d->original;
	struct str id = str_head(r->d->message_id, 40);
	uint64_t n = 0;

	do {
		buf_reset(&r->boundary);
		buf_add(&r->boundary, STR("=_"));
		for (size_t i = 0; i < id.n; i++)
			if (is_alnum(id.p[i]))
				buf_addc(&r->boundary, id.p[i]);
		buf_addc(&r->boundary, '_');
		buf_addu(&r->boundary, n++);
	} while (original.n > 0 && memmem(original.p, original.n,
	    buf_cstr(&r->boundary), r->boundary.n) != NULL);
}

/* Adds a field: KIND as it is, then VALUE made clean. */
static void
add_field(struct report *r, const char *name, const char *kind,
    struct str value)
{
	buf_reset(&r->t);
	buf_adds(&r->t, kind);
	dsn_clean(&r->t, value);
	field_add(r->b, name, buf_str(&r->t));
}

static void
add_date(struct report *r, const char *name, int64_t t)
{
	buf_reset(&r->t);
	date_add(&r->t, t);
	field_add(r->b, name, buf_str(&r->t));
}

/*
 * Adds a field whose value was xtext.  What it means is shown (RFC 3461
 * 6.3), unless it means what no field may hold: then the xtext is.
 */
static void
add_xtext(struct report *r, const char *name, struct str kind,
    struct str xtext)
{
	size_t start;

	xtext = str_head(xtext, DSN_FOREIGN_MAX);
	buf_reset(&r->t);
	dsn_clean(&r->t, kind);
	start = r->t.n;
	if (!xtext_valid(xtext) || xtext_decode(xtext, &r->t) == -1 ||
	    str_has_8bit(str_skip(buf_str(&r->t), start))) {
		buf_cut(&r->t, start);
		dsn_clean(&r->t, xtext);
	}
	field_add(r->b, name, buf_str(&r->t));
}

static void
add_path_field(struct report *r, const char *name, const char *before,
    const struct path *p, const char *after)
{
	buf_reset(&r->t);
	buf_adds(&r->t, before);
	dsn_clean_path(&r->t, p);
	buf_adds(&r->t, after);
	field_add(r->b, name, buf_str(&r->t));
}

static void
add_subject(struct report *r)
{
	static const struct {
		enum dsn_action action;
		const char *words;
	} order[] = {
		{ DSN_FAILED, "Delivery failed: " },
		{ DSN_DELAYED, "Delivery delayed: " },
		{ DSN_DELIVERED, "Delivered: " },
		{ DSN_RELAYED, "Handed on: " },
		{ DSN_EXPANDED, "Delivered to a list: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const struct dsn_rcpt *first = NULL;
		size_t n = dsn_count(r->d, order[i].action, &first);

		if (n == 0)
			continue;
		if (n == 1) {
			add_path_field(r, "Subject", order[i].words,
			    &first->rcpt, "");
			return;
		}
		buf_reset(&r->t);
		buf_adds(&r->t, order[i].words);
		buf_addu(&r->t, n);
		buf_add(&r->t, STR(" recipients"));
		field_add(r->b, "Subject", buf_str(&r->t));
		return;
	}
	field_add(r->b, "Subject", STR("Delivery report"));
}

static void
add_header(struct report *r)
{
	const struct dsn *d = r->d;

	add_date(r, "Date", d->now);
	buf_reset(&r->t);
	buf_add(&r->t, STR("Mail Delivery System <MAILER-DAEMON@"));
	dsn_clean(&r->t, d->reporting_mta);
	buf_addc(&r->t, '>');
	field_add(r->b, "From", buf_str(&r->t));
	add_path_field(r, "To", "<", &d->to, ">");
	add_subject(r);
	buf_reset(&r->t);
	buf_addc(&r->t, '<');
	dsn_clean(&r->t, d->message_id);
	buf_addc(&r->t, '>');
	field_add(r->b, "Message-ID", buf_str(&r->t));
	/* RFC 3834 5: keeps answering machines quiet. */
	field_add(r->b, "Auto-Submitted", STR("auto-replied"));
	field_add(r->b, "MIME-Version", STR("1.0"));
	buf_add(r->b, STR("Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n\tboundary=\""));
	buf_add(r->b, buf_str(&r->boundary));
	buf_add(r->b, STR("\"\r\n"));
	if (r->eight)
		field_add(r->b, "Content-Transfer-Encoding", STR("8bit"));
	buf_add(r->b, STR("\r\n"));
}

static void
begin_part(struct report *r, const char *type, const char *description)
{
	buf_add(r->b, STR("--"));
	buf_add(r->b, buf_str(&r->boundary));
	buf_add(r->b, STR("\r\n"));
	field_add(r->b, "Content-Type", str_c(type));
	field_add(r->b, "Content-Description", str_c(description));
}

/* RFC 3464 2.2. */
static void
add_message_fields(struct report *r)
{
	const struct dsn *d = r->d;

	if (d->envid.n > 0)
		add_xtext(r, "Original-Envelope-Id", STR(""), d->envid);
	add_field(r, "Reporting-MTA", "dns; ", d->reporting_mta);
	if (d->received_from.n > 0)
		add_field(r, "Received-From-MTA", "dns; ", d->received_from);
	if (d->arrival > 0)
		add_date(r, "Arrival-Date", d->arrival);
}

/* RFC 3464 2.3.4: a status that is none is put right by the action. */
static const char *
status_of(const struct dsn_rcpt *rcpt)
{
	struct str s = str_c(rcpt->status);
	char code[12] = "";

	if (s.n > 0 && enhanced_take(s, s.p[0], code).n == 0 && code[0] != '\0')
		return rcpt->status;
	return rcpt->action == DSN_FAILED ? "5.0.0" :
	    rcpt->action == DSN_DELAYED ? "4.0.0" : "2.0.0";
}

/* RFC 3464 2.3. */
static void
add_rcpt_fields(struct report *r, const struct dsn_rcpt *rcpt)
{
	static const char *const actions[] = { "failed", "delayed",
		"delivered", "relayed", "expanded" };
	ptrdiff_t kind = str_find(rcpt->orcpt, ';');

	buf_add(r->b, STR("\r\n"));
	if (kind > 0 && kind < ORCPT_TYPE_MAX)
		add_xtext(r, "Original-Recipient",
		    str_head(rcpt->orcpt, (size_t)kind + 1),
		    str_skip(rcpt->orcpt, (size_t)kind + 1));
	add_path_field(r, "Final-Recipient", "rfc822; ", &rcpt->rcpt, "");
	field_add(r->b, "Action", str_c(actions[rcpt->action]));
	field_add(r->b, "Status", str_c(status_of(rcpt)));
	if (rcpt->remote_mta.n > 0)
		add_field(r, "Remote-MTA", "dns; ", rcpt->remote_mta);
	if (rcpt->diagnostic.n > 0)
		add_field(r, "Diagnostic-Code",
		    rcpt->smtp_diagnostic ? "smtp; " : "x-barid; ",
		    rcpt->diagnostic);
	if (rcpt->last_attempt > 0)
		add_date(r, "Last-Attempt-Date", rcpt->last_attempt);
	if (r->d->queue_id.n > 0)
		add_field(r, "Final-Log-ID", "", r->d->queue_id);
	if (rcpt->action == DSN_DELAYED && rcpt->retry_until > 0)
		add_date(r, "Will-Retry-Until", rcpt->retry_until);
}

/* Adds a line without its end, cleaned of CR and NUL, broken if too long. */
static void
add_original_line(struct report *r, struct str line)
{
	size_t col = 0;

	for (size_t i = 0; i < line.n; i++) {
		/* At a character's start, if there is one near. */
		if (line.n > MAIL_LINE_MAX && col >= BREAK_AT &&
		    (((unsigned char)line.p[i] & 0xc0) != 0x80 ||
		    col >= BREAK_AT + 4)) {
			buf_add(r->b, STR("\r\n "));
			col = 1;
		}
		buf_addc(r->b, line.p[i] == '\r' || line.p[i] == '\0' ?
		    '?' : line.p[i]);
		col++;
	}
	buf_add(r->b, STR("\r\n"));
}

static void
add_original(struct report *r)
{
	struct str line, rest = r->original;

	begin_part(r, r->full ? "message/rfc822" :
	    r->eight ? "text/rfc822-headers; charset=utf-8" :
	    "text/rfc822-headers",
	    r->full ? "The message" : "The header of the message");
	if (r->eight)
		field_add(r->b, "Content-Transfer-Encoding", STR("8bit"));
	buf_add(r->b, STR("\r\n"));
	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		add_original_line(r, line);
	}
}

void
dsn_add(struct buf *b, const struct dsn *d)
{
	struct report r = { .b = b, .d = d };

	buf_init(&r.t, 4096);
	buf_init(&r.boundary, 128);
	choose_original(&r);
	choose_boundary(&r);
	add_header(&r);
	begin_part(&r, "text/plain; charset=us-ascii", "Report");
	buf_add(b, STR("\r\n"));
	dsn_text_add(b, d, r.full);
	buf_add(b, STR("\r\n"));
	begin_part(&r, "message/delivery-status", "Delivery status");
	buf_add(b, STR("\r\n"));
	add_message_fields(&r);
	for (size_t i = 0; i < d->rcpt_n; i++)
		add_rcpt_fields(&r, &d->rcpts[i]);
	buf_add(b, STR("\r\n"));
	add_original(&r);
	buf_add(b, STR("\r\n--"));
	buf_add(b, buf_str(&r.boundary));
	buf_add(b, STR("--\r\n"));
	buf_free(&r.t);
	buf_free(&r.boundary);
}
