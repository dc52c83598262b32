/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dsn -- delivery status notifications, from facts to a whole message.
 *
 * The report has three parts: words for people (dsn_text), fields for
 * programs (dsn_status), and the original or its header.  Every foreign text
 * (replies, addresses, names) is bounded, made clean and folded before it
 * goes in, so that none can begin a field, a part or a line too long.  The
 * report decides nothing about who gets one: that is the queue's part.
 *
 * A report about what was sent with SMTPUTF8, and needed it, has the forms of
 * RFC 6533.  If its own recipient has an ASCII address it must reach that by
 * any way: then these parts are encoded, and the message is 7-bit.
 */

#include "mail/dsn.h"

#include "dsn_status.h"
#include "dsn_text.h"
#include "grammar.h"
#include "mail/date.h"
#include "mail/downgrade.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "recode.h"

/* Where a line of the original is broken that no line may have. */
#define BREAK_AT 990
/* Of a Message-ID that is referred to. */
#define MESSAGE_ID_MAX 250

struct report {
	struct buf *b;
	const struct dsn *d;
	struct buf t;		/* a value or a part that is being made */
	struct buf boundary;
	struct str original;	/* what is returned of it */
	bool full;
	bool utf8;		/* RFC 6533 */
	bool encoded;		/* and its parts are quoted-printable */
	bool eight;		/* the original is 8-bit */
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
path_has_8bit(const struct path *p)
{
	return str_has_8bit(p->local) || str_has_8bit(p->domain);
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
		/* RFC 5322 2.1.1: without its CRLF. */
		if (str_ends(line, STR("\r")))
			line.n--;
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

/* True if a host without 8BITMIME can be given MESSAGE, in another form. */
static bool
can_be_7bit(struct str message)
{
	struct downgrade_plan plan;
	struct downgrade_scan scan;
	bool can;

	downgrade_plan_init(&plan);
	downgrade_scan_begin(&scan, &plan, false);
	downgrade_scan_add(&scan, message);
	downgrade_scan_end(&scan);
	can = plan.why_not[DOWNGRADE_TO_7BIT] == NULL;
	downgrade_plan_free(&plan);
	return can;
}

/*
 * RFC 3461 4.3: the whole is returned with failures only.  A message with
 * lines that no line may have cannot be part of another; with 8-bit text
 * where none belongs (in a header, in a signed part) it would keep the
 * report from hosts that take only 7-bit text, and nobody hears of that.
 */
static void
choose_original(struct report *r)
{
	const struct dsn *d = r->d;

	r->full = d->full && d->original.n > 0 &&
	    d->original.n <= DSN_FULL_MAX && any_failed(d) &&
	    !has_long_line(d->original) &&
	    (r->utf8 || !str_has_8bit(d->original) ||
		can_be_7bit(d->original));
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

static void
add_date(struct report *r, const char *name, int64_t t)
{
	buf_reset(&r->t);
	date_add(&r->t, t);
	field_add(r->b, name, buf_str(&r->t));
}

/* A Subject of WORDS and an address, which is encoded if it must be. */
static void
add_subject_of(struct report *r, const char *words, const struct path *p)
{
	struct buf s;

	buf_init(&s, 2000);
	buf_adds(&s, words);
	dsn_clean_path(&s, p, r->utf8);
	buf_reset(&r->t);
	if (r->encoded)
		unstructured_add(&r->t, buf_str(&s));
	else
		buf_add(&r->t, buf_str(&s));
	field_add(r->b, "Subject", buf_str(&r->t));
	buf_free(&s);
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
			add_subject_of(r, order[i].words, &first->rcpt);
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

/* The original's Message-ID, if it is one and no more. */
static struct str
original_id(const struct report *r)
{
	struct field f;
	struct str id;

	if (!header_find(r->d->original, STR("Message-ID"), &f))
		return STR("");
	id = str_trim(f.value);
	if (id.n < 3 || id.n > MESSAGE_ID_MAX || id.p[0] != '<' ||
	    str_find(id, '>') != (ptrdiff_t)id.n - 1 || str_has_8bit(id) ||
	    str_has_ctl(id) || str_find(id, ' ') >= 0)
		return STR("");
	return id;
}

/* Who wrote it, about what, and that no machine shall answer. */
static void
add_identity(struct report *r)
{
	const struct dsn *d = r->d;
	struct str id = original_id(r);

	add_date(r, "Date", d->now);
	buf_reset(&r->t);
	buf_add(&r->t, STR("Mail Delivery System <MAILER-DAEMON@"));
	dsn_clean(&r->t, d->reporting_mta, false);
	buf_addc(&r->t, '>');
	field_add(r->b, "From", buf_str(&r->t));
	buf_reset(&r->t);
	buf_addc(&r->t, '<');
	dsn_clean_path(&r->t, &d->to, r->utf8);
	buf_addc(&r->t, '>');
	field_add(r->b, "To", buf_str(&r->t));
	add_subject(r);
	buf_reset(&r->t);
	buf_addc(&r->t, '<');
	dsn_clean(&r->t, d->message_id, false);
	buf_addc(&r->t, '>');
	field_add(r->b, "Message-ID", buf_str(&r->t));
	/* RFC 3834 3.1.5. */
	if (id.n > 0) {
		field_add(r->b, "In-Reply-To", id);
		field_add(r->b, "References", id);
	}
	/* RFC 3834 5: keeps answering machines quiet. */
	field_add(r->b, "Auto-Submitted", STR("auto-replied"));
}

static void
add_header(struct report *r)
{
	add_identity(r);
	field_add(r->b, "MIME-Version", STR("1.0"));
	/* RFC 6522 3: the subtype of the second part. */
	buf_addf(r->b, "Content-Type: multipart/report; "
	    "report-type=%sdelivery-status;\r\n\tboundary=\"",
	    r->utf8 ? "global-" : "");
	buf_add(r->b, buf_str(&r->boundary));
	buf_add(r->b, STR("\"\r\n"));
	if (!r->encoded && (r->utf8 || r->eight))
		field_add(r->b, "Content-Transfer-Encoding", STR("8bit"));
	buf_add(r->b, STR("\r\n"));
}

/* ENCODING: NULL, or what it has. */
static void
begin_part(struct report *r, const char *type, const char *description,
    const char *encoding)
{
	buf_add(r->b, STR("--"));
	buf_add(r->b, buf_str(&r->boundary));
	buf_add(r->b, STR("\r\n"));
	field_add(r->b, "Content-Type", str_c(type));
	field_add(r->b, "Content-Description", str_c(description));
	if (encoding != NULL)
		field_add(r->b, "Content-Transfer-Encoding", str_c(encoding));
	buf_add(r->b, STR("\r\n"));
}

/* Adds the lines of S in quoted-printable. */
static void
add_encoded(struct buf *b, struct str s)
{
	struct recoder c;
	struct str line;

	recode_init(&c, RECODE_QP);
	while (s.n > 0) {
		str_cut(s, '\n', &line, &s);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		recode_add(&c, line, b);
		recode_line(&c, true, b);
	}
	recode_end(&c, b);
}

/* Adds the part that ADD makes; its type is GLOBAL in a report of RFC 6533. */
static void
add_part(struct report *r, const char *type, const char *global,
    const char *description, void (*add)(struct report *r, struct buf *b))
{
	struct buf part;

	begin_part(r, r->utf8 ? global : type, description,
	    r->encoded ? "quoted-printable" : r->utf8 ? "8bit" : NULL);
	if (!r->encoded) {
		add(r, r->b);
		return;
	}
	buf_init(&part, r->b->max);
	add(r, &part);
	if (buf_ok(&part))
		add_encoded(r->b, buf_str(&part));
	else
		r->b->err = true;
	buf_free(&part);
}

static void
put_words(struct report *r, struct buf *b)
{
	dsn_text_add(b, r->d, r->full);
}

static void
put_status(struct report *r, struct buf *b)
{
	dsn_status_add(b, r->d);
}

/* Adds a line without its end, cleaned of CR and NUL, broken if too long. */
static void
put_original_line(struct buf *b, struct str line)
{
	size_t col = 0;

	for (size_t i = 0; i < line.n; i++) {
		/* At a character's start, if there is one near. */
		if (line.n > MAIL_LINE_MAX && col >= BREAK_AT &&
		    (((unsigned char)line.p[i] & 0xc0) != 0x80 ||
		    col >= BREAK_AT + 4)) {
			buf_add(b, STR("\r\n "));
			col = 1;
		}
		buf_addc(b, line.p[i] == '\r' || line.p[i] == '\0' ?
		    '?' : line.p[i]);
		col++;
	}
	buf_add(b, STR("\r\n"));
}

static void
put_original(struct report *r, struct buf *b)
{
	struct str line, rest = r->original;

	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		put_original_line(b, line);
	}
}

static void
add_original(struct report *r)
{
	const char *what = r->full ? "The message" :
				     "The header of the message";

	if (r->utf8) {
		add_part(r, NULL, r->full ? "message/global" :
		    "message/global-headers", what, put_original);
		return;
	}
	begin_part(r, r->full ? "message/rfc822" :
	    r->eight ? "text/rfc822-headers; charset=utf-8" :
	    "text/rfc822-headers", what, r->eight ? "8bit" : NULL);
	put_original(r, r->b);
}

/* True if the report must have the forms of RFC 6533. */
static bool
needs_utf8(const struct dsn *d)
{
	bool wide = path_has_8bit(&d->to) ||
	    str_has_8bit(header_part(d->original));

	for (size_t i = 0; i < d->rcpt_n && !wide; i++)
		wide = path_has_8bit(&d->rcpts[i].rcpt);
	return d->smtputf8 && wide;
}

bool
dsn_add(struct buf *b, const struct dsn *asked)
{
	struct dsn d = *asked;
	struct report r = { .b = b, .d = &d };

	d.smtputf8 = needs_utf8(asked);
	r.utf8 = d.smtputf8;
	r.encoded = r.utf8 && !path_has_8bit(&d.to);
	buf_init(&r.t, 4096);
	buf_init(&r.boundary, 128);
	choose_original(&r);
	choose_boundary(&r);
	add_header(&r);
	add_part(&r, "text/plain; charset=us-ascii",
	    "text/plain; charset=utf-8", "Report", put_words);
	buf_add(b, STR("\r\n"));
	add_part(&r, "message/delivery-status",
	    "message/global-delivery-status", "Delivery status", put_status);
	buf_add(b, STR("\r\n"));
	add_original(&r);
	buf_add(b, STR("\r\n--"));
	buf_add(b, buf_str(&r.boundary));
	buf_add(b, STR("--\r\n"));
	buf_free(&r.t);
	buf_free(&r.boundary);
	return r.utf8 && !r.encoded;
}
