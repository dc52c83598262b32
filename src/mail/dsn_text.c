/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dsn_text -- what a report says to people.
 *
 * For each recipient: what happened, what can be done, and then, word for
 * word, what the other mail server answered.  What happened is read from
 * the enhanced status code (RFC 3463), so that people need not read it.
 */

#include "dsn_text.h"

#include "grammar.h"
#include "mail/date.h"
#include "mail/header.h"

#define WIDTH 76
/* Recipients that are explained; the rest of a long list is only named. */
#define EXPLAINED_MAX 50
/* Recipients of which each host that was tried is shown. */
#define TRIED_MAX 10
/* How much of the original's subject is repeated. */
#define SUBJECT_MAX 200

struct explanation {
	const char *code;	/* subject and detail, or the subject alone */
	const char *what;
	const char *advice;
};

/* Where no other server said so: TLS that is demanded, an administrator. */
static const struct explanation our_rules = { "7.",
	"The rules of this mail system did not let the message go on.",
	"The reason below may say why. If it means nothing to you, forward "
	"this report to the person who runs your mail system." };

/* It failed for the time being, again and again. */
static const struct explanation given_up = { "",
	"Delivery was tried without success, and is given up now.",
	"Please check the address, and send the message again later." };

/* The first whose code is the start of a status decides. */
/* clang-format off */
static const struct explanation explanations[] = {
	{ "1.1", "There is no mailbox with this address.",
	    "Please check the address for typing mistakes and send the message again." },
	{ "1.2", "The domain of this address (the part behind the @) does not exist or cannot take mail.",
	    "Please check the address for typing mistakes and send the message again." },
	{ "1.3", "This is not a valid address.",
	    "Please check the address for typing mistakes and send the message again." },
	{ "1.6", "The mailbox has moved, and nobody knows where to.",
	    "Please ask the recipient for the new address." },
	{ "1.10", "The domain of this address (the part behind the @) accepts no mail at all.",
	    "Please ask the recipient for another address." },
	{ "1.", "The address was not accepted.",
	    "Please check the address for typing mistakes and send the message again." },
	{ "2.1", "The mailbox is closed and accepts no mail.",
	    "Please reach the recipient in another way." },
	{ "2.2", "The mailbox of the recipient is full.",
	    "Please tell the recipient in another way, and send the message again later." },
	{ "2.3", "The message is too large for this mailbox.",
	    "Please send it without large attachments, or in several messages." },
	{ "2.", "The mailbox could not take the message.",
	    "Please try again later, or reach the recipient in another way." },
	{ "3.4", "The message is too large for the mail server of the recipient.",
	    "Please send it without large attachments, or in several messages." },
	{ "3.", "The mail system of the recipient could not take the message.",
	    "Please try again later." },
	{ "4.1", "The mail server of the recipient does not answer.",
	    "Please check the address, and try again later." },
	{ "4.2", "The connection to the mail server of the recipient broke again and again.",
	    "Please try again later." },
	{ "4.3", "The mail server of the recipient could not be looked up.",
	    "Please check the address, and try again later." },
	{ "4.4", "No way to the mail server of the recipient was found.",
	    "Please check the address for typing mistakes and send the message again." },
	{ "4.5", "There is so much mail for the same place that the message waits for its turn.",
	    "Please try again later." },
	{ "4.6", "The message went round in circles: a mail system on its way is not set up well.",
	    "Please forward this report to the person who runs your mail system." },
	{ "4.7", "The message could not be delivered in the time that is allowed for it.",
	    "Please check the address, and send the message again later." },
	{ "4.", "The mail server of the recipient could not be reached.",
	    "Please check the address, and try again later." },
	{ "6.", "The mail server of the recipient cannot handle the form or the content of the message.",
	    "Please send it in another form, for example without special attachments." },
	{ "7.", "The mail server of the recipient refused the message by its rules.",
	    "Its answer may say why. If it means nothing to you, forward this report to the person who runs your mail system." },
	{ "", "The mail server of the recipient did not accept the message.",
	    "Its answer may say why. If it means nothing to you, forward this report to the person who runs your mail system." },
};
/* clang-format on */

/* Octets at P that end a line or turn it round, in well-formed UTF-8; or 0. */
static size_t
is_deceptive(const unsigned char *p, size_t n)
{
	/* U+0080-9F; U+200B-200F, 2028-202E; U+2060-206F; U+FEFF. */
	if (n >= 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 2;
	if (n < 3)
		return 0;
	if (p[0] == 0xe2 && p[1] == 0x80 &&
	    ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae)))
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf)
		return 3;
	return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0;
}

/* S up to DSN_FOREIGN_MAX, not within a character. */
static struct str
shortened(struct str s)
{
	size_t n = DSN_FOREIGN_MAX;

	if (s.n <= n)
		return s;
	while (n > DSN_FOREIGN_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return str_head(s, n);
}

void
dsn_clean(struct buf *b, struct str s, bool utf8)
{
	s = shortened(s);
	utf8 = utf8 && str_has_8bit(s) && str_is_utf8(s);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		size_t n = utf8 ? is_deceptive(
		    (const unsigned char *)s.p + i, s.n - i) : 0;

		if (c == '\n' || c == '\r' || c == '\t')
			buf_addc(b, ' ');
		else
			buf_addc(b, is_ctl(c) || (is_8bit(c) && !utf8) ||
			    n > 0 ? '?' : c);
		i += n > 0 ? n - 1 : 0;
	}
}

void
dsn_clean_path(struct buf *b, const struct path *p, bool utf8)
{
	struct buf t;

	buf_init(&t, DSN_FOREIGN_MAX);
	path_add(&t, p);
	dsn_clean(b, buf_str(&t), utf8);
	buf_free(&t);
}

size_t
dsn_count(const struct dsn *d, enum dsn_action action,
    const struct dsn_rcpt **first)
{
	size_t n = 0;

	for (size_t i = 0; i < d->rcpt_n; i++)
		if (d->rcpts[i].action == action && n++ == 0)
			*first = &d->rcpts[i];
	return n;
}

/* Adds a paragraph, each line behind INDENT. */
static void
add_wrapped(struct buf *b, const char *indent, struct str text)
{
	struct str word;
	size_t col = 0;

	while ((word = str_word(&text)).n > 0) {
		if (col > 0 && col + 1 + word.n > WIDTH) {
			buf_add(b, STR("\r\n"));
			col = 0;
		}
		if (col == 0) {
			buf_adds(b, indent);
			col = strlen(indent);
		} else {
			buf_addc(b, ' ');
			col++;
		}
		buf_add(b, word);
		col += word.n;
	}
	if (col > 0)
		buf_add(b, STR("\r\n"));
}

/* The status without its class is matched up to a digit's end. */
static const struct explanation *
explain(const struct dsn_rcpt *rcpt)
{
	struct str s = str_c(rcpt->status);

	s = s.n > 2 ? str_skip(s, 2) : STR("");
	if (rcpt->action == DSN_FAILED && rcpt->attempts > 0 &&
	    rcpt->status[0] == '4')
		return &given_up;
	if (rcpt->diagnostic.n > 0 && !rcpt->smtp_diagnostic &&
	    str_starts(s, STR("7.")))
		return &our_rules;
	for (size_t i = 0; i < ARRAY_LEN(explanations); i++) {
		struct str code = str_c(explanations[i].code);
		bool whole = code.n > 0 && code.p[code.n - 1] != '.';

		if (whole ? str_eq(s, code) : str_starts(s, code))
			return &explanations[i];
	}
	return &explanations[ARRAY_LEN(explanations) - 1];
}

/* The subject, if it is plain text that can be shown as it is. */
static struct str
plain_subject(struct str message, bool utf8)
{
	struct field f;
	struct str s;

	if (!header_find(message, STR("Subject"), &f))
		return STR("");
	s = str_trim(f.value);
	if (s.n > SUBJECT_MAX || memmem(s.p, s.n, "=?", 2) != NULL ||
	    (str_has_8bit(s) && !(utf8 && str_is_utf8(s))))
		return STR("");
	return s;
}

static void
add_group_intro(struct buf *b, const struct dsn *d, enum dsn_action action,
    size_t n)
{
	static const char *const words[] = {
		[DSN_FAILED] = "could not be delivered to",
		[DSN_DELAYED] = "has not been delivered yet to",
		[DSN_DELIVERED] = "was delivered to",
		[DSN_RELAYED] = "was handed on, to a mail system that will "
		    "not report its delivery, for",
		[DSN_EXPANDED] = "was given to a list, which passes it on to "
		    "its members, for",
	};
	struct str subject = plain_subject(d->original, d->smtputf8);
	struct buf t;

	buf_init(&t, 4096);
	buf_add(&t, STR("Your message "));
	if (subject.n > 0) {
		buf_addc(&t, '"');
		dsn_clean(&t, subject, d->smtputf8);
		buf_add(&t, STR("\" "));
	}
	if (d->arrival > 0) {
		buf_add(&t, STR("of "));
		date_add(&t, d->arrival);
		buf_addc(&t, ' ');
	}
	buf_adds(&t, words[action]);
	buf_adds(&t, n == 1 ? " this recipient:" : " these recipients:");
	add_wrapped(b, "", buf_str(&t));
	buf_free(&t);
}

/* What another server said, or our own words, a paragraph of its own. */
static void
add_quoted(struct buf *b, struct str words, bool utf8)
{
	struct buf t;

	buf_init(&t, 4096);
	dsn_clean(&t, words, utf8);
	add_wrapped(b, "        ", buf_str(&t));
	buf_free(&t);
}

static void
add_answer(struct buf *b, const struct dsn_rcpt *rcpt, bool utf8)
{
	struct buf t;

	if (rcpt->diagnostic.n == 0)
		return;
	buf_init(&t, 4096);
	if (rcpt->smtp_diagnostic) {
		buf_add(&t, STR("The mail server "));
		dsn_clean(&t, rcpt->remote_mta, utf8);
		buf_adds(&t, rcpt->remote_mta.n > 0 ? " answered:" :
		    "answered:");
	} else {
		buf_add(&t, STR("More exactly:"));
	}
	add_wrapped(b, "    ", buf_str(&t));
	add_quoted(b, rcpt->diagnostic, utf8);
	buf_free(&t);
}

static void
add_count(struct buf *b, const struct dsn_rcpt *rcpt)
{
	struct buf t;

	buf_init(&t, 512);
	if (rcpt->attempts == 1) {
		buf_add(&t, STR("It was tried once, on "));
		date_add(&t, rcpt->first_attempt);
	} else {
		buf_add(&t, STR("It was tried "));
		buf_addu(&t, rcpt->attempts);
		buf_add(&t, STR(" times, from "));
		date_add(&t, rcpt->first_attempt);
		buf_add(&t, STR(" to "));
		date_add(&t, rcpt->last_attempt);
	}
	buf_addc(&t, '.');
	add_wrapped(b, "    ", buf_str(&t));
	buf_free(&t);
}

/* How often it was tried, and what each host said last. */
static void
add_tries(struct buf *b, const struct dsn_rcpt *rcpt, bool utf8)
{
	struct buf t;

	add_count(b, rcpt);
	buf_init(&t, 4096);
	for (size_t i = 0; i < rcpt->try_n; i++) {
		const struct dsn_try *y = &rcpt->tries[i];

		buf_reset(&t);
		if (y->host.n > 0) {
			dsn_clean(&t, y->host, utf8);
			buf_add(&t, STR(" on "));
		} else {
			buf_add(&t, STR("On "));
		}
		date_add(&t, y->time);
		buf_addc(&t, ':');
		add_wrapped(b, "    ", buf_str(&t));
		add_quoted(b, y->reply, utf8);
	}
	buf_free(&t);
}

/* The message waits on. */
static void
add_patience(struct buf *b, const struct dsn_rcpt *rcpt)
{
	struct buf t;

	buf_init(&t, 256);
	buf_add(&t, STR("You need not send it again: we keep trying"));
	if (rcpt->retry_until > 0) {
		buf_add(&t, STR(" until "));
		date_add(&t, rcpt->retry_until);
	}
	buf_add(&t, STR(", and will tell you if it fails."));
	add_wrapped(b, "    ", buf_str(&t));
	buf_free(&t);
}

static void
add_explained(struct buf *b, const struct dsn_rcpt *rcpt, bool tries,
    bool utf8)
{
	const struct explanation *e = explain(rcpt);

	if (rcpt->action == DSN_FAILED || rcpt->action == DSN_DELAYED)
		add_wrapped(b, "    ", str_c(e->what));
	if (rcpt->action == DSN_FAILED)
		add_wrapped(b, "    ", str_c(e->advice));
	else if (rcpt->action == DSN_DELAYED)
		add_patience(b, rcpt);
	if (tries && rcpt->try_n > 0)
		add_tries(b, rcpt, utf8);
	else
		add_answer(b, rcpt, utf8);
}

static void
add_group(struct buf *b, const struct dsn *d, enum dsn_action action)
{
	const struct dsn_rcpt *first = NULL;
	size_t shown = 0, n = dsn_count(d, action, &first);

	if (n == 0)
		return;
	add_group_intro(b, d, action, n);
	for (size_t i = 0; i < d->rcpt_n; i++) {
		const struct dsn_rcpt *rcpt = &d->rcpts[i];

		if (rcpt->action != action)
			continue;
		if (shown <= EXPLAINED_MAX)
			buf_add(b, STR("\r\n"));
		buf_add(b, STR("  "));
		dsn_clean_path(b, &rcpt->rcpt, d->smtputf8);
		buf_add(b, STR("\r\n"));
		if (shown++ < EXPLAINED_MAX)
			add_explained(b, rcpt, shown <= TRIED_MAX,
			    d->smtputf8);
	}
	buf_add(b, STR("\r\n"));
}

void
dsn_text_add(struct buf *b, const struct dsn *d, bool full)
{
	static const enum dsn_action order[] = { DSN_FAILED, DSN_DELAYED,
		DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };
	struct buf t;

	buf_init(&t, 4096);
	buf_add(&t, STR("This is an automatic report from the mail system at "));
	dsn_clean(&t, d->reporting_mta, false);
	buf_addc(&t, '.');
	add_wrapped(b, "", buf_str(&t));
	buf_add(b, STR("\r\n"));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		add_group(b, d, order[i]);
	buf_reset(&t);
	if (d->postmaster.n > 0) {
		buf_add(&t, STR("If you need help, write to "));
		dsn_clean(&t, d->postmaster, d->smtputf8);
		buf_add(&t, STR(" and send this report along. "));
	}
	buf_adds(&t, full ? "Your message is attached." :
	    "The header of your message is attached.");
	add_wrapped(b, "", buf_str(&t));
	buf_free(&t);
}
