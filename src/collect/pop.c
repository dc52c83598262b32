/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * pop -- commands of POP3 and their answers.
 *
 * An answer is one line of at most LINE_MAX octets, more than RFC 2449 4 gives
 * it.  What ends with a bare LF, or has a NUL, is no answer: a server that is
 * out of step with us must not be understood by chance.
 */

#include "pop.h"

#include <errno.h>

#include "lib/clock.h"
#include "lines.h"

/* What is said of an answer in a log. */
#define SAID_MAX 200

void
pop_init(struct pop *p, struct stream *s, int64_t timeout, int64_t until)
{
	*p = (struct pop){ .stream = s, .timeout = timeout, .until = until };
	buf_init(&p->text, POP_LINE_MAX);
	buf_init(&p->why, 4 * SAID_MAX);
}

void
pop_free(struct pop *p)
{
	buf_free(&p->text);
	buf_free(&p->why);
}

enum pop_answer
pop_lose(struct pop *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (p->why.n == 0)
		buf_vaddf(&p->why, fmt, ap);
	va_end(ap);
	return POP_LOST;
}

int64_t
pop_deadline(const struct pop *p)
{
	int64_t at = clock_ms() + p->timeout;

	return at < p->until ? at : p->until;
}

void
pop_lose_stream(struct pop *p, enum stream_result r)
{
	switch (r) {
	case STREAM_TIMEOUT:
		pop_lose(p, "it took too long");
		break;
	case STREAM_EOF:
		pop_lose(p, "it closed the connection");
		break;
	case STREAM_ERROR:
		pop_lose(p, "%s", strerror(p->stream->error));
		break;
	case STREAM_TOO_LONG:
	case STREAM_FLOOD:
		pop_lose(p, "a line of it is too long");
		break;
	case STREAM_OK:
	case STREAM_BARE:
	case STREAM_NUL:
		pop_lose(p, "what it says is no POP3");
		break;
	}
}

bool
pop_line(struct pop *p, int64_t deadline, struct str *line)
{
	enum stream_result r;

	if (p->why.n > 0)
		return false;
	r = stream_line(p->stream, POP_LINE_MAX, deadline, line);
	if (r != STREAM_OK)
		pop_lose_stream(p, r);
	return r == STREAM_OK;
}

/* RFC 1939 3: "+OK" or "-ERR" in capitals, and a space before anything else. */
static bool
is_status(struct str line, struct str word)
{
	return str_istarts(line, word) &&
	    (line.n == word.n || line.p[word.n] == ' ');
}

enum pop_answer
pop_hear(struct pop *p)
{
	struct str line;
	bool ok;

	if (!pop_line(p, pop_deadline(p), &line))
		return POP_LOST;
	ok = is_status(line, STR("+OK"));
	if (!ok && !is_status(line, STR("-ERR"))) {
		line = str_head(line, SAID_MAX);
		return pop_lose(p, "what it says is no POP3: \"" STR_FMT "\"",
		    STR_ARG(line));
	}
	line = str_trim(str_skip(line, ok ? 3 : 4));
	buf_reset(&p->text);
	buf_add(&p->text, str_head(line, SAID_MAX));
	return ok ? POP_OK : POP_NO;
}

/* Sends what is in B, and wipes it: it may be a password. */
bool
pop_say(struct pop *p, struct buf *b)
{
	int64_t deadline = pop_deadline(p);
	enum stream_result r = STREAM_ERROR;

	buf_adds(b, "\r\n");
	if (p->why.n == 0 && !buf_ok(b))
		pop_lose(p, "what is to be said is too long");
	if (p->why.n == 0) {
		r = stream_put(p->stream, buf_str(b), deadline);
		if (r == STREAM_OK)
			r = stream_flush(p->stream, deadline);
		if (r != STREAM_OK)
			pop_lose_stream(p, r);
	}
	buf_wipe(b);
	return r == STREAM_OK;
}

enum pop_answer
pop_command(struct pop *p, const char *fmt, ...)
{
	struct buf b;
	va_list ap;
	bool said;

	buf_init(&b, POP_LINE_MAX);
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	said = pop_say(p, &b);
	buf_free(&b);
	return said ? pop_hear(p) : POP_LOST;
}

enum pop_answer
pop_greeting(struct pop *p)
{
	return pop_hear(p);
}

/* ---- lists ------------------------------------------------------------------------ */

enum pop_answer
pop_lines(struct pop *p, size_t max, bool (*fn)(void *arg, struct str line), void *arg)
{
	struct str line;

	for (size_t n = 0;; n++) {
		if (!pop_line(p, pop_deadline(p), &line))
			return POP_LOST;
		if (str_eq(line, STR(".")))
			return POP_OK;
		/* RFC 1939 3: that was put before one that begins with it. */
		if (str_starts(line, STR(".")))
			line = str_skip(line, 1);
		if (n >= max)
			return pop_lose(p, "a list of it has no end");
		if (!fn(arg, line))
			return pop_lose(p, "a list of it is none: \"" STR_FMT "\"",
			    STR_ARG(str_head(line, SAID_MAX)));
	}
}

static bool
take_capability(void *arg, struct str line)
{
	static const struct {
		const char *name;
		unsigned bit;
	} known[] = { { "STLS", POP_STLS }, { "UIDL", POP_UIDL }, { "USER", POP_USER } };
	struct pop *p = arg;
	struct str word = str_word(&line);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (str_ieq(word, str_c(known[i].name)))
			p->can |= known[i].bit;
	if (!str_ieq(word, STR("SASL")))
		return true;
	while ((word = str_word(&line)).n > 0) {
		if (str_ieq(word, STR("PLAIN")))
			p->can |= POP_PLAIN;
		else if (str_ieq(word, STR("CRAM-MD5")))
			p->can |= POP_CRAM;
	}
	return true;
}

enum pop_answer
pop_capa(struct pop *p)
{
	enum pop_answer a = pop_command(p, "CAPA");

	p->can = POP_CAPA;
	if (a == POP_OK)
		return pop_lines(p, POP_CAPABILITIES_MAX, take_capability, p);
	if (a == POP_NO)
		p->can = POP_UIDL | POP_USER;
	return a;
}
