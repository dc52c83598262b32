/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * walk_test -- S-20: random walks through a POP3 session, against a model that
 * knows the kind of answer that each step gets in each state, when too many
 * mistakes end the session, and what is left of the mailbox behind it.
 */

#include "unit.h"

#include "popper.h"
#include "walk.h"

#define STEPS_MAX 40
#define MESSAGES 3
#define MISTAKES_MAX 20
#define FAILURES_MAX 5

enum step {
	USER, USER_NOBODY, USER_NONE, PASS, PASS_WRONG, AUTH, AUTH_ASKED, AUTH_WRONG, AUTH_CANCEL,
	AUTH_OTHER, AUTH_LIST, APOP, STLS, UTF8, LANG, LANG_SET, LANG_OTHER, CAPA, CAPA_ARG, STAT,
	LIST, LIST_ONE, UIDL, UIDL_ONE, RETR, TOP, DELE, RETR_NONE, DELE_ZERO, TOP_HALF, RSET,
	NOOP, NOOP_ARG, QUIT_ARG, FOO, STEP_N
};

/* A "#" becomes the number of a message. */
static const char *const lines[STEP_N] = {
	[USER] = "USER alice", [USER_NOBODY] = "USER nobody", [USER_NONE] = "USER",
	[PASS] = "PASS barid", [PASS_WRONG] = "PASS wrong",
	[AUTH] = "AUTH PLAIN AGFsaWNlAGJhcmlk", [AUTH_ASKED] = "AUTH PLAIN",
	[AUTH_WRONG] = "AUTH PLAIN AGFsaWNlAHdyb25n", [AUTH_CANCEL] = "AUTH PLAIN",
	[AUTH_OTHER] = "AUTH NTLM", [AUTH_LIST] = "AUTH", [APOP] = "APOP alice 0123",
	[STLS] = "STLS", [UTF8] = "UTF8", [LANG] = "LANG", [LANG_SET] = "LANG en",
	[LANG_OTHER] = "LANG tlh", [CAPA] = "CAPA", [CAPA_ARG] = "CAPA x", [STAT] = "STAT",
	[LIST] = "LIST", [LIST_ONE] = "LIST #", [UIDL] = "UIDL", [UIDL_ONE] = "UIDL #",
	[RETR] = "RETR #", [TOP] = "TOP # 1", [DELE] = "DELE #", [RETR_NONE] = "RETR 4",
	[DELE_ZERO] = "DELE 0", [TOP_HALF] = "TOP 1", [RSET] = "RSET", [NOOP] = "NOOP",
	[NOOP_ARG] = "NOOP x", [QUIT_ARG] = "QUIT now", [FOO] = "FOO",
};

enum name { NAME_NONE, NAME_ALICE, NAME_NOBODY };

struct model {
	bool in;		/* logged in */
	bool closed;
	enum name name;		/* of USER */
	bool deleted[MESSAGES];
	unsigned mistakes, failures;
};

static unsigned
deleted(const struct model *m)
{
	unsigned n = 0;

	for (size_t i = 0; i < MESSAGES; i++)
		n += m->deleted[i];
	return n;
}

static char
model_login(struct model *m, bool right)
{
	if (right) {
		m->in = true;
		return '+';
	}
	m->closed = ++m->failures >= FAILURES_MAX;
	return '-';
}

/* Before the login. */
static char
model_authorization(struct model *m, enum step step)
{
	enum name name;

	switch (step) {
	case USER:
	case USER_NOBODY:
		m->name = step == USER ? NAME_ALICE : NAME_NOBODY;
		return '+';
	case PASS:
	case PASS_WRONG:
		name = m->name;
		m->name = NAME_NONE;
		return name == NAME_NONE ? '-' :
		    model_login(m, step == PASS && name == NAME_ALICE);
	case AUTH:
	case AUTH_ASKED:
	case AUTH_WRONG:
		return model_login(m, step != AUTH_WRONG);
	case AUTH_LIST:
		return '*';
	case UTF8:
		return '+';
	default:
		return '-';
	}
}

/* After it; I is the message that the step is about. */
static char
model_transaction(struct model *m, enum step step, size_t i)
{
	switch (step) {
	case LIST:
	case UIDL:
		return '*';
	case LIST_ONE:
	case UIDL_ONE:
		return m->deleted[i] ? '-' : '+';
	case RETR:
	case TOP:
		return m->deleted[i] ? '-' : '*';
	case DELE:
		if (m->deleted[i])
			return '-';
		m->deleted[i] = true;
		return '+';
	case RSET:
		memset(m->deleted, 0, sizeof(m->deleted));
		return '+';
	case STAT:
	case NOOP:
		return '+';
	default:
		return '-';
	}
}

/* The mark of the answer; the state moves. */
static char
model_step(struct model *m, enum step step, size_t i)
{
	char mark = step == LANG || step == CAPA ? '*' : step == LANG_SET ? '+' :
	    m->in ? model_transaction(m, step, i) : model_authorization(m, step);

	if (mark != '-' && m->in)
		m->mistakes = 0;
	if (mark == '-' && !m->closed && ++m->mistakes > MISTAKES_MAX)
		m->closed = true;
	return mark;
}

/* Half of the steps lead on, so that walks get far. */
static enum step
choose(const struct model *m, uint64_t *seed)
{
	static const enum step before[] = { USER, PASS, AUTH, AUTH_ASKED };
	static const enum step after[] = { DELE, DELE, RETR, TOP, STAT, LIST, UIDL, RSET };

	if (walk_below(seed, 2) == 0)
		return m->in ? after[walk_below(seed, ARRAY_LEN(after))] :
			       before[walk_below(seed, ARRAY_LEN(before))];
	return (enum step)walk_below(seed, STEP_N);
}

static void
fill(void)
{
	char name[32];

	for (int i = 1; i <= MESSAGES; i++) {
		snprintf(name, sizeof(name), "new/%d.x.host", i);
		popper_put("alice", name, STR("Subject: x\n\n.dot\n\n.\n+OK\n"));
	}
}

static void
add_step(struct buf *in, enum step step, size_t i)
{
	for (const char *p = lines[step]; *p; p++)
		buf_addc(in, *p == '#' ? (char)('1' + i) : *p);
	buf_adds(in, "\r\n");
}

static void
walk(uint64_t seed, struct buf *in, struct buf *want)
{
	struct model m = { .in = false };
	uint64_t state = seed;
	unsigned left = MESSAGES;

	buf_reset(in);
	buf_reset(want);
	buf_adds(want, "+");
	for (size_t n = walk_below(&state, STEPS_MAX); n > 0; n--) {
		enum step step = choose(&m, &state);
		size_t i = walk_below(&state, MESSAGES);

		add_step(in, step, i);
		if (m.closed)
			continue;
		if (!m.in && (step == AUTH_ASKED || step == AUTH_CANCEL)) {
			buf_adds(in, step == AUTH_ASKED ? "AGFsaWNlAGJhcmlk\r\n" : "*\r\n");
			buf_addc(want, '?');
		}
		buf_addc(want, model_step(&m, step, i));
	}
	if (walk_below(&state, 4) != 0) {
		buf_adds(in, "QUIT\r\n");
		if (!m.closed) {
			buf_addc(want, '+');
			left -= m.in ? deleted(&m) : 0;
		}
	}
	if (popper_count("alice") < MESSAGES)
		fill();
	const char *got = popper_answers(buf_str(in));
	ck_assert_msg(strcmp(got, buf_cstr(want)) == 0,
	    "SEED=%llu WALKS=1\n%s\ngot  %s\nwant %s\n%s", (unsigned long long)seed,
	    buf_cstr(in), got, buf_cstr(want), buf_cstr(&popper.out));
	ck_assert_msg(popper_count("alice") == left, "SEED=%llu WALKS=1\n%s\n%u left, want %u",
	    (unsigned long long)seed, buf_cstr(in), popper_count("alice"), left);
}

START_TEST(walks)
{
	uint64_t first = walk_number("SEED", 1), n = walk_number("WALKS", 10000);
	struct buf in, want;

	popper_begin();
	buf_init(&in, 65536);
	buf_init(&want, 4096);
	for (uint64_t i = 0; i < n; i++)
		walk(first + i, &in, &want);
	buf_free(&in);
	buf_free(&want);
	popper_end();
}
END_TEST

UNIT_MAIN("pop3d/walk", walks)
