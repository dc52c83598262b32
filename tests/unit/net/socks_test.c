/* SPDX-License-Identifier: GPL-3.0-or-later */

/* socks -- both versions, octet by octet, and proxies that lie. */

#include "net/socks.h"

#include "unit.h"

static const struct socks_proxy four = { 4, "", "", "" };
static const struct socks_proxy four_user = { 4, "me", "", "" };
static const struct socks_proxy five = { 5, "", "", "" };
static const struct socks_proxy five_user = { 5, "me", "secret", "" };

#define BYTES(lit) STR(lit)

/* One turn of the dialogue: what is sent, and what the proxy answers. */
struct turn {
	struct str out, in;
};

/* Plays TURNS; IN comes in parts of STEP octets. */
static enum socks_result
play(struct socks *s, const struct turn *turns, size_t n, size_t step)
{
	enum socks_result r = SOCKS_MORE;

	for (size_t i = 0; i < n && r == SOCKS_MORE; i++) {
		struct str in = turns[i].in;

		ck_str(socks_output(s), turns[i].out);
		/* It may go in parts as well. */
		socks_sent(s, 1);
		ck_str(socks_output(s), str_skip(turns[i].out, 1));
		socks_sent(s, turns[i].out.n - 1);
		ck_assert_uint_eq(socks_output(s).n, 0);
		while (in.n > 0 && r == SOCKS_MORE) {
			size_t take = socks_want(s) < step ? socks_want(s) : step;

			ck_assert_uint_gt(take, 0);
			r = socks_input(s, str_head(in, take));
			in = str_skip(in, take);
		}
		/* What follows belongs to the server. */
		if (r == SOCKS_DONE)
			ck_assert_uint_eq(in.n, 0);
	}
	return r;
}

static enum socks_result
dialogue(const struct socks_proxy *p, const char *host, const struct turn *turns, size_t n)
{
	enum socks_result r = SOCKS_FAILED;

	for (size_t step = 1; step < 300; step += 7) {
		struct socks s;

		ck_assert(socks_init(&s, p, str_c(host), 587));
		r = play(&s, turns, n, step);
	}
	return r;
}

START_TEST(version4)
{
	const struct turn by_name[] = { {
	    BYTES("\x04\x01\x02\x4b\0\0\0\x01\0smtp.test\0"),
	    BYTES("\0\x5a\x12\x34\x7f\0\0\x01") } };
	const struct turn by_user[] = { {
	    BYTES("\x04\x01\x02\x4b\0\0\0\x01me\0smtp.test\0"),
	    BYTES("\0\x5a\0\0\0\0\0\0") } };
	const struct turn by_address[] = { {
	    BYTES("\x04\x01\x02\x4b\xc0\0\x02\x01\0"),
	    BYTES("\0\x5a\0\0\0\0\0\0") } };
	/* SOCKS 4 has no IPv6: the proxy may know it as a name. */
	const struct turn by_six[] = { {
	    BYTES("\x04\x01\x02\x4b\0\0\0\x01\0" "2001:db8::1\0"),
	    BYTES("\0\x5a\0\0\0\0\0\0") } };

	ck_assert_int_eq(dialogue(&four, "smtp.test", by_name, 1), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&four_user, "smtp.test", by_user, 1), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&four, "192.0.2.1", by_address, 1), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&four, "2001:db8::1", by_six, 1), SOCKS_DONE);
}
END_TEST

#define ASK5 "\x05\x01\0\x03\x09smtp.test\x02\x4b"

START_TEST(version5)
{
	const struct turn plain[] = {
		{ BYTES("\x05\x01\0"), BYTES("\x05\0") },
		{ BYTES(ASK5), BYTES("\x05\0\0\x01\x7f\0\0\x01\x12\x34") },
	};
	const struct turn login[] = {
		{ BYTES("\x05\x02\0\x02"), BYTES("\x05\x02") },
		{ BYTES("\x01\x02me\x06secret"), BYTES("\x01\0") },
		{ BYTES(ASK5), BYTES("\x05\0\0\x03\x05proxy\x12\x34") },
	};
	/* It may do without the password. */
	const struct turn trusted[] = {
		{ BYTES("\x05\x02\0\x02"), BYTES("\x05\0") },
		{ BYTES(ASK5), BYTES("\x05\0\0\x04" "0123456789abcdef\x12\x34") },
	};
	const struct turn four_octets[] = {
		{ BYTES("\x05\x01\0"), BYTES("\x05\0") },
		{ BYTES("\x05\x01\0\x01\xc0\0\x02\x01\x02\x4b"),
		    BYTES("\x05\0\0\x03\0\x12\x34") },
	};
	const struct turn six[] = {
		{ BYTES("\x05\x01\0"), BYTES("\x05\0") },
		{ BYTES("\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x02\x4b"),
		    BYTES("\x05\0\0\x01\0\0\0\0\0\0") },
	};

	ck_assert_int_eq(dialogue(&five, "smtp.test", plain, 2), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&five_user, "smtp.test", login, 3), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&five_user, "smtp.test", trusted, 2), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&five, "192.0.2.1", four_octets, 2), SOCKS_DONE);
	ck_assert_int_eq(dialogue(&five, "2001:db8::1", six, 2), SOCKS_DONE);
}
END_TEST

START_TEST(refusals)
{
	const struct {
		const struct socks_proxy *proxy;
		struct str in[3];
		const char *why;
	} t[] = {
		{ &four, { BYTES("\0\x5b\0\0\0\0\0\0") }, "refused" },
		{ &four, { BYTES("\0\x5c\0\0\0\0\0\0") }, "identd" },
		{ &four, { BYTES("\0\x01\0\0\0\0\0\0") }, "does not speak SOCKS 4" },
		{ &four, { BYTES("\x05\x5a\0\0\0\0\0\0") }, "does not speak SOCKS 4" },
		{ &four, { BYTES("220 hell") }, "does not speak SOCKS 4" },
		{ &five, { BYTES("HT") }, "does not speak SOCKS 5" },
		{ &five, { BYTES("\x05\xff") }, "wants a user" },
		/* Not to be asked for what was not offered. */
		{ &five, { BYTES("\x05\x02") }, "another way" },
		{ &five_user, { BYTES("\x05\xff") }, "another way" },
		{ &five_user, { BYTES("\x05\x01") }, "another way" },
		{ &five_user, { BYTES("\x05\x02"), BYTES("\x01\x01") }, "refused user" },
		{ &five_user, { BYTES("\x05\x02"), BYTES("\x05\0") }, "does not speak SOCKS 5" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\x05\0\x01\0") }, "refused" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\x04\0\x03\0") }, "host is unreachable" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\x09\0\x01\0") }, "nobody knows" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\xff\0\x01\0") }, "nobody knows" },
		{ &five, { BYTES("\x05\0"), BYTES("\x04\0\0\x01\0") }, "does not speak SOCKS 5" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\0\0\x02\0") }, "no kind" },
		{ &five, { BYTES("\x05\0"), BYTES("\x05\0\0\0\0") }, "no kind" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		enum socks_result r = SOCKS_MORE;
		struct socks s;

		ck_assert(socks_init(&s, t[i].proxy, STR("smtp.test"), 25));
		for (size_t k = 0; k < 3 && r == SOCKS_MORE; k++) {
			socks_sent(&s, socks_output(&s).n);
			r = socks_input(&s, t[i].in[k]);
		}
		ck_assert_int_eq(r, SOCKS_FAILED);
		ck_assert_msg(strstr(socks_error(&s), t[i].why) != NULL, "%zu: %s",
		    i, socks_error(&s));
		/* It is over, whatever comes. */
		ck_assert_uint_eq(socks_want(&s), 0);
		ck_assert_int_eq(socks_input(&s, STR("x")), SOCKS_FAILED);
	}
}
END_TEST

START_TEST(out_of_turn)
{
	struct socks s;

	/* An answer before the question went out. */
	ck_assert(socks_init(&s, &five_user, STR("smtp.test"), 25));
	ck_assert_int_eq(socks_input(&s, STR("\x05\x02")), SOCKS_FAILED);
	/* More than was asked for. */
	ck_assert(socks_init(&s, &five, STR("smtp.test"), 25));
	socks_sent(&s, 99);
	ck_assert_int_eq(socks_input(&s, STR("\x05\0x")), SOCKS_FAILED);
}
END_TEST

START_TEST(limits)
{
	char name[300], user[256];
	struct socks_proxy p = { 5, user, user, "" };
	struct socks s;

	memset(name, 'a', sizeof(name));
	memset(user, 'u', sizeof(user));
	user[255] = '\0';
	ck_assert(!socks_init(&s, &five, STR(""), 25));
	ck_assert(!socks_init(&s, &five, str_n(name, 256), 25));
	ck_assert(!socks_init(&s, &five, STR("a\0b"), 25));
	/* Everything at its longest. */
	ck_assert(socks_init(&s, &p, str_n(name, 255), 25));
	socks_sent(&s, 99);
	ck_assert_int_eq(socks_input(&s, STR("\x05\x02")), SOCKS_MORE);
	ck_assert_uint_eq(socks_output(&s).n, 3 + 255 + 255);
	socks_sent(&s, 999);
	ck_assert_int_eq(socks_input(&s, STR("\x01\0")), SOCKS_MORE);
	ck_assert_uint_eq(socks_output(&s).n, 7 + 255);
	p.version = 4;
	ck_assert(socks_init(&s, &p, str_n(name, 255), 25));
	ck_assert_uint_eq(socks_output(&s).n, 8 + 255 + 1 + 255 + 1);
	ck_assert_uint_le(socks_output(&s).n, SOCKS_OUT_MAX);
}
END_TEST

UNIT_MAIN("socks", version4, version5, refusals, out_of_turn, limits)
