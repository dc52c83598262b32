/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * walk_test -- S-20: long random walks through an SMTP session, against a
 * model that knows nothing but which code each step gets in each state, and
 * how many messages there are in the end.
 *
 * session_test.c has all short ones.  Here are texts and chunks as well, which
 * hold what would be commands (S-18, S-21), texts that are refused (S-19), and
 * a login.
 */

#include "unit.h"

#include "talk.h"
#include "walk.h"

#define STEPS_MAX 40

enum step {
	HELO, EHLO, EHLO_BAD, MAIL, MAIL_BINARY, MAIL_BAD, RCPT, RCPT_NO, RCPT_FAR, RCPT_BAD, DATA,
	DATA_BARE, DATA_ARG, CHUNK, CHUNK_BARE, CHUNK_BAD, LAST, LAST_EMPTY, RSET, RSET_ARG, NOOP,
	VRFY, VRFY_NONE, EXPN, HELP, HELP_NONE, ETRN, XCLIENT, XFORWARD, TURN, STARTTLS, AUTH,
	AUTH_WRONG, AUTH_CANCEL, AUTH_OTHER, QUIT_ARG, FOO, STEP_N
};

/* What is sent, and what behind a 354. */
static const struct {
	const char *line, *text;
} sent[STEP_N] = {
	[HELO] = { "HELO a\r\n", "" },
	[EHLO] = { "EHLO b\r\n", "" },
	[EHLO_BAD] = { "EHLO ()\r\n", "" },
	[MAIL] = { "MAIL FROM:<x@y.test>\r\n", "" },
	[MAIL_BINARY] = { "MAIL FROM:<> BODY=BINARYMIME\r\n", "" },
	[MAIL_BAD] = { "MAIL FROM:<x@y.test\r\n", "" },
	[RCPT] = { "RCPT TO:<alice@example.test>\r\n", "" },
	[RCPT_NO] = { "RCPT TO:<no@example.test>\r\n", "" },
	[RCPT_FAR] = { "RCPT TO:<x@far.test>\r\n", "" },
	[RCPT_BAD] = { "RCPT TO:<>\r\n", "" },
	[DATA] = { "DATA\r\n", "QUIT\r\n..\r\n.\r\n" },
	[DATA_BARE] = { "DATA\r\n", "x\n.\nMAIL FROM:<evil@y.test>\r\nRSET\r\n.\r\n" },
	[DATA_ARG] = { "DATA x\r\n", "" },
	[CHUNK] = { "BDAT 6\r\nQUIT\r\n", "" },
	[CHUNK_BARE] = { "BDAT 7\r\n\r\nRSET\n", "" },
	[CHUNK_BAD] = { "BDAT x\r\n", "" },
	[LAST] = { "BDAT 6 LAST\r\nQUIT\r\n", "" },
	[LAST_EMPTY] = { "BDAT 0 LAST\r\n", "" },
	[RSET] = { "RSET\r\n", "" },
	[RSET_ARG] = { "RSET x\r\n", "" },
	[NOOP] = { "NOOP any text\r\n", "" },
	[VRFY] = { "VRFY \xc3\xa9@x\r\n", "" },
	[VRFY_NONE] = { "VRFY\r\n", "" },
	[EXPN] = { "EXPN list\r\n", "" },
	[HELP] = { "HELP\r\n", "" },
	[HELP_NONE] = { "HELP me\r\n", "" },
	[ETRN] = { "ETRN example.test\r\n", "" },
	[XCLIENT] = { "XCLIENT ADDR=192.0.2.1\r\n", "" },
	[XFORWARD] = { "XFORWARD NAME=x\r\n", "" },
	[TURN] = { "TURN\r\n", "" },
	[STARTTLS] = { "STARTTLS\r\n", "" },
	[AUTH] = { "AUTH PLAIN AGJvYgBiYXJpZA==\r\n", "" },
	[AUTH_WRONG] = { "AUTH PLAIN AGEAYg==\r\n", "" },
	[AUTH_CANCEL] = { "AUTH LOGIN\r\n", "*\r\n" },
	[AUTH_OTHER] = { "AUTH NTLM\r\n", "" },
	[QUIT_ARG] = { "QUIT now\r\n", "" },
	[FOO] = { "FOO\r\n", "" },
};

/* States as RFC 5321 and 3030 have them, and not the session's own. */
enum where { START, GREETED, SENDER, RCPTS, CHUNKS };

struct model {
	enum where where;
	bool extended;		/* EHLO, not HELO */
	bool user;		/* logged in */
	bool binary;		/* of the transaction */
	bool rejected;		/* a recipient of it */
	unsigned messages;
	int then;		/* the second code of a step, if it has one */
};

static int
over(struct model *m, int code)
{
	m->where = GREETED;
	m->binary = m->rejected = false;
	return code;
}

static int
model_mail(struct model *m, enum step step)
{
	if (m->where != GREETED)
		return 503;
	if (step == MAIL_BAD)
		return 501;
	if (step == MAIL_BINARY && !m->extended)
		return 555;
	m->where = SENDER;
	m->binary = step == MAIL_BINARY;
	return 250;
}

static int
model_rcpt(struct model *m, enum step step)
{
	if (m->where != SENDER && m->where != RCPTS)
		return 503;
	if (step == RCPT || (step == RCPT_FAR && m->user)) {
		m->where = RCPTS;
		return 250;
	}
	m->rejected = true;
	return step == RCPT_NO ? 550 : step == RCPT_FAR ? 554 : 501;
}

static int
model_data(struct model *m, enum step step)
{
	if (m->where == SENDER && m->rejected)
		return 554;
	if (m->where != RCPTS)
		return 503;
	if (step == DATA_ARG)
		return 501;
	if (m->binary)
		return 503;
	m->then = step == DATA ? 250 : 550;
	m->messages += step == DATA;
	return over(m, 354);
}

static int
model_bdat(struct model *m, enum step step)
{
	bool open = m->where == RCPTS || m->where == CHUNKS;

	if (step == CHUNK_BAD || (open && !m->extended))
		return open ? over(m, step == CHUNK_BAD ? 501 : 503) : 501;
	if (m->where == SENDER && m->rejected)
		return 554;
	if (!open)
		return 503;
	if (step == CHUNK_BARE && !m->binary)
		return over(m, 550);
	if (step == CHUNK || step == CHUNK_BARE) {
		m->where = CHUNKS;
		return 250;
	}
	m->messages++;
	return over(m, 250);
}

static int
model_auth(struct model *m, enum step step)
{
	if (m->where != GREETED || m->user)
		return 503;
	if (step == AUTH_CANCEL) {
		m->then = 501;
		return 334;
	}
	m->user = step == AUTH;
	return step == AUTH ? 235 : step == AUTH_WRONG ? 535 : 504;
}

/* Steps that change nothing; 0 for one that may. */
static int
model_idle(const struct model *m, enum step step)
{
	bool between = m->where == START || m->where == GREETED;

	switch (step) {
	case EHLO_BAD:
	case RSET_ARG:
	case QUIT_ARG:
	case VRFY_NONE:
		return 501;
	case NOOP:
		return 250;
	case VRFY:
		return 252;
	case EXPN:
	case TURN:
		return 502;
	case HELP:
		return 214;
	case HELP_NONE:
		return 504;
	case ETRN:
		return between ? 502 : 503;
	case XCLIENT:
	case XFORWARD:
		return between ? 550 : 503;
	case STARTTLS:
		return m->where == START ? 503 : 502;
	case FOO:
		return 500;
	default:
		return 0;
	}
}

/* What the model answers; the state moves. */
static int
model_step(struct model *m, enum step step)
{
	int code = model_idle(m, step);

	m->then = 0;
	if (code != 0)
		return code;
	if (step == HELO || step == EHLO) {
		m->extended = step == EHLO;
		return over(m, 250);
	}
	if (step == RSET)
		return m->where == START ? 250 : over(m, 250);
	if (step >= MAIL && step <= MAIL_BAD)
		return model_mail(m, step);
	if (step >= RCPT && step <= RCPT_BAD)
		return model_rcpt(m, step);
	if (step >= DATA && step <= DATA_ARG)
		return model_data(m, step);
	return step >= CHUNK && step <= LAST_EMPTY ? model_bdat(m, step) : model_auth(m, step);
}

/* Half of the steps lead on from where the model is, so that walks get far. */
static enum step
choose(const struct model *m, uint64_t *seed)
{
	static const enum step on[][4] = {
		[START] = { EHLO, EHLO, HELO, EHLO },
		[GREETED] = { MAIL, MAIL, MAIL_BINARY, AUTH },
		[SENDER] = { RCPT, RCPT, RCPT_NO, RCPT_FAR },
		[RCPTS] = { RCPT, DATA, CHUNK, LAST },
		[CHUNKS] = { CHUNK, CHUNK, LAST, LAST_EMPTY },
	};

	if (walk_below(seed, 2) == 0)
		return on[m->where][walk_below(seed, 4)];
	return (enum step)walk_below(seed, STEP_N);
}

/* How many messages there are; they are taken away. */
static unsigned
stored(void)
{
	for (unsigned n = 0;; n++) {
		struct talk_message m;

		talk_take(&m, QUEUE_NEW);
		talk_drop(&m);
		if (m.n == 0)
			return n;
	}
}

static void
walk(uint64_t seed, struct buf *in, struct buf *want, struct buf *got)
{
	struct model m = { .where = START };
	uint64_t state = seed;
	struct talk_io io = { .pace = walk_below(&state, 4) == 0 ? TALK_OCTETS : TALK_LINES };

	buf_reset(in);
	buf_reset(want);
	buf_adds(want, "220");
	for (size_t n = walk_below(&state, STEPS_MAX); n > 0; n--) {
		enum step step = choose(&m, &state);
		int code = model_step(&m, step);

		buf_adds(in, sent[step].line);
		buf_addf(want, " %d", code);
		if (m.then != 0) {
			buf_adds(in, sent[step].text);
			buf_addf(want, " %d", m.then);
		}
	}
	/* Some go without a word. */
	if (walk_below(&state, 4) != 0) {
		buf_adds(in, "QUIT\r\n");
		buf_adds(want, " 221");
	}
	io.in = buf_str(in);
	talk_codes(talk_io(&io), got);
	ck_assert_msg(strcmp(buf_cstr(got), buf_cstr(want)) == 0,
	    "SEED=%llu WALKS=1\n%s\ngot  %s\nwant %s", (unsigned long long)seed, buf_cstr(in),
	    buf_cstr(got), buf_cstr(want));
	unsigned n = m.messages > 0 || seed % 16 == 0 ? stored() : 0;
	ck_assert_msg(n == m.messages, "SEED=%llu WALKS=1\n%s\n%u stored, want %u",
	    (unsigned long long)seed, buf_cstr(in), n, m.messages);
}

START_TEST(walks)
{
	static const char *names[] = { "PLAIN", "LOGIN" };
	uint64_t first = walk_number("SEED", 1), n = walk_number("WALKS", 10000);
	struct buf in, want, got;

	talk_begin();
	talk.conf->limits.errors = 0;
	talk.conf->auth.without_tls = (struct conf_strs){ names, 2 };
	buf_init(&in, 65536);
	buf_init(&want, 4096);
	buf_init(&got, 4096);
	for (uint64_t i = 0; i < n; i++)
		walk(first + i, &in, &want, &got);
	buf_free(&in);
	buf_free(&want);
	buf_free(&got);
	talk_remove();
}
END_TEST

UNIT_MAIN("smtpd/walk", walks)
