/* SPDX-License-Identifier: GPL-3.0-or-later */

/* lex -- comments, strings, variables, braces; and the place of each mistake. */

#include "conf_unit.h"

/* What hostname is after TEXT. */
static void
hostname_is(const char *text, const char *want)
{
	struct conf *c = must_parse(text);

	ck_assert_str_eq(c->hostname, want);
	conf_free(c);
}

START_TEST(comments)
{
	struct conf *c;

	hostname_is("# one\nhostname = a # two\n#", "a");
	hostname_is("// one\nhostname // two\n=// three\na", "a");
	hostname_is("/* * one\n**/hostname/**/=/* \"x */a/*x*/", "a");
	hostname_is("hostname = \"a\"#b", "a");
	c = must_parse("domains = {a.example, # a, b }\n  b.example /* , x */,\n  # end\n}");
	ck_assert_uint_eq(c->domains.n, 2);
	ck_assert_str_eq(c->domains.v[1], "b.example");
	conf_free(c);
	c = must_parse("tls { ciphers = \"a#b//c/*d\" }");
	ck_assert_str_eq(c->tls.ciphers, "a#b//c/*d");
	conf_free(c);
}
END_TEST

static const struct {
	const char *text, *want;
} strings[] = {
	{ "tls{ciphers=''}", "" },
	{ "tls{ciphers=\"a'b\"}", "a'b" },
	{ "tls{ciphers='a\"b'}", "a\"b" },
	{ "tls{ciphers='a\\'b\\\\c\\d'}", "a'b\\c\\d" },
	{ "tls{ciphers=\"a\\\"b\\\\c\\.\\$\\{}\"}", "a\"b\\c.${}" },
	{ "tls{ciphers=\"$a $ ${x:-}$\"}", "$a $ $" },
	{ "tls{ciphers=\"one \\\ntwo\"}", "one two" },
	{ "tls{ciphers='one \\\ntwo'}", "one two" },
	{ "tls{ciphers='${x}'}", "${x}" },
	{ "tls{ciphers=\"\xc3\xa9\"}", "\xc3\xa9" },
	{ "tls{ciphers=a:b/c*[d]!$}", "a:b/c*[d]!$" },
	{ "set(\"x\", \"1\") tls{ciphers=\"${x}${x}\"}", "11" },
	{ "set(x, '1') set(\"x\", \"${x}2\",) tls{ciphers=\"${x}\"}", "12" },
	{ "set(x, '\"'\n) tls{ciphers=\"${x}\"}", "\"" },
	{ "set(x, '\\') # {}') tls{ciphers=\"${x}\"}", "') # {}" },
	{ "tls{ciphers=\"${BARID_TEST_ENV}\"}", "from outside" },
	{ "tls{ciphers=\"${BARID_TEST_ENV:-no}\"}", "from outside" },
	{ "tls{ciphers=\"${BARID_TEST_NONE:-a b:-}\"}", "a b:-" },
	{ "set(BARID_TEST_ENV,in) tls{ciphers=\"${BARID_TEST_ENV}\"}", "in" },
	{ "tls{set(a,b)ciphers=\"${a}\"}", "b" },
	{ "tls{ciphers=\"${client}\"}", "${client}" },
};

START_TEST(strings_and_variables)
{
	struct conf *c;

	setenv("BARID_TEST_ENV", "from outside", 1);
	unsetenv("x");
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		c = must_parse(strings[i].text);
		ck_assert_msg(strcmp(c->tls.ciphers, strings[i].want) == 0, "%s: got %s",
		    strings[i].text, c->tls.ciphers);
		conf_free(c);
	}
	ck_assert_ptr_null(getenv("x"));	/* nothing leaks */
}
END_TEST

static const struct fault faults[] = {
	{ "\n\nhostname = \"a", "3: this string does not end on its line, expected a closing \"" },
	{ "hostname = 'a\n'", "1: this string does not end" },
	{ "hostname = 'a\\", "1: this string does not end" },
	{ "hostname = \"a\\", "1: this string does not end" },
	{ "\nhostname = \"a\\tb\"", "2: \\t means nothing" },
	{ "hostname = \"a\\1\"", "1: \\1 means nothing" },
	{ "\n/* a\n\n", "2: this comment does not end" },
	{ "hostname = \n/*", "2: this comment does not end" },
	{ "set(/*", "1: this comment does not end" },
	{ "hostname /*", "1: this comment does not end" },
	{ "hostname = \"\n${x}\"", "1: this string" },
	{ "\nhostname = \"a${BARID_TEST_NONE}\"", "2: ${BARID_TEST_NONE} is not defined" },
	{ "hostname = \"${b}\" set(\"b\", \"c\")", "1: ${b} is not defined" },
	{ "hostname = \"${}\"", "1: ${} names no variable" },
	{ "hostname = \"${a b}\"", "1: ${a b} names no variable" },
	{ "hostname = \"${a-b}\"", "1: ${a-b} names no variable" },
	{ "hostname = \"${:-b}\"", "1: ${:-b} names no variable" },
	{ "hostname = \"${a\"", "1: ${ without }" },
	{ "\nhostname = ${a}/b", "2: ${ stands outside of double quotes" },
	{ "hostname = a${b}", "1: ${ stands outside" },
	{ "hostname = \"\x01\"", "1: this value holds a control character" },
	{ "hostname = \"\xff\"", "1: this value holds a control character or is not UTF-8" },
	{ "hostname = a\x7f", "1: this value holds a control character" },
	{ "hostname = \"${BARID_TEST_LINES}\"", "1: this value holds a control character" },
	{ "a\xc3\xa9 = b", "1: unexpected \"a\xc3\xa9\"" },
	{ "'hostname' = b", "1: unexpected \"hostname\", expected the name of an option" },
	{ "tls|key = b", "1: unexpected \"tls|key\"" },
	{ "listen '' { }", "1: this title is empty" },
	{ "\n}", "2: unexpected }" },
	{ "tls { } }", "1: unexpected }" },
	{ "{", "1: unexpected {" },
	{ "domains = {a, {b}}", "1: unexpected {" },
	{ "tls {\n\nname a {\n", "3: this { is not closed" },
	{ "domains = {a\n\n", "1: this { is not closed" },
	{ "hostname =\n\n", "3: the file ends too early, expected a value" },
	{ "hostname", "1: the file ends behind \"hostname\", expected = after" },
	{ "listen a", "1: the file ends too early, expected { after the name of a section" },
	{ "hostname (a)", "1: unknown function \"hostname\", expected set or include" },
	{ "= (", "1: unexpected (" },
	{ ")", "1: unexpected )" },
	{ "domains + a", "1: unexpected +" },
	{ "domains +", "1: unexpected +" },
	{ "\nset(a)", "2: set() is not complete, expected set(\"NAME\", \"value\")" },
	{ "set()", "1: set() is not complete" },
	{ "set(a, b, c)", "1: unexpected text, expected set(" },
	{ "set(a, {", "1: unexpected text, expected set(" },
	{ "set(a, b", "1: unexpected text, expected set(" },
	{ "set(\"a", "1: this string does not end" },
	{ "set(\"a\" /*", "1: this comment does not end" },
	{ "set(\"a-b\", c)", "1: set(): \"a-b\" is no name" },
	{ "set(\"\", c)", "1: set(): \"\" is no name" },
	{ "include()", "1: include() is not complete" },
	{ "\ninclude(\"a\")", "2: include() is not possible here" },
	{ "a{b{c{d{e{f{g{h{i{", "1: braces are nested too deeply" },
};

START_TEST(mistakes)
{
	unsetenv("BARID_TEST_NONE");
	setenv("BARID_TEST_LINES", "a\nb", 1);
	check_faults(faults, ARRAY_LEN(faults));
}
END_TEST

START_TEST(nul)
{
	struct buf error;

	buf_init(&error, 1000);
	ck_assert_ptr_null(conf_parse("n", STR("hostname = a\0b"), &error));
	ck_assert_str_eq(buf_cstr(&error), "n:1: the file holds a NUL, expected text\n");
	buf_free(&error);
}
END_TEST

/* Text of N times PART between HEAD and TAIL. */
static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
	struct buf b;
	char *text;

	buf_init(&b, (size_t)1 << 25);
	buf_adds(&b, head);
	while (n-- > 0)
		buf_adds(&b, part);
	buf_adds(&b, tail);
	ck_assert(buf_ok(&b));
	text = strdup(buf_cstr(&b));
	buf_free(&b);
	return text;
}

static void
refused(char *text, const char *complaint)
{
	struct fault f = { text, complaint };

	check_faults(&f, 1);
	free(text);
}

START_TEST(caps)
{
	char *text = repeated("tls { ciphers = \"", "x", 8192, "\" }");
	struct conf *c = must_parse(text);

	ck_assert_uint_eq(strlen(c->tls.ciphers), 8192);
	conf_free(c);
	free(text);
	refused(repeated("\ntls { ciphers = \"", "x", 8193, "\" }"),
	    "2: this value is too long, expected at most 8192 octets");
	refused(repeated("", "set(a,b)", 1001, ""), "1: too many variables");
	refused(repeated("set(a,'", "x", 8000, "')\ndomains={"), "2: this { is not closed");
	text = repeated("set(a,'", "x", 8000, "')\ndomains={");
	char *bomb = repeated(text, "\"${a}\",", 3000, "}");
	free(text);
	refused(bomb, "2: the configuration is too large");
	refused(repeated("domains={", "a,", 70000, "}"), "1: domains: too many elements");
	refused(repeated("", "#\n", (size_t)1 << 21, "#"), "1: the text is too large");
}
END_TEST

UNIT_MAIN("conf/lex", comments, strings_and_variables, mistakes, nul, caps)
