/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * server -- servers that know recipients: one of E-MailRelay's line protocol,
 * and one of SMTP, which is asked as if there were a report for the recipient.
 *
 * A process that can wait speaks with it and believes nothing: what is no answer,
 * or too long, or late is nobody's no.  The connection of the line protocol stays
 * for the questions after; one on which something went wrong, or was said that
 * nobody has asked for, does not.
 */

#include "verify.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch/fetch.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/stream.h"
#include "mail/reply.h"
#include "net/connect.h"

#define LINE_MAX_OCTETS 2000

struct line {
	const struct asking *q;
	int fd;
	struct stream_fd plain;
	struct stream stream;
	const char *why;	/* it is of no use any more; NULL: it is */
	bool gone;		/* since the server has closed it */
};

/* ---- the connection ------------------------------------------------------------ */

static size_t
addresses(const struct asking *q, struct addr *v)
{
	const struct conf_verify *w = q->whom;
	bool later;
	size_t n;

	if (strncmp(w->host, "unix:", 5) == 0)
		return addr_unix(w->host + 5, v) == 0;
	if (addr_parse(str_c(w->host), w->port, v) == 0)
		return 1;
	n = fetch_look_up(q->conf, w->host, v, &later);
	for (size_t i = 0; i < n; i++)
		if (addr_port(&v[i]) == 0)
			addr_set_port(&v[i], w->port);
	return n;
}

static bool
line_open(struct line *l, const struct asking *q)
{
	struct addr v[FETCH_ADDR_MAX];
	size_t n = addresses(q, v);

	*l = (struct line){ .q = q, .fd = -1 };
	errno = EHOSTUNREACH;
	for (size_t i = 0; i < n && l->fd < 0; i++)
		l->fd = connect_until(&v[i], q->deadline);
	if (l->fd < 0) {
		l->why = n == 0 ? "its name cannot be looked up" : strerror(errno);
		return false;
	}
	stream_fd_init(&l->plain, l->fd, l->fd);
	stream_init(&l->stream, &stream_fd_ops, &l->plain);
	return true;
}

static void
line_close(struct line *l)
{
	if (l->fd < 0)
		return;
	stream_free(&l->stream);
	close(l->fd);
	l->fd = -1;
}

static void
say(struct line *l, struct str text)
{
	if (l->why == NULL &&
	    (stream_put(&l->stream, text, l->q->deadline) != STREAM_OK ||
		stream_flush(&l->stream, l->q->deadline) != STREAM_OK)) {
		l->why = "it does not listen";
		l->gone = l->stream.error != ETIMEDOUT;
	}
}

/* The next line, in the question's arena; empty if there is none. */
static struct str
hear(struct line *l)
{
	struct str line = STR("");

	if (l->why != NULL)
		return line;
	switch (stream_line(&l->stream, LINE_MAX_OCTETS, l->q->deadline, &line)) {
	case STREAM_OK:
	case STREAM_BARE:
		return arena_str(l->q->a, line);
	case STREAM_TIMEOUT:
		l->why = "it took too long";
		break;
	case STREAM_EOF:
		l->why = "it closed the connection";
		l->gone = true;
		break;
	case STREAM_ERROR:
		l->gone = true;
		l->why = "the connection broke";
		break;
	case STREAM_TOO_LONG:
	case STREAM_FLOOD:
	case STREAM_NUL:
		l->why = "what it says is no answer";
		break;
	}
	return STR("");
}

/* ---- the line protocol ------------------------------------------------------------ */

/* The next field of a line, in which they are separated by "|". */
static struct str
field(struct str *rest)
{
	struct str f = *rest, none = STR("");

	if (!str_cut(*rest, '|', &f, rest))
		*rest = none;
	return str_trim(f);
}

struct msg_verify_result
server_meant(const struct asking *q, struct str line)
{
	struct str code = field(&line), first = field(&line), second = field(&line);
	struct msg_verify_result r = { .verdict = VERIFY_YES };

	if (str_eq(code, STR("0")) || str_eq(code, STR("1"))) {
		r.address = first;
	} else if (str_eq(code, STR("2"))) {
		r = (struct msg_verify_result){ .verdict = VERIFY_NO,
			.text = first, .why = second };
	} else if (str_eq(code, STR("3"))) {
		r = (struct msg_verify_result){ .verdict = VERIFY_LATER, .text = first,
			.why = second.n > 0 ? second : STR("the server says so") };
	} else if (str_eq(code, STR("100"))) {
		r.verdict = VERIFY_ABORT;
	} else {
		return cannot_say(q, "%s: what it says is no answer", q->whom->host);
	}
	return r;
}

/* An address has no "|" but in quotes; what has one is not asked about. */
static bool
has_bar(const struct msg_verify *m)
{
	return str_find(m->recipient, '|') >= 0 || str_find(m->sender, '|') >= 0 ||
	    str_find(m->login, '|') >= 0;
}

struct line *
line_new(void)
{
	struct line *l = mem_alloc(sizeof(*l));

	l->fd = -1;
	return l;
}

void
line_free(struct line *l)
{
	line_close(l);
	mem_free(l);
}

int
line_fd(const struct line *l)
{
	return l->fd;
}

void
line_drop(struct line *l)
{
	line_close(l);
}

/* True if the server has said nothing since its last answer, and is there. */
static bool
is_quiet(const struct line *l)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	return l->fd >= 0 && stream_pending(&l->stream) == 0 && poll(&p, 1, 0) == 0;
}

/* What is asked about Q. */
static void
add_question(const struct asking *q, struct buf *b)
{
	const struct msg_verify *m = q->about;

	buf_addf(b, STR_FMT "|" STR_FMT "|" STR_FMT "|%s|" STR_FMT "|" STR_FMT "\n",
	    STR_ARG(m->recipient), STR_ARG(m->sender), STR_ARG(m->client),
	    q->conf->hostname,
	    STR_ARG(m->mechanism.n > 0 ? m->mechanism : STR("none")), STR_ARG(m->login));
}

/* Asks QUESTION on L, connected if it is not.  The answer; or L has a WHY, and is closed. */
static struct str
converse(struct line *l, const struct asking *q, struct str question)
{
	struct str got;

	l->q = q;
	if (l->fd < 0 && !line_open(l, q))
		return STR("");
	say(l, question);
	got = hear(l);
	if (l->why != NULL || !is_quiet(l))
		line_close(l);
	return got;
}

struct msg_verify_result
ask_server(const struct asking *q)
{
	struct line *l = q->line;
	struct str got;
	struct buf b;
	bool kept;

	if (has_bar(q->about))
		return (struct msg_verify_result){ .verdict = VERIFY_NO,
			.text = STR("An address with a bar") };
	if (!is_quiet(l))
		line_close(l);
	kept = l->fd >= 0;
	buf_init(&b, FRAME_MAX);
	add_question(q, &b);
	got = converse(l, q, buf_str(&b));
	/* It was idle for too long, as the server sees it: that is no answer to this. */
	if (kept && l->why != NULL && l->gone)
		got = converse(l, q, buf_str(&b));
	buf_free(&b);
	return l->why != NULL ? cannot_say(q, "%s: %s", q->whom->host, l->why) :
				server_meant(q, got);
}

/* ---- SMTP -------------------------------------------------------------------------- */

/* The next reply; code 0: there is none. */
static struct reply
hear_reply(struct line *l)
{
	struct reply none = { .code = 0 }, r;
	struct reply_reader reader;
	int got = 0;

	reply_reader_init(&reader);
	while (got == 0 && l->why == NULL) {
		struct str line = hear(l);

		got = l->why == NULL ? reply_reader_line(&reader, line) : -1;
	}
	if (got < 0 && l->why == NULL)
		l->why = "what it says is no answer";
	r = got > 0 ? reply_reader_get(&reader) : none;
	r.text = arena_str(l->q->a, r.text);
	reply_reader_free(&reader);
	return r;
}

/* Says COMMAND; true if the reply, which R gets, is a good one. */
static bool
goes_on(struct line *l, const char *command, struct reply *r)
{
	say(l, str_c(command));
	*r = hear_reply(l);
	return l->why == NULL && r->code < 400;
}

/* A code of five of what came before RCPT is no word about the recipient. */
static struct msg_verify_result
smtp_meant(const struct asking *q, const struct line *l, const struct reply *r, bool asked)
{
	struct msg_verify_result result = { .verdict = VERIFY_NO };
	struct str text = r->text, more;

	(void)str_cut(r->text, '\n', &text, &more);
	if (l->why != NULL)
		return cannot_say(q, "%s: %s", q->whom->host, l->why);
	if (asked && r->code < 300)
		return (struct msg_verify_result){ .verdict = VERIFY_YES };
	if (!asked || r->code < 500)
		return cannot_say(q, "%s says %d " STR_FMT, q->whom->host, r->code,
		    STR_ARG(text));
	result.why = str_c(arena_printf(q->a, "%s says %d " STR_FMT, q->whom->host,
	    r->code, STR_ARG(text)));
	return result;
}

/* RFC 5321 4.1.1.1: what is offered stands behind the first line. */
static bool
offers(const struct reply *hello, struct str keyword)
{
	struct str line, rest = hello->text;
	bool first = true, more = true;

	while (more) {
		more = str_cut(rest, '\n', &line, &rest);
		if (!first && str_ieq(str_word(&line), keyword))
			return true;
		first = false;
	}
	return false;
}

/* From EHLO to RCPT.  ASKED: R is what was said to that. */
static void
ask_of(struct line *l, struct reply *r, bool *asked)
{
	const struct asking *q = l->q;
	struct str rcpt = q->about->recipient;
	bool utf8 = str_has_8bit(rcpt);

	if (!goes_on(l, arena_printf(q->a, "EHLO %s\r\n", q->conf->hostname), r))
		return;
	/* RFC 6531 3.2: it would refuse the address, whoever has it. */
	if (utf8 && !offers(r, STR("SMTPUTF8"))) {
		l->why = "it does not offer SMTPUTF8";
		return;
	}
	if (!goes_on(l, utf8 ? "MAIL FROM:<> SMTPUTF8\r\n" : "MAIL FROM:<>\r\n", r))
		return;
	(void)goes_on(l, arena_printf(q->a, "RCPT TO:<" STR_FMT ">\r\n",
	    STR_ARG(rcpt)), r);
	*asked = true;
}

struct msg_verify_result
ask_smtp(const struct asking *q)
{
	struct msg_verify_result result;
	struct reply r = { .code = 0 };
	struct line l;
	bool asked = false;

	if (!line_open(&l, q))
		return cannot_say(q, "%s: %s", q->whom->host, l.why);
	r = hear_reply(&l);
	if (l.why == NULL && r.code < 400)
		ask_of(&l, &r, &asked);
	result = smtp_meant(q, &l, &r, asked);
	/* It need not be heard. */
	l.why = NULL;
	say(&l, STR("QUIT\r\n"));
	line_close(&l);
	return result;
}
