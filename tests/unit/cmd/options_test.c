/* SPDX-License-Identifier: GPL-3.0-or-later */

/* options_test -- sendmail's options as its callers give them, and as attackers do. */

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "unit.h"

#define ARGS_MAX 32

static char *argv[ARGS_MAX + 1];
static struct sendmail_options o;

/* Parses TEXT, cut at each '|'; the exit code. */
static int
parse(const char *text)
{
	static char copy[4096];
	int argc = 0;

	memcpy(copy, text, strlen(text) + 1);
	argv[argc++] = copy;
	for (char *p = copy; (p = strchr(p, '|'));) {
		*p++ = '\0';
		ck_assert_int_lt(argc, ARGS_MAX);
		argv[argc++] = p;
	}
	argv[argc] = NULL;
	o = (struct sendmail_options){ .conf = "default" };
	return sendmail_parse(&o, argc, argv);
}

/* Complaints are expected here. */
static void
quiet(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

/* ECOSYSTEM's list of callers: cron, mutt, git, PHP, mdadm, unattended-upgrades. */
START_TEST(callers)
{
	ck_assert_int_eq(parse("sendmail|-FCronDaemon|-i|-B8BITMIME|-oem|root"), 0);
	ck_assert_str_eq(o.inject.full_name, "CronDaemon");
	ck_assert(o.inject.keep_dot && o.inject.body == BODY_8BITMIME && !o.inject.extract);
	ck_assert_int_eq(o.first, 5);
	ck_assert_int_eq(o.mode, MODE_MESSAGE);
	ck_assert_int_eq(parse("sendmail|-oem|-oi|-f|me@x|-N|success,delay|-R|hdrs|--|bob@x"), 0);
	ck_assert_str_eq(o.from, "me@x");
	ck_assert_uint_eq(o.inject.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	ck_assert_int_eq(o.inject.ret, RET_HDRS);
	ck_assert_str_eq(argv[o.first], "bob@x");
	ck_assert_int_eq(parse("sendmail|-f|me@x|-i|a@x|b@x"), 0);
	ck_assert_str_eq(argv[o.first], "a@x");
	ck_assert_int_eq(parse("/usr/sbin/sendmail|-t|-i"), 0);
	ck_assert(o.inject.extract && o.inject.keep_dot);
	ck_assert_int_eq(o.first, 3);
	ck_assert_int_eq(parse("sendmail|-oi|-t"), 0);
	ck_assert(o.inject.extract && o.inject.keep_dot);
	ck_assert_int_eq(parse("sendmail|-A|m|-e|m|-t"), 0);
	ck_assert(o.inject.extract);
	ck_assert_int_eq(o.first, 6);
	ck_assert_int_eq(parse("sendmail|-t|-i|-fwww-data@x"), 0);
	ck_assert_str_eq(o.from, "www-data@x");
	ck_assert_int_eq(parse("sendmail"), 0);
	ck_assert_int_eq(o.first, 1);
	ck_assert_ptr_null(o.from);
}
END_TEST

START_TEST(forms)
{
	static const struct {
		const char *text;
		int first;	/* of the recipients */
	} t[] = {
		{ "s|-ti|r", 2 }, { "s|-it|r", 2 }, { "s|-tif|me|r", 3 }, { "s|-tifme|r", 2 },
		{ "s|-f||r", 3 }, { "s|-rme|r", 2 }, { "s|-om|r", 2 }, { "s|-o|i|r", 3 },
		{ "s|-o7|r", 2 }, { "s|-oTrue|r", 2 }, { "s|-oA/etc/aliases|r", 2 },
		{ "s|-odb|-odi|-odq|-odf|-odd|r", 6 }, { "s|-oem|-oee|-oep|-oeq|-oew|r", 6 },
		{ "s|-em|-ep|r", 3 }, { "s|-e|m|r", 3 },
		{ "s|-A|m|r", 3 }, { "s|-Ac|-Am|r", 3 }, { "s|-G|-U|-n|-m|-s|-x|-E|-T|-c|r", 10 },
		{ "s|-h|5|r", 3 }, { "s|-h5|r", 2 }, { "s|-L|tag|r", 3 }, { "s|-Ltag|r", 2 },
		{ "s|-p|SMTP:host|r", 3 }, { "s|-X|/tmp/x|r", 3 }, { "s|-X/tmp/x|r", 2 },
		{ "s|-O|QueueDirectory=/tmp|r", 3 }, { "s|-OQueueDirectory=/tmp|r", 2 },
		{ "s|-D|/tmp/x|r", 3 }, { "s|-d|r", 2 }, { "s|-d0.1|r", 2 }, { "s|-M|rx|r", 3 },
		{ "s|-Q|r", 2 }, { "s|-Qreason|r", 2 }, { "s|-v|r", 2 },
		{ "s|-V|id|r", 3 }, { "s|-B|7bit|r", 3 }, { "s|--|r", 2 }, { "s|--|-r", 2 },
		{ "s|--|--|r", 2 }, { "s|-|r", 1 }, { "s|r|-f|x", 1 }, { "s||r", 1 },
		{ "s|--json|r", 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_msg(parse(t[i].text) == 0, "%s", t[i].text);
		ck_assert_msg(o.first == t[i].first, "%s: %d", t[i].text, o.first);
		ck_assert_msg(o.mode == MODE_MESSAGE, "%s", t[i].text);
	}
	ck_assert_int_eq(parse("s|-f|"), 0);
	ck_assert_str_eq(o.from, "");
	ck_assert_int_eq(parse("s|-fa|-rb"), 0);
	ck_assert_str_eq(o.from, "b");
	/* Only -oi is about dots. */
	ck_assert_int_eq(parse("s|-oinet|-oee"), 0);
	ck_assert(!o.inject.keep_dot);
}
END_TEST

START_TEST(modes)
{
	static const struct {
		const char *text;
		enum sendmail_mode mode;
	} t[] = {
		{ "s|-bm", MODE_MESSAGE }, { "s|-bs", MODE_SESSION }, { "s|-bp", MODE_LIST },
		{ "s|-bi", MODE_ALIASES }, { "s|-I", MODE_ALIASES }, { "s|-bv", MODE_VERIFY },
		{ "s|-bd", MODE_DAEMON }, { "s|-bD", MODE_FOREGROUND }, { "s|-b|p", MODE_LIST },
		{ "s|-q", MODE_FLUSH }, { "s|-q30m", MODE_FLUSH }, { "s|-qIx", MODE_FLUSH },
		{ "s|-qf", MODE_FLUSH }, { "s|-qp5m", MODE_FLUSH },
		{ "s|-bp|-bm", MODE_MESSAGE }, { "s|-bp|-v", MODE_LIST },
		/* How init scripts start a daemon. */
		{ "s|-bd|-q1h", MODE_DAEMON }, { "s|-q1h|-bd", MODE_DAEMON },
		{ "s|-bD|-q", MODE_FOREGROUND }, { "s|-L|sm-mta|-bd|-q10m", MODE_DAEMON },
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_msg(parse(t[i].text) == 0, "%s", t[i].text);
		ck_assert_msg(o.mode == t[i].mode, "%s: %d", t[i].text, o.mode);
	}
	ck_assert_int_eq(parse("s|-qI06510000000000000A1"), 0);
	ck_str(o.flush_id, STR("06510000000000000A1"));
	ck_assert_uint_eq(o.flush_domain.n, 0);
	ck_assert_int_eq(parse("s|-qRexample.org"), 0);
	ck_str(o.flush_domain, STR("example.org"));
	ck_assert_uint_eq(o.flush_id.n, 0);
	ck_assert_int_eq(parse("s|-C/x.conf|-bp|--json"), 0);
	ck_assert_str_eq(o.conf, "/x.conf");
	ck_assert(o.json);
}
END_TEST

/* CONFORMANCE S-34: what is not known is refused, and nothing is guessed. */
START_TEST(refused)
{
	static const char *const t[] = {
		"s|-f", "s|-F", "s|-o", "s|-b", "s|-N", "s|-C", "s|-O", "s|-X", "s|-tf",
		"s|-be", "s|-bs@x", "s|-bt", "s|-bmp", "s|-b|",
		"s|-B|binary", "s|-B|", "s|-N|sometimes", "s|-N|never,success", "s|-N|",
		"s|-R|headers", "s|-R|", "s|-V|a\nb", "s|-z", "s|-tz", "s|--help", "s|--version",
		"s|-ti|--x", "s|-1", "s|-qS", "s|-qI", "s|-qR", "s|-qI|-i", "s|-\xff",
		"s|-qL", "s|-qQ", "s|-q!Rx", "s|-qGlist", "s|-q|-qx",
	};
	char long_id[160] = "s|-V";

	quiet();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(parse(t[i]) == EX_USAGE, "%s", t[i]);
	memset(long_id + 4, 'x', 101);
	ck_assert_int_eq(parse(long_id), EX_USAGE);
	long_id[104] = '\0';
	ck_assert_int_eq(parse(long_id), 0);
}
END_TEST

UNIT_MAIN("cmd/options", callers, forms, modes, refused)
