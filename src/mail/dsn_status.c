/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dsn_status -- what a report says to programs (RFC 3464, RFC 6533).
 *
 * A group of fields about the message and one for each recipient.  What the
 * sender gave (ENVID, ORCPT) is given back as it was meant, and only if it
 * was given.  Each foreign text is bounded and made clean, so that it is no
 * more than the value of its field.
 */

#include "dsn_status.h"

#include "dsn_text.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/text.h"

/* The address type of an ORCPT; the longest that is registered has 6. */
#define ORCPT_TYPE_MAX 64
/* Digits of \x{10FFFF}. */
#define ESCAPE_DIGITS_MAX 6

struct group {
	struct buf *b;
	bool utf8;
	struct buf t;	/* a value that is being made */
};

/* Adds a field: KIND as it is, then VALUE made clean. */
static void
add_field(struct group *g, const char *name, const char *kind,
    struct str value)
{
	buf_reset(&g->t);
	buf_adds(&g->t, kind);
	dsn_clean(&g->t, value, g->utf8);
	field_add(g->b, name, buf_str(&g->t));
}

static void
add_date(struct group *g, const char *name, int64_t t)
{
	buf_reset(&g->t);
	date_add(&g->t, t);
	field_add(g->b, name, buf_str(&g->t));
}

/*
 * Adds a field whose value was xtext.  What it means is shown (RFC 3461
 * 6.3), unless it means what no field may hold: then the xtext is.
 */
static void
add_xtext(struct group *g, const char *name, struct str kind,
    struct str xtext)
{
	size_t start;

	xtext = str_head(xtext, DSN_FOREIGN_MAX);
	buf_reset(&g->t);
	dsn_clean(&g->t, kind, false);
	start = g->t.n;
	if (!xtext_valid(xtext) || xtext_decode(xtext, &g->t) == -1 ||
	    str_has_8bit(str_skip(buf_str(&g->t), start))) {
		buf_cut(&g->t, start);
		dsn_clean(&g->t, xtext, g->utf8);
	}
	field_add(g->b, name, buf_str(&g->t));
}

/* The value of a hexadecimal digit as RFC 6533 writes it; -1: it is none. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void
add_character(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_addc(b, (char)(0xf0 | (c >> 18 & 7)));
		buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	if (c >= 0x80)
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* RFC 6533 3: adds what S means, in which \x{FC} is a character. */
static void
add_unescaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = str_skip(s, i);
		uint32_t c = 0;
		size_t n = 3;

		if (str_starts(rest, STR("\\x{")))
			for (; n < rest.n && n < 3 + ESCAPE_DIGITS_MAX &&
			    hex_value(rest.p[n]) >= 0; n++)
				c = c << 4 | (uint32_t)hex_value(rest.p[n]);
		if (n == 3 || n >= rest.n || rest.p[n] != '}' ||
		    c > 0x10ffff) {
			buf_addc(b, s.p[i]);
			continue;
		}
		add_character(b, c);
		i += n;
	}
}

/* RFC 6533 3: an ORCPT of type utf-8, in UTF-8 if this may be. */
static void
add_utf8_orcpt(struct group *g, struct str orcpt)
{
	struct buf meant;

	buf_init(&meant, 2 * DSN_FOREIGN_MAX);
	if (g->utf8)
		add_unescaped(&meant, str_head(orcpt, DSN_FOREIGN_MAX));
	if (!g->utf8 || !str_is_utf8(buf_str(&meant)) ||
	    str_has_ctl(buf_str(&meant)))
		add_field(g, "Original-Recipient", "utf-8; ", orcpt);
	else
		add_field(g, "Original-Recipient", "utf-8; ",
		    buf_str(&meant));
	buf_free(&meant);
}

static void
add_orcpt(struct group *g, struct str orcpt)
{
	ptrdiff_t kind = str_find(orcpt, ';');

	if (kind <= 0 || kind >= ORCPT_TYPE_MAX)
		return;
	if (str_istarts(orcpt, STR("utf-8;")))
		add_utf8_orcpt(g, str_skip(orcpt, (size_t)kind + 1));
	else
		add_xtext(g, "Original-Recipient",
		    str_head(orcpt, (size_t)kind + 1),
		    str_skip(orcpt, (size_t)kind + 1));
}

static void
add_final(struct group *g, const struct path *p)
{
	bool wide = g->utf8 &&
	    (str_has_8bit(p->local) || str_has_8bit(p->domain));

	buf_reset(&g->t);
	buf_adds(&g->t, wide ? "utf-8; " : "rfc822; ");
	dsn_clean_path(&g->t, p, g->utf8);
	field_add(g->b, "Final-Recipient", buf_str(&g->t));
}

/* Makes an address literal of ADDRESS in B; false if it is no address. */
static bool
make_literal(struct buf *b, struct str address)
{
	buf_init(b, DSN_FOREIGN_MAX);
	buf_adds(b, str_find(address, ':') >= 0 ? "[IPv6:" : "[");
	buf_add(b, address);
	buf_addc(b, ']');
	return buf_ok(b) && domain_is_literal(buf_str(b));
}

/* Adds the name of an MTA; RFC 3464 9.3: an address is an address literal. */
static void
add_mta(struct group *g, const char *name, struct str host)
{
	struct buf literal;

	if (make_literal(&literal, host))
		host = buf_str(&literal);
	add_field(g, name, "dns; ", host);
	buf_free(&literal);
}

/* RFC 3464 2.2.4: what it called itself, and in a comment from where it came. */
static void
add_received_from(struct group *g, const struct dsn *d)
{
	struct str host, rest, address;
	struct buf from, literal;

	(void)str_cut(d->client, '[', &host, &rest);
	(void)str_cut(rest, ']', &address, &rest);
	if (!make_literal(&literal, address)) {
		add_mta(g, "Received-From-MTA", d->received_from);
		buf_free(&literal);
		return;
	}
	buf_init(&from, 2 * DSN_FOREIGN_MAX);
	buf_add(&from, d->received_from);
	buf_adds(&from, " (");
	if (domain_valid(host) && !str_eq(host, STR("unknown"))) {
		buf_add(&from, host);
		buf_addc(&from, ' ');
	}
	buf_add(&from, buf_str(&literal));
	buf_addc(&from, ')');
	add_field(g, "Received-From-MTA", "dns; ",
	    buf_ok(&from) ? buf_str(&from) : d->received_from);
	buf_free(&from);
	buf_free(&literal);
}

/* RFC 3464 2.2. */
static void
add_message(struct group *g, const struct dsn *d)
{
	if (d->envid.n > 0)
		add_xtext(g, "Original-Envelope-Id", STR(""), d->envid);
	add_mta(g, "Reporting-MTA", d->reporting_mta);
	if (d->received_from.n > 0)
		add_received_from(g, d);
	if (d->arrival > 0)
		add_date(g, "Arrival-Date", d->arrival);
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

/* True if what RCPT's host answered is not what made it fail. */
static bool
is_given_up(const struct dsn_rcpt *rcpt)
{
	return rcpt->action == DSN_FAILED &&
	    (rcpt->diagnostic.p[0] == '4' || status_of(rcpt)[0] == '4');
}

/*
 * RFC 3464 2.3.6.  An answer that was for the time being is not what made the
 * recipient fail: that was us, who waited long enough.  There are programs that
 * take the code in this field for the reason, whatever the status says; they
 * know "(#4.4.7)" from qmail.
 */
static void
add_diagnostic(struct group *g, const struct dsn_rcpt *rcpt)
{
	struct buf kind;

	buf_init(&kind, 128);
	if (!rcpt->smtp_diagnostic)
		buf_adds(&kind, "x-barid; ");
	else if (is_given_up(rcpt))
		buf_addf(&kind,
		    "x-barid; delivery time expired (#%s), last answer: ",
		    status_of(rcpt));
	else
		buf_adds(&kind, "smtp; ");
	add_field(g, "Diagnostic-Code", buf_cstr(&kind), rcpt->diagnostic);
	buf_free(&kind);
}

/* RFC 3464 2.3. */
static void
add_rcpt(struct group *g, const struct dsn *d, const struct dsn_rcpt *rcpt)
{
	static const char *const actions[] = { "failed", "delayed",
		"delivered", "relayed", "expanded" };

	buf_add(g->b, STR("\r\n"));
	add_orcpt(g, rcpt->orcpt);
	add_final(g, &rcpt->rcpt);
	field_add(g->b, "Action", str_c(actions[rcpt->action]));
	field_add(g->b, "Status", str_c(status_of(rcpt)));
	if (rcpt->remote_mta.n > 0)
		add_mta(g, "Remote-MTA", rcpt->remote_mta);
	if (rcpt->diagnostic.n > 0)
		add_diagnostic(g, rcpt);
	if (rcpt->last_attempt > 0)
		add_date(g, "Last-Attempt-Date", rcpt->last_attempt);
	if (d->queue_id.n > 0)
		add_field(g, "Final-Log-ID", "", d->queue_id);
	if (rcpt->action == DSN_DELAYED && rcpt->retry_until > 0)
		add_date(g, "Will-Retry-Until", rcpt->retry_until);
}

void
dsn_status_add(struct buf *b, const struct dsn *d)
{
	/* There are programs that read no further than a success. */
	static const enum dsn_action order[] = { DSN_FAILED, DSN_DELAYED,
		DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };
	struct group g = { .b = b, .utf8 = d->smtputf8 };

	buf_init(&g.t, 4096);
	add_message(&g, d);
	for (size_t k = 0; k < ARRAY_LEN(order); k++)
		for (size_t i = 0; i < d->rcpt_n; i++)
			if (d->rcpts[i].action == order[k])
				add_rcpt(&g, d, &d->rcpts[i]);
	buf_free(&g.t);
}
