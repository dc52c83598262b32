/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tests of mail/header: fields, folding, address lists, encoded words. */

#include "mail/header.h"

#include "mail/text.h"
#include "unit.h"

static struct arena arena;
static struct buf b;

START_TEST(walking)
{
	struct str rest = STR("From: a@b\r\nSubject : x\n y\r\n\tz\r\n"
	    "Empty:\r\nLast:v\r\n\r\nBody: no\r\n");
	static const struct {
		const char *name, *value, *raw, *unfolded;
	} t[] = {
		{ "From", " a@b", "From: a@b\r\n", "a@b" },
		{ "Subject", " x\n y\r\n\tz", "Subject : x\n y\r\n\tz\r\n",
		    "x y\tz" },
		{ "Empty", "", "Empty:\r\n", "" },
		{ "Last", "v", "Last:v\r\n", "v" },
	};
	struct field f;

	arena_init(&arena, 10000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(field_next(&rest, &f), 1);
		ck_str(f.name, str_c(t[i].name));
		ck_str(f.value, str_c(t[i].value));
		ck_str(f.raw, str_c(t[i].raw));
		ck_str(field_unfold(&arena, &f), str_c(t[i].unfolded));
	}
	ck_assert_int_eq(field_next(&rest, &f), 0);
	ck_str(rest, STR("Body: no\r\n"));
	arena_free(&arena);
}
END_TEST

START_TEST(walking_ends)
{
	static const struct {
		const char *text;
		int result;
		const char *rest;
	} t[] = {
		{ "", 0, "" },
		{ "\r\nbody", 0, "body" },
		{ "\nbody", 0, "body" },
		{ "\rbody", -1, "\rbody" },
		{ "From a@b Fri\r\n", -1, "From a@b Fri\r\n" },
		{ " folded: x\r\n", -1, " folded: x\r\n" },
		{ ": x\r\n", -1, ": x\r\n" },
		{ "name\r\n", -1, "name\r\n" },
		{ "name", -1, "name" },
		{ "n\xc3\xa9: x\r\n", -1, "n\xc3\xa9: x\r\n" },
		{ "a:", 1, "" },
		{ "a:x\r", 1, "" },
		{ "a:\n", 1, "" },
		{ "a:x\r\n \r\n", 1, "" },
		{ "a:x\ry\r\nb:", 1, "b:" },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct str rest = str_c(t[i].text);
		struct field f;

		ck_assert_msg(field_next(&rest, &f) == t[i].result, "case %zu",
		    i);
		ck_str(rest, str_c(t[i].rest));
	}
}
END_TEST

/* Fields of that name before what is none. */
static unsigned
count(struct str message, struct str name)
{
	struct field f;
	unsigned n = 0;

	while (field_next(&message, &f) == 1)
		n += str_ieq(f.name, name);
	return n;
}

START_TEST(finding)
{
	struct str m = STR("To: a\r\nX: 1\r\nto: b\r\n\r\nTo: c\r\n");
	struct field f;

	ck_assert(header_find(m, STR("TO"), &f));
	ck_str(f.value, STR(" a"));
	ck_assert(!header_find(m, STR("Cc"), &f));
	ck_assert(header_find(STR("A: a\nbroken\nTo: b\n\n"), STR("To"), &f));
	ck_assert(!header_find(STR("A: a\nbroken\n\nTo: b\n"), STR("To"), &f));
	ck_assert_uint_eq(count(m, STR("To")), 2);
	ck_assert_uint_eq(count(m, STR("Cc")), 0);
	ck_assert_uint_eq(count(STR("To: a\nbroken\nTo: b\n"), STR("To")), 1);
}
END_TEST

static bool
is_a(void *arg UNUSED, const struct field *f)
{
	return str_ieq(f->name, STR("A"));
}

/* Past what is no field, to the blank line, as many readers do. */
START_TEST(seeking)
{
	static const struct {
		const char *text, *names, *header, *without;
	} t[] = {
		{ "", "", "", NULL },
		{ "\r\nA: 1\r\n", "", "\r\n", NULL },
		{ "A: 1\r\n\r\nA: 2\r\n", "A", "A: 1\r\n\r\n", "\r\nA: 2\r\n" },
		{ "B: 1\r\njunk\r\nA:\r\n 2\r\nC: 3\r\n\r\nA: 4\r\n", "BAC",
		    "B: 1\r\njunk\r\nA:\r\n 2\r\nC: 3\r\n\r\n",
		    "B: 1\r\njunk\r\nC: 3\r\n\r\nA: 4\r\n" },
		{ "junk\r\n folded: x\r\n: y\r\nA: 1\r\na : 2\r\n", "Aa",
		    "junk\r\n folded: x\r\n: y\r\nA: 1\r\na : 2\r\n",
		    "junk\r\n folded: x\r\n: y\r\n" },
		{ "B: 1\r\njunk\r\n\r\nA: 2\r\n", "B", "B: 1\r\njunk\r\n\r\n", NULL },
		{ "B: 1\r\nA", "B", "B: 1\r\nA", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct str rest = str_c(t[i].text);
		struct field f;
		size_t n;

		buf_init(&b, 1000);
		while (field_seek(&rest, &f))
			buf_add(&b, f.name);
		ck_str(buf_str(&b), str_c(t[i].names));
		ck_str(header_whole(str_c(t[i].text)), str_c(t[i].header));
		buf_reset(&b);
		n = header_strip(&b, str_c(t[i].text), is_a, NULL);
		ck_assert_msg((n > 0) == (t[i].without != NULL), "case %zu", i);
		ck_str(buf_str(&b), str_c(t[i].without != NULL ? t[i].without : ""));
		buf_free(&b);
	}
}
END_TEST

/* A bare CR is no fold. */
START_TEST(unfolding)
{
	struct field f = { .value = STR(" a\r\n b\r c\n\td\r\r\n e \r\n") };

	arena_init(&arena, 1000);
	ck_str(field_unfold(&arena, &f), STR("a b\r c\td\r e"));
	arena_free(&arena);
}
END_TEST

static bool
collect_where(void *arg, struct str addr UNUSED, struct str where)
{
	struct buf *to = arg;

	buf_addc(to, '[');
	buf_add(to, where);
	buf_addc(to, ']');
	return true;
}

static bool
collect(void *arg, struct str addr)
{
	buf_addc(arg, '{');
	buf_add(arg, addr);
	buf_addc(arg, '}');
	return true;
}

START_TEST(places)
{
	struct buf to;

	buf_init(&to, 1000);
	ck_assert(address_list_at(STR("A (x) <@r:a@b>, c\r\n @ (d) e (f),g:h@i;"),
	    collect_where, &to));
	ck_str(buf_str(&to), STR("[a@b][c\r\n @ (d) e][h@i]"));
	buf_free(&to);
}
END_TEST

START_TEST(lists)
{
	static const struct {
		const char *value;
		bool good;
		const char *addrs;
	} t[] = {
		{ "", true, "" },
		{ " , ,, ", true, "" },
		{ "a@b", true, "{a@b}" },
		{ "alice", true, "{alice}" },
		{ "a@b, c@d ,e@f", true, "{a@b}{c@d}{e@f}" },
		{ "Bob <a@b>", true, "{a@b}" },
		{ "\"Smith, Bob\" <a@b>, c@d", true, "{a@b}{c@d}" },
		{ "John Q. Public <a@b>", true, "{a@b}" },
		{ "who@ever <a@b>", true, "{a@b}" },
		{ "<a@b>", true, "{a@b}" },
		{ "<>", true, "" },
		{ "<@x,@y:a@b>", true, "{a@b}" },
		{ "\xc3\xa9 <a@b>", true, "{a@b}" },
		{ "=?utf-8?Q?x?= <a@b>", true, "{a@b}" },
		{ "a@b (comment, (nested \\) one)) , c@d", true, "{a@b}{c@d}" },
		{ "(x)a(y).(z)b @ c . d (w)", true, "{a.b@c.d}" },
		{ "a@b,\r\n c@d", true, "{a@b}{c@d}" },
		{ "\"a b\"@c", true, "{\"a b\"@c}" },
		{ "\"a\\\"<b\"@c", true, "{\"a\\\"<b\"@c}" },
		{ "\"a\r\n b\"@c", true, "{\"a b\"@c}" },
		{ "a@[1.2.3.4], <b@[IPv6:::1]>", true,
		    "{a@[1.2.3.4]}{b@[IPv6:::1]}" },
		{ "friends: a@b, Bob <c@d>;", true, "{a@b}{c@d}" },
		{ "my friends:a@b,;, c@d", true, "{a@b}{c@d}" },
		{ "undisclosed-recipients:;", true, "" },
		{ "undisclosed-recipients:", true, "" },
		{ "a: b@c; d: e@f;", true, "{b@c}{e@f}" },
		/* What came before the break is reported. */
		{ "a@b, c d, e@f", false, "{a@b}" },
		{ "a@b c@d", false, "" },
		{ "a@b; c@d", false, "{a@b}" },
		{ "a@b <c@d", false, "" },
		{ "<a@b> x", false, "{a@b}" },
		{ "<a@b> <c@d>", false, "{a@b}" },
		{ "<a b@c>", false, "" },
		{ "<<a@b>>", false, "" },
		{ "<a:b@c>", false, "" },
		{ "<a,b@c>", false, "" },
		{ "a@b>", false, "" },
		{ "a@b (open", false, "" },
		{ "\"open", false, "" },
		{ "a@[1.2", false, "" },
		{ "x: y: a@b;", false, "" },
		{ "a\\b@c", false, "" },
		{ "a\x01@c", false, "" },
		{ ")", false, "" },
	};

	buf_init(&b, 10000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		ck_assert_msg(address_list(str_c(t[i].value), collect, &b) ==
		    t[i].good, "%s", t[i].value);
		ck_str(buf_str(&b), str_c(t[i].addrs));
	}
	ck_assert(address_list_lacks(STR("a@b, c <>")) && address_list_lacks(STR("g: <(x)>;, a@b")));
	ck_assert(!address_list_lacks(STR("a@b, c <d@e>, g:;, ")) && !address_list_lacks(STR("<>, a b")));
	buf_reset(&b);
	ck_assert(!address_list(STR("a@b, c\0@d"), collect, &b));
	ck_str(buf_str(&b), STR("{a@b}"));
	buf_free(&b);
}
END_TEST

static bool
refuse(void *arg, struct str addr)
{
	(*(int *)arg)++;
	return addr.n == 0;
}

static bool
add_up(void *arg, struct str addr)
{
	*(size_t *)arg += addr.n;
	return true;
}

/* CVE-2024-23184: many addresses, deep comments, endless words. */
START_TEST(lists_large)
{
	size_t n = 0;
	int calls = 0;

	ck_assert(!address_list(STR("a@b, c@d"), refuse, &calls));
	ck_assert_int_eq(calls, 1);
	buf_init(&b, 1 << 22);
	for (int i = 0; i < 100000; i++)
		buf_add(&b, STR("a@b,"));
	ck_assert(address_list(buf_str(&b), add_up, &n));
	ck_assert_uint_eq(n, 300000);
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, '(');
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, ')');
	ck_assert(!address_list(buf_str(&b), add_up, &n));
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_add(&b, STR("(x)"));
	buf_add(&b, STR("a@b"));
	ck_assert(address_list(buf_str(&b), add_up, &n));
	/* A long display name is fine, a long address is not. */
	buf_reset(&b);
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, 'x');
	ck_assert(!address_list(buf_str(&b), add_up, &n));
	buf_add(&b, STR(" <a@b>"));
	ck_assert(address_list(buf_str(&b), add_up, &n));
	buf_free(&b);
}
END_TEST

static void
check_field(const char *value, const char *wire)
{
	buf_reset(&b);
	field_add(&b, "N", str_c(value));
	ck_str(buf_str(&b), str_c(wire));
}

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

START_TEST(making)
{
	buf_init(&b, 10000);
	check_field("", "N: \r\n");
	check_field("a b", "N: a b\r\n");
	check_field(X70 " abcd", "N: " X70 " abcd\r\n");
	check_field(X70 " abcde", "N: " X70 "\r\n abcde\r\n");
	check_field(X70 "  \tabcde", "N: " X70 "\r\n  \tabcde\r\n");
	/* Never a line of white space only. */
	check_field(X70 X10 "   ", "N: " X70 X10 "   \r\n");
	check_field(X70 X70, "N: " X70 X70 "\r\n");
	check_field("a " X70 X70 " b", "N: a\r\n " X70 X70 "\r\n b\r\n");
	/* Folds are made anew, and nothing else may end a line. */
	check_field("a\r\n b\n\tc", "N: a b\tc\r\n");
	check_field("a\r\nBcc: x", "N: a??Bcc: x\r\n");
	check_field("a\nBcc: x", "N: a?Bcc: x\r\n");
	check_field("a\rb\x1b\x7f", "N: a?b??\r\n");
	check_field("a\r\n", "N: a??\r\n");
	check_field("\r\n a", "N:  a\r\n");
	buf_free(&b);
}
END_TEST

/* What field_add() folded is found again whole. */
START_TEST(round_trip)
{
	static const char value[] = "one  two\tthree " X70 " four " X70 X10
	    " five six seven eight nine ten \t eleven " X10 " " X70 " end";
	struct field f;
	struct str rest, line;

	arena_init(&arena, 10000);
	buf_init(&b, 10000);
	field_add(&b, "Name", str_c(value));
	rest = buf_str(&b);
	ck_assert_int_eq(field_next(&rest, &f), 1);
	ck_assert_uint_eq(rest.n, 0);
	ck_str(field_unfold(&arena, &f), str_c(value));
	for (rest = buf_str(&b); rest.n > 0;) {
		str_cut(rest, '\n', &line, &rest);
		ck_assert_uint_le(line.n, 82);
	}
	buf_free(&b);
	arena_free(&arena);
}
END_TEST

START_TEST(phrases)
{
	static const struct {
		const char *text, *phrase;
	} t[] = {
		{ "Bob", "Bob" },
		{ "Bob Smith", "Bob Smith" },
		{ "", "\"\"" },
		{ " Bob", "\" Bob\"" },
		{ "Bob  S", "\"Bob  S\"" },
		{ "Smith, Bob", "\"Smith, Bob\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\r\nBcc: x", "\"a  Bcc: x\"" },
		{ "=?utf-8?Q?x?=", "\"=?utf-8?Q?x?=\"" },
		{ "\xc3\xa9", "=?utf-8?B?w6k=?=" },
		{ "\xe9", "=?unknown-8bit?B?6Q==?=" },
	};

	buf_init(&b, 10000);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		buf_reset(&b);
		phrase_add(&b, str_c(t[i].text));
		ck_str(buf_str(&b), str_c(t[i].phrase));
	}
	buf_reset(&b);
	unstructured_add(&b, STR("Hello, \"you\"\r\nX"));
	ck_str(buf_str(&b), STR("Hello, \"you\"  X"));
	buf_reset(&b);
	unstructured_add(&b, STR("\xc3\xa9\n"));
	ck_str(buf_str(&b), STR("=?utf-8?B?w6kg?="));
	buf_free(&b);
}
END_TEST

/* Long text becomes several words, each of whole characters. */
START_TEST(encoded_words)
{
	struct buf text, back;
	struct str rest, word;
	unsigned words = 0;

	buf_init(&b, 10000);
	buf_init(&text, 1000);
	buf_init(&back, 1000);
	for (int i = 0; i < 60; i++)
		buf_adds(&text, i % 2 ? "\xe2\x82\xac" : "a");
	unstructured_add(&b, buf_str(&text));
	rest = buf_str(&b);
	while ((word = str_word(&rest)).n > 0) {
		ck_assert_uint_le(word.n, 75);
		ck_assert(str_starts(word, STR("=?utf-8?B?")));
		ck_assert(str_ends(word, STR("?=")));
		ck_assert_int_eq(base64_decode(str_n(word.p + 10, word.n - 12),
		    &back), 0);
		ck_assert(str_is_utf8(buf_str(&back)));
		words++;
	}
	ck_assert_uint_ge(words, 3);
	ck_str(buf_str(&back), buf_str(&text));
	buf_free(&b);
	buf_free(&text);
	buf_free(&back);
}
END_TEST

/* RFC 8689 3: "No" is all that it can say. */
START_TEST(no_tls)
{
	static const struct {
		const char *text;
		bool none;
	} cases[] = {
		{ "TLS-Required: No\r\n", true },
		{ "tls-required:no\r\n", true },
		{ "TLS-Required:\r\n no \r\n", true },
		{ "TLS-Required: Yes\r\n", false },
		{ "TLS-Required: No, really\r\n", false },
		{ "TLS-Required:\r\n", false },
		{ "X-TLS-Required: No\r\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str rest = str_c(cases[i].text);
		struct field f;

		ck_assert_int_eq(field_next(&rest, &f), 1);
		ck_assert_msg(field_needs_no_tls(&f) == cases[i].none, "%s",
		    cases[i].text);
	}
}
END_TEST

UNIT_MAIN("mail/header", places, no_tls, walking, walking_ends, finding, seeking, unfolding, lists,
    lists_large, making, round_trip, phrases, encoded_words)
