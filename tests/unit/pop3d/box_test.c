/* SPDX-License-Identifier: GPL-3.0-or-later */

/* box_test -- what is listed, fetched, marked and removed, octet by octet. */

#include "unit.h"

#include "popper.h"

#define LOGIN "USER alice\r\nPASS barid\r\n"
#define HELLO "+OK mx.example.test POP3 ready\r\n+OK and the password?\r\n"

/* The answer to LINE in a session of its own: what stands between login and QUIT. */
static struct str
answer(const char *line)
{
	static struct buf in;
	struct str out, head, end = STR("+OK good bye\r\n");

	buf_free(&in);
	buf_init(&in, 65536);
	buf_addf(&in, LOGIN "%s\r\nQUIT\r\n", line);
	out = popper_say(buf_str(&in), POPPER_LINES);
	ck_assert_msg(str_starts(out, STR(HELLO "+OK ")) && str_ends(out, end), "%s",
	    buf_cstr(&popper.out));
	out = str_skip(out, sizeof(HELLO) - 1);
	str_cut(out, '\n', &head, &out);
	return str_head(out, out.n - end.n);
}

/* What TEXT is on the wire, by the simplest of rules: octet by octet. */
static void
wire(struct buf *b, struct str text, uint64_t lines, uint64_t *octets)
{
	bool start = true, body = false;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (body && lines == 0)
			break;
		if (c == '\r' || c == '\n') {
			if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
				i++;
			buf_adds(b, "\r\n");
			n += 2;
			if (body)
				lines--;
			else if (start)
				body = true;
			start = true;
			continue;
		}
		if (start && c == '.')
			buf_addc(b, '.');
		buf_addc(b, c);
		n++;
		start = false;
	}
	if (!start) {
		buf_adds(b, "\r\n");
		n += 2;
	}
	buf_adds(b, ".\r\n");
	*octets = n;
}

/* The mailbox holds TEXT alone: RETR and TOP with each number of LINES. */
static void
fetch(struct str text, const uint64_t *lines, size_t n)
{
	struct buf want, line;
	uint64_t octets, whole;

	popper_put("alice", "new/1.x", text);
	buf_init(&want, 16u << 20);
	buf_init(&line, 256);
	wire(&want, text, UINT64_MAX, &whole);
	struct str got = answer("RETR 1"), head;
	str_cut(got, '\n', &head, &got);
	buf_addf(&line, "+OK %llu octets\r", (unsigned long long)whole);
	ck_str(head, buf_str(&line));
	ck_assert(str_eq(got, buf_str(&want)));
	for (size_t i = 0; i < n; i++) {
		buf_reset(&want);
		buf_reset(&line);
		wire(&want, text, lines[i], &octets);
		buf_addf(&line, "TOP 1 %llu", (unsigned long long)lines[i]);
		got = answer(buf_cstr(&line));
		str_cut(got, '\n', &head, &got);
		ck_assert(str_starts(head, STR("+OK ")));
		ck_assert_msg(str_eq(got, buf_str(&want)), "%s of %zu octets: %zu, not %zu",
		    buf_cstr(&line), text.n, got.n, want.n);
	}
	buf_free(&want);
	buf_free(&line);
}

static const uint64_t few[] = { 0, 1, 2, 3, 4, 100 };

START_TEST(texts)
{
	static const char *const t[] = {
		"", "\n", "\r\n", "\r", ".", ".\n", "..\r\n", "x", "a: b", "a: b\n", "a: b\r\n",
		"a: b\n\n", "a: b\r\n\r\n", "a: b\r\r", "a: b\n\nbody", "a: b\n\n.\n..\n...\n.x\n",
		"a: b\r\n\r\n.\r\n..\r\n.", "a: b\n\r\none\r\ntwo\nthree\rfour\r\r\nfive\n\r\nsix",
		"\nbody at once\n", "a: b\n.c: d\n\n.\r.\r", "a: b\n \n c\n\nbody\n\n\n\n",
		"a: b\n\n\n\n\n", "From x\n\n\n.\n",
	};

	popper_begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		fetch(str_c(t[i]), few, ARRAY_LEN(few));
	fetch(STR("a: b\n\nNUL \0 and \377\n\0"), few, ARRAY_LEN(few));
	popper_end();
}
END_TEST

/* What matters stands at the border of two reads, and beside it. */
START_TEST(borders)
{
	static const char *const t[] = { "\r\n", "\n", "\r", "\n.", "\r\n.\r\n", ".\n", "\r\r\n",
		"\n\n", "\r\n\r\n", "\n.\n.", "\r.\r" };
	const uint64_t lines[] = { 0, 1, 2, 3 };
	struct buf b;

	popper_begin();
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t at = 65536 - 4; at <= 65536 + 1; at++) {
			/* In a body of one long line, and in a header. */
			for (int body = 0; body < 2; body++) {
				buf_reset(&b);
				buf_adds(&b, body ? "a: b\n\n" : "a: b");
				while (b.n < at)
					buf_addc(&b, 'x');
				buf_adds(&b, t[i]);
				buf_adds(&b, "one\ntwo\n.\nthree");
				fetch(buf_str(&b), lines, ARRAY_LEN(lines));
			}
		}
	/* Worst for the encoder: every octet becomes two. */
	buf_reset(&b);
	while (b.n < 140000)
		buf_addc(&b, '\n');
	fetch(buf_str(&b), lines, ARRAY_LEN(lines));
	buf_reset(&b);
	while (b.n < 140000)
		buf_adds(&b, ".\n");
	fetch(buf_str(&b), lines, ARRAY_LEN(lines));
	buf_reset(&b);
	buf_adds(&b, "a: b\n\n");
	while (b.n < 140000)
		buf_adds(&b, ".\r");
	fetch(buf_str(&b), (const uint64_t[]){ 0, 1, 32768, 66997, 66998, 70000 }, 6);
	buf_free(&b);
	popper_end();
}
END_TEST

START_TEST(lists)
{
	popper_begin();
	ck_str(answer("STAT"), STR("+OK 0 0\r\n"));
	ck_str(answer("LIST"), STR("+OK 0 messages\r\n.\r\n"));
	ck_str(answer("UIDL"), STR("+OK 0 messages\r\n.\r\n"));
	popper_put("alice", "new/10.b,S=2,W=3", STR("a\n"));
	popper_put("alice", "cur/2.a,S=3,W=6:2,S", STR("a\nb"));
	popper_put("alice", "new/30.c", STR("x: y\n\n"));
	ck_str(answer("STAT"), STR("+OK 3 17\r\n"));
	ck_str(answer("LIST"), STR("+OK 3 messages\r\n1 6\r\n2 3\r\n3 8\r\n.\r\n"));
	ck_str(answer("LIST 3"), STR("+OK 3 8\r\n"));
	ck_str(answer("UIDL"), STR("+OK 3 messages\r\n1 2.a\r\n2 10.b\r\n3 30.c\r\n.\r\n"));
	ck_str(answer("UIDL 2"), STR("+OK 2 10.b\r\n"));
	/* What is marked is not listed, and the others keep their numbers. */
	ck_str(answer("DELE 2\r\nSTAT\r\nLIST\r\nUIDL\r\nLIST 2\r\nRSET\r\nLIST 2"),
	    STR("+OK message 2 is marked\r\n+OK 2 14\r\n"
	    "+OK 3 messages\r\n1 6\r\n3 8\r\n.\r\n+OK 3 messages\r\n1 2.a\r\n3 30.c\r\n.\r\n"
	    "-ERR message 2 is marked deleted\r\n+OK 3 messages\r\n+OK 2 3\r\n"));
	ck_assert_uint_eq(popper_count("alice"), 3);
	popper_end();
}
END_TEST

/* What is announced is what is sent, and a session says one size of a message. */
START_TEST(sizes)
{
	popper_begin();
	popper_put("alice", "new/1.other,S=5,W=8", STR("a\nb\nc"));
	popper_put("alice", "new/2.other,S=4,W=900", STR("a\nb"));
	ck_str(answer("LIST 1\r\nRETR 1\r\nLIST 1\r\nSTAT"),
	    STR("+OK 1 9\r\n+OK 9 octets\r\na\r\nb\r\nc\r\n.\r\n+OK 1 9\r\n+OK 2 15\r\n"));
	/* Where another program has written into a message of ours. */
	popper_put("alice", "new/3.Q1R0.h,S=5,W=8", STR("a\nb\nc"));
	ck_str(answer("LIST 3\r\nRETR 3\r\nLIST 3\r\nSTAT"),
	    STR("+OK 3 8\r\n+OK 9 octets\r\na\r\nb\r\nc\r\n.\r\n+OK 3 9\r\n+OK 3 24\r\n"));
	popper_end();
}
END_TEST

static void
append(void)
{
	char path[256];
	FILE *f;

	popper_path(path, "alice", "new/1.long");
	if (buf_str(&popper.out).n < 1000 || (f = fopen(path, "a")) == NULL)
		return;
	popper.before_write = NULL;
	fputs("and more\n", f);
	fclose(f);
}

/* Written to while it is sent: the client must not take it for the whole. */
START_TEST(grows)
{
	struct buf b;

	popper_begin();
	buf_init(&b, 1 << 20);
	while (b.n < 400000)
		buf_adds(&b, "a line of text\n");
	popper_put("alice", "new/1.long", buf_str(&b));
	popper.before_write = append;
	(void)popper_say(STR(LOGIN "RETR 1\r\nNOOP\r\nQUIT\r\n"), POPPER_LINES);
	ck_assert(!popper.before_write);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&popper.out), "octets\r\n"));
	ck_assert_ptr_null(strstr(buf_cstr(&popper.out), "\r\n.\r\n"));
	ck_assert_ptr_null(strstr(buf_cstr(&popper.out), "still here"));
	buf_free(&b);
	popper_end();
}
END_TEST

/* More than fits into one buffer of a listing. */
START_TEST(many)
{
	struct buf want;
	char name[64];

	popper_begin();
	buf_init(&want, 1 << 20);
	buf_adds(&want, "+OK 4000 messages\r\n");
	for (unsigned i = 1; i <= 4000; i++) {
		snprintf(name, sizeof(name), "new/%u.message-of-a-long-name,S=1,W=3", i);
		popper_put("alice", name, STR("x"));
		buf_addf(&want, "%u %u.message-of-a-long-name\r\n", i, i);
	}
	buf_adds(&want, ".\r\n");
	ck_assert(str_eq(answer("UIDL"), buf_str(&want)));
	ck_str(answer("STAT"), STR("+OK 4000 12000\r\n"));
	buf_free(&want);
	popper_end();
}
END_TEST

/* What happens to the files between two commands. */
static unsigned at_read;

static void
meanwhile(void)
{
	char from[256], to[256];

	popper_mark();
	if (++at_read != 3)
		return;
	popper_path(from, "alice", "new/1.one");
	popper_path(to, "alice", "cur/1.one:2,S");
	ck_assert_int_eq(rename(from, to), 0);
	popper_path(from, "alice", "new/2.two");
	ck_assert_int_eq(unlink(from), 0);
	popper_put("alice", "new/0.late", STR("late\n"));
}

static const char *
answers_meanwhile(const char *in)
{
	at_read = 0;
	popper_put("alice", "new/1.one", STR("a: b\n\none\n"));
	popper_put("alice", "new/2.two", STR("a: b\n\ntwo\n"));
	popper_put("alice", "new/3.three", STR("a: b\n\nthree\n"));
	popper_marks = (struct popper_marks){ .n = 0 };
	popper.before_read = meanwhile;
	(void)popper_say(str_c(in), POPPER_LINES);
	popper.before_read = NULL;
	popper_mark();
	return popper_marks.v;
}

/* All that were listed go after the login. */
static void
others_go(void)
{
	char name[32];

	if (strstr(buf_cstr(&popper.out), "messages\r\n"))
		for (int i = 10; i < 50; i++) {
			snprintf(name, sizeof(name), "new/%d.x,W=1", i);
			popper_remove("alice", name);
		}
}

START_TEST(others)
{
	popper_begin();
	/* Renamed: found.  Gone: an error for that message only.  New: not seen. */
	ck_assert_str_eq(answers_meanwhile(LOGIN "RETR 1\r\nRETR 2\r\nTOP 2 1\r\nRETR 3\r\n"
	    "LIST\r\nRETR 4\r\nUIDL 2\r\nQUIT\r\n"), "+++*--**-++");
	ck_assert_ptr_nonnull(strstr(buf_cstr(&popper.out), "-ERR [SYS/TEMP] message 2 is gone"));
	ck_assert(popper_has("alice", "cur/1.one:2,S"));
	popper_remove("alice", "cur/1.one:2,S");
	popper_remove("alice", "new/0.late");
	/* Gone before QUIT is what was wanted. */
	ck_assert_str_eq(answers_meanwhile(LOGIN "DELE 1\r\nDELE 2\r\nDELE 3\r\nQUIT\r\n"),
	    "+++++++");
	ck_assert_uint_eq(popper_count("alice"), 1);
	ck_assert(popper_has("alice", "new/0.late"));
	/* A client that asks for many of those is not sent away for it. */
	for (int i = 10; i < 50; i++) {
		char name[32];
		snprintf(name, sizeof(name), "new/%d.x,W=1", i);
		popper_put("alice", name, STR("x"));
	}
	struct buf in;
	buf_init(&in, 65536);
	buf_adds(&in, LOGIN);
	buf_adds(&in, "DELE 1\r\n");
	for (int i = 1; i <= 41; i++)
		buf_addf(&in, "RETR %d\r\n", i);
	popper.before_read = others_go;
	(void)popper_say(buf_str(&in), POPPER_LINES);
	popper.before_read = NULL;
	ck_assert_ptr_nonnull(strstr(buf_cstr(&popper.out), "message 41 is gone"));
	buf_free(&in);
	popper_end();
}
END_TEST

/* A directory in a message's place cannot be unlinked, not by root either. */
static void
obstruct(void)
{
	char path[256];

	if (!strstr(buf_cstr(&popper.out), "messages\r\n"))
		return;
	popper_path(path, "alice", "cur/3.three,W=5");
	popper_remove("alice", "cur/3.three,W=5");
	(void)mkdir(path, 0700);
}

/* UPDATE that fails says so, and does as much as it can and nothing else. */
START_TEST(update_fails)
{
	char path[256];

	popper_begin();
	popper_put("alice", "new/1.one", STR("x"));
	popper_put("alice", "cur/2.two", STR("x"));
	popper_put("alice", "cur/3.three,W=5", STR("three"));
	popper.before_read = obstruct;
	(void)popper_say(STR(LOGIN "DELE 3\r\nDELE 1\r\nQUIT\r\nNOOP\r\n"), POPPER_LINES);
	popper.before_read = NULL;
	ck_assert(str_ends(buf_str(&popper.out),
	    STR("-ERR [SYS/TEMP] 1 messages could not be removed\r\n")));
	ck_assert(!popper_has("alice", "new/1.one") && popper_has("alice", "cur/2.two"));
	popper_path(path, "alice", "cur/3.three,W=5");
	ck_assert_int_eq(rmdir(path), 0);
	popper_end();
}
END_TEST

UNIT_MAIN("pop3d/box", texts, borders, lists, sizes, grows, many, others, update_fails)
