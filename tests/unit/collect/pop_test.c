/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The client's side of POP3 against servers that say anything. */

#include "collect/pop.h"

#include "lib/clock.h"
#include "unit.h"

/* A server whose answers were written before. */
struct server {
	struct stream_mem mem;
	struct stream stream;
	struct buf said;
	struct pop pop;
	struct arena arena;
};

static void
begin(struct server *s, struct str answers, size_t chunk)
{
	*s = (struct server){ .mem = { .in = answers, .chunk = chunk } };
	buf_init(&s->said, 1 << 20);
	s->mem.out = &s->said;
	stream_init(&s->stream, &stream_mem_ops, &s->mem);
	pop_init(&s->pop, &s->stream, 1000, clock_ms() + 100000);
	arena_init(&s->arena, 1 << 26);
}

static void
end(struct server *s)
{
	pop_free(&s->pop);
	stream_free(&s->stream);
	buf_free(&s->said);
	arena_free(&s->arena);
}

START_TEST(answers)
{
	const struct {
		struct str line;
		enum pop_answer want;
		const char *said;	/* text, or why */
	} cases[] = {
		{ STR("+OK hello there\r\n"), POP_OK, "hello there" },
		{ STR("+OK\r\n"), POP_OK, "" },
		{ STR("-ERR [AUTH] no\r\n"), POP_NO, "[AUTH] no" },
		{ STR("+OKAY\r\n"), POP_LOST, "what it says is no POP3: \"+OKAY\"" },
		{ STR("220 mx.test ESMTP\r\n"), POP_LOST, "what it says is no POP3: \"220 mx.test ESMTP\"" },
		{ STR("+OK bare\n"), POP_LOST, "what it says is no POP3" },
		{ STR("+OK a\rb\r\n"), POP_LOST, "what it says is no POP3" },
		{ STR("+OK \0\r\n"), POP_LOST, "what it says is no POP3" },
		{ STR("+OK cut"), POP_LOST, "it closed the connection" },
		{ STR(""), POP_LOST, "it closed the connection" },
	};
	struct server s;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(&s, cases[i].line, 1);
		ck_assert_int_eq(pop_greeting(&s.pop), cases[i].want);
		ck_str(buf_str(cases[i].want == POP_LOST ? &s.pop.why : &s.pop.text), str_c(cases[i].said));
		end(&s);
	}
}
END_TEST

START_TEST(endless)
{
	struct server s;
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_adds(&b, "+OK ");
	for (int i = 0; i < 3000; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, "\r\n");
	begin(&s, buf_str(&b), 0);
	ck_assert_int_eq(pop_greeting(&s.pop), POP_LOST);
	ck_str(buf_str(&s.pop.why), STR("a line of it is too long"));
	/* It stays so. */
	ck_assert_int_eq(pop_command(&s.pop, "NOOP"), POP_LOST);
	ck_assert_uint_eq(s.said.n, 0);
	end(&s);
	buf_reset(&b);
	buf_adds(&b, "+OK\r\n");
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "X-%d\r\n", i);
	begin(&s, buf_str(&b), 0);
	ck_assert_int_eq(pop_capa(&s.pop), POP_LOST);
	ck_str(buf_str(&s.pop.why), STR("a list of it has no end"));
	end(&s);
	buf_free(&b);
}
END_TEST

START_TEST(capabilities)
{
	struct server s;

	begin(&s, STR("+OK\r\nTOP\r\nuidl\r\nSTLS\r\nSASL cram-md5 X PLAIN\r\nUSER\r\n.\r\n-ERR what\r\n"), 0);
	ck_assert_int_eq(pop_capa(&s.pop), POP_OK);
	ck_assert_uint_eq(s.pop.can, POP_CAPA | POP_UIDL | POP_STLS | POP_USER | POP_PLAIN | POP_CRAM);
	ck_assert_int_eq(pop_capa(&s.pop), POP_NO);
	ck_assert_uint_eq(s.pop.can, POP_UIDL | POP_USER);
	end(&s);
}
END_TEST

START_TEST(logins)
{
	const struct {
		unsigned can, allowed;
		bool safe;
		struct str answers;
		enum pop_answer want;
		const char *said;
	} cases[] = {
		{ POP_PLAIN | POP_CRAM | POP_USER, POP_LOGINS, true, STR("+ \r\n+OK\r\n"), POP_OK,
		    "AUTH PLAIN\r\nAHRpbQBzZWNyZXQ=\r\n" },
		/* RFC 2195 has no example with this name; hmac_md5() is tested against those of RFC 2104. */
		{ POP_PLAIN | POP_CRAM, POP_LOGINS, false, STR("+ PDEyMz4=\r\n+OK\r\n"), POP_OK, NULL },
		{ POP_CRAM, POP_LOGINS, true, STR("+ !\r\n"), POP_LOST, "AUTH CRAM-MD5\r\n" },
		{ POP_CRAM, POP_LOGINS, true, STR("-ERR no\r\n"), POP_NO, "AUTH CRAM-MD5\r\n" },
		{ POP_USER, POP_LOGINS, true, STR("+OK\r\n-ERR no\r\n"), POP_NO, "USER tim\r\nPASS secret\r\n" },
		{ 0, POP_LOGINS, true, STR("+OK\r\n+OK\r\n"), POP_OK, "USER tim\r\nPASS secret\r\n" },
		{ POP_PLAIN, POP_LOGINS, true, STR("500 what\r\n"), POP_LOST, "AUTH PLAIN\r\n" },
		/* Nothing is said that may not be. */
		{ POP_PLAIN | POP_USER, POP_CRAM, true, STR(""), POP_NO, "" },
		{ 0, POP_PLAIN, true, STR(""), POP_NO, "" },
	};
	struct server s;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(&s, cases[i].answers, 0);
		s.pop.can = cases[i].can;
		ck_assert_int_eq(pop_login(&s.pop, "tim", "secret", cases[i].allowed, cases[i].safe), cases[i].want);
		if (cases[i].said != NULL)
			ck_str(buf_str(&s.said), str_c(cases[i].said));
		else
			ck_assert(str_starts(buf_str(&s.said), STR("AUTH CRAM-MD5\r\n")) &&
			    memmem(s.said.p, s.said.n, "secret", 6) == NULL);
		end(&s);
	}
}
END_TEST

START_TEST(lists)
{
	struct pop_list l;
	struct server s;

	begin(&s, STR("+OK 5\r\n1 10\r\n2 20 more\r\n4 40\r\n7 70\r\n9 90\r\n.\r\n"
		      "+OK\r\n4 same\r\n1 one\r\n7 same\r\n9 with\ttab\r\n.\r\n"), 3);
	s.pop.can = POP_UIDL;
	ck_assert_int_eq(pop_list(&s.pop, &s.arena, &l), POP_OK);
	ck_assert_uint_eq(l.n, 5);
	ck_assert_uint_eq(l.v[2].number, 4);
	ck_assert_uint_eq(l.v[2].size, 40);
	ck_str(l.v[0].uidl, STR("one"));
	/* None, of two the same, and one that is none. */
	for (size_t i = 1; i < 5; i++)
		ck_assert_uint_eq(l.v[i].uidl.n, 0);
	ck_assert_uint_eq(l.nameless, 4);
	end(&s);

	/* Three the same, and two for one. */
	begin(&s, STR("+OK\r\n1 1\r\n2 1\r\n3 1\r\n4 1\r\n.\r\n+OK\r\n1 a\r\n2 a\r\n3 a\r\n4 b\r\n4 c\r\n.\r\n"), 0);
	s.pop.can = POP_UIDL;
	ck_assert_int_eq(pop_list(&s.pop, &s.arena, &l), POP_OK);
	ck_assert_uint_eq(l.nameless, 4);
	end(&s);

	/* No such command. */
	begin(&s, STR("+OK\r\n1 1\r\n.\r\n-ERR\r\n"), 0);
	s.pop.can = POP_UIDL;
	ck_assert_int_eq(pop_list(&s.pop, &s.arena, &l), POP_OK);
	ck_assert_uint_eq(l.nameless, 1);
	end(&s);
}
END_TEST

START_TEST(no_lists)
{
	static const char *const cases[] = {
		"+OK\r\nx 1\r\n.\r\n", "+OK\r\n0 1\r\n.\r\n", "+OK\r\n1\r\n.\r\n", "+OK\r\n1 -1\r\n.\r\n",
		"+OK\r\n2 1\r\n1 1\r\n.\r\n", "+OK\r\n1 1\r\n1 1\r\n.\r\n", "+OK\r\n1 1\r\n", "+OK\r\n\r\n.\r\n",
		"+OK\r\n4294967296 1\r\n.\r\n", "+OK\r\n1 99999999999999999999\r\n.\r\n",
		"+OK\r\n1 1\r\n.\r\n+OK\r\n2 two\r\n.\r\n", "+OK\r\n1 1\r\n.\r\n+OK\r\nnot\r\n.\r\n",
		"+OK\r\n1 1\r\n.\r\nwhat\r\n", "+OK\n1 1\n.\n",
	};
	struct pop_list l;
	struct server s;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(&s, str_c(cases[i]), 0);
		s.pop.can = POP_UIDL;
		ck_assert_msg(pop_list(&s.pop, &s.arena, &l) == POP_LOST, "%s", cases[i]);
		ck_assert(s.pop.why.n > 0);
		end(&s);
	}
}
END_TEST

static bool
take(void *arg, struct str piece)
{
	buf_add(arg, piece);
	return true;
}

static bool
refuse(void *arg UNUSED, struct str piece UNUSED)
{
	return false;
}

START_TEST(texts)
{
	const struct {
		struct str answer, want;
		enum pop_text end;
	} cases[] = {
		{ STR("+OK\r\na: b\r\n\r\n..x\r\n...\r\n.\r\n"), STR("a: b\r\n\r\n.x\r\n..\r\n"), TEXT_WHOLE },
		{ STR("+OK\r\n.\r\n"), STR(""), TEXT_WHOLE },
		/* What another line end would make of it is no end. */
		{ STR("+OK\r\na\n.\nb\r\n.\r\n"), STR("a\r\n.\r\nb\r\n"), TEXT_WHOLE },
		{ STR("+OK\r\na\n.\r\nb\r\n.\r\n"), STR("a\r\n.\r\nb\r\n"), TEXT_WHOLE },
		{ STR("+OK\r\na\r.\rb\r\r\n.\r\n"), STR("a\r\n.\r\nb\r\n\r\n"), TEXT_WHOLE },
		{ STR("+OK\r\na\0b\r\0\n\0\r\n.\r\n"), STR("ab\r\n\r\n"), TEXT_WHOLE },
		{ STR("+OK\r\nnever ends\r\n"), STR("never ends\r\n"), TEXT_LOST },
		{ STR("-ERR gone\r\n"), STR(""), TEXT_REFUSED },
		{ STR("+OK\r\n12345678901234567890\r\n.\r\n"), STR(""), TEXT_TOO_LARGE },
	};
	struct server s;
	struct buf got;

	for (size_t chunk = 0; chunk < 4; chunk++)
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			begin(&s, cases[i].answer, chunk);
			buf_init(&got, 1000);
			ck_assert_int_eq(pop_retrieve(&s.pop, 7, 20, take, &got), cases[i].end);
			if (cases[i].end != TEXT_TOO_LARGE)
				ck_str(buf_str(&got), cases[i].want);
			ck_str(buf_str(&s.said), STR("RETR 7\r\n"));
			buf_free(&got);
			end(&s);
		}
	begin(&s, STR("+OK\r\nx\r\n.\r\n"), 0);
	ck_assert_int_eq(pop_retrieve(&s.pop, 1, 20, refuse, NULL), TEXT_UNWANTED);
	end(&s);
}
END_TEST

UNIT_MAIN("collect/pop", answers, endless, capabilities, logins, lists, no_lists, texts)
