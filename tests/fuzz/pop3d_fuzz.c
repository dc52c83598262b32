/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * pop3d_fuzz -- F-09: a whole POP3 session over memory, with a real mailbox.
 *
 * The first octet says how the bytes arrive and whether somebody is logged
 * in already; the rest is what the client says.  Held to: every answer is
 * one line of +OK or -ERR, or +OK and lines up to a lone dot; what is
 * answered does not depend on how the bytes arrive; nothing leaves the
 * mailbox but by a QUIT that says so; answers are bounded by what was asked.
 *
 * Parsers: pop3d/.
 */

#include "fuzz.h"

#include "pop3d/popper.h"

enum { F_OCTETS = 1, F_LOGGED_IN = 2, F_NO_CLEAR = 4, F_NO_MECHANISM = 8, F_TLS_OFF = 16,
	F_APOP = 32, F_EXPIRE = 64 };

/* Files as other programs leave them, too. */
static const struct {
	const char *name, *text;
	size_t n;
} files[] = {
	{ "new/1.one.host,S=22,W=26", "Subject: one\n\nbody 1\n\n", 22 },
	{ "cur/2.two.host:2,S", "Subject: two\r\n\r\n.\r\n..\rx\n.y", 26 },
	{ "new/3.three", "a\0b\377\n.\n\n\n\n.\n", 12 },
	{ "new/4.empty", "", 0 },
	{ "cur/5.five:2,", "Subject: \303\266\303\274\nFrom: \303\266 <\303\266@x>\n\n\303\266\n", 34 },
};

static void
fill(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (!popper_has("alice", files[i].name))
			popper_put("alice", files[i].name,
			    str_n(files[i].text, files[i].n));
}

static void
prepare(unsigned flags)
{
	static const char *plain[] = { "PLAIN", "APOP" };
	size_t apop = (flags & F_APOP) ? 1 : 0;

	if (!popper.conf) {
		popper_begin();
		atexit(popper_end);
	}
	fill();
	popper.conf->auth.without_tls = (struct conf_strs){ plain, (flags & F_NO_CLEAR) ? 0 : 1 + apop };
	popper.conf->auth.mechanisms =
	    (struct conf_strs){ plain, (flags & F_NO_MECHANISM) ? 0 : 1 + apop };
	userset_set_plain(popper.users, apop > 0);
	popper.conf->pop3.expire = (flags & F_EXPIRE) ? 7 * 86400000 : 0;
	popper.listen.tls = (flags & F_TLS_OFF) ? LISTEN_TLS_OFF : LISTEN_TLS_STARTTLS;
}

/* How often WORD stands in TEXT, in any case. */
static size_t
count(struct str text, struct str word)
{
	size_t n = 0;

	for (size_t i = 0; i + word.n <= text.n; i++)
		n += str_ieq(str_head(str_skip(text, i), word.n), word);
	return n;
}

/* What is gone was deleted or too old, and its client had a good answer to QUIT. */
static void
check_mailbox(struct str in, struct str out, unsigned flags)
{
	size_t gone = ARRAY_LEN(files) - popper_count("alice");
	bool login = (flags & F_LOGGED_IN) || count(in, STR("PASS")) + count(in, STR("AUTH")) > 0;

	if (gone == 0)
		return;
	if (!str_ends(out, STR("+OK good bye\r\n")) || count(in, STR("QUIT")) == 0 ||
	    (count(in, STR("DELE")) < gone && !(flags & F_EXPIRE)) || !login)
		panic("%zu messages are gone", gone);
}

/* The greeting has the stamp of APOP, which is another each time. */
static struct str
behind_greeting(struct str answers)
{
	struct str greeting, rest;

	if (!str_cut(answers, '\n', &greeting, &rest) || !str_starts(greeting, STR("+OK")))
		panic("no greeting");
	return rest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf in, first;
	unsigned flags;

	if (size < 1)
		return 0;
	flags = data[0];
	prepare(flags);
	if (in.max == 0) {
		buf_init(&in, 64u << 20);
		buf_init(&first, 256u << 20);
	}
	buf_reset(&in);
	if (flags & F_LOGGED_IN)
		buf_adds(&in, "USER alice\r\nPASS barid\r\n");
	buf_add(&in, str_n((const char *)data + 1, size - 1));

	(void)popper_answers(buf_str(&in));
	if (popper_marks.broken)
		panic("an answer that is none: %s", buf_cstr(&popper.out));
	/* A command has three octets, and the longest answer is a message. */
	if (popper.out.n > 4096 + in.n / 3 * 1024)
		panic("%zu octets of answers", popper.out.n);
	check_mailbox(buf_str(&in), buf_str(&popper.out), flags);
	buf_reset(&first);
	buf_add(&first, buf_str(&popper.out));

	fill();
	(void)popper_say(buf_str(&in), flags & F_OCTETS ? POPPER_OCTETS : POPPER_WHOLE);
	if (!str_eq(behind_greeting(buf_str(&popper.out)), behind_greeting(buf_str(&first))))
		panic("it depends on the segments:\n%s\n--\n%s", buf_cstr(&first),
		    buf_cstr(&popper.out));
	return 0;
}
