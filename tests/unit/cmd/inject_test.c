/* SPDX-License-Identifier: GPL-3.0-or-later */

/* inject_test -- what sendmail makes of its standard input, octet by octet. */

#include <pwd.h>
#include <sysexits.h>

#include "cmd/cmd.h"
#include "queue/tmpspool.h"

static struct tmpspool spool;
static struct conf *conf;
static struct inject request;
static struct buf text;		/* of the message that was queued last */
static struct queue_file file;

static void
begin(const char *extra)
{
	struct buf conf_text, error;

	tmpspool_begin(&spool);
	buf_init(&conf_text, 4096);
	buf_init(&error, 4096);
	buf_init(&text, 64u << 20);
	buf_addf(&conf_text, "hostname = \"mx.example.test\"\ndomains = {\"example.test\"}\n"
	    "spool = \"%s\"\n%s", spool.dir, extra);
	conf = conf_parse("x.conf", buf_str(&conf_text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&conf_text);
	buf_free(&error);
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	request = (struct inject){ .conf = conf, .has_from = true, .extract = true,
		.from = { STR("me"), STR("example.test") } };
}

static void
end(void)
{
	buf_free(&text);
	conf_free(conf);
	tmpspool_end(&spool);
}

/* Puts INPUT where standard input is: in a file, or in a pipe in pieces of PIECE octets. */
static void
feed(struct str input, size_t piece)
{
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	if (fork() == 0) {
		close(p[0]);
		while (input.n > 0) {
			struct str one = str_head(input, piece);
			if (write(p[1], one.p, one.n) != (ssize_t)one.n)
				_exit(1);
			input = str_skip(input, one.n);
		}
		_exit(0);
	}
	close(p[1]);
	ck_assert_int_eq(dup2(p[0], STDIN_FILENO), STDIN_FILENO);
	close(p[0]);
}

static bool
note_id(void *arg, const char *id, int64_t mtime UNUSED, uint64_t size UNUSED)
{
	ck_assert_ptr_nonnull(id);
	memcpy(spool.env.id, id, QUEUE_ID_SIZE);
	++*(unsigned *)arg;
	return true;
}

/* How many messages stand in drop/. */
static unsigned
dropped(void)
{
	unsigned n = 0;

	ck_assert_int_eq(queue_scan(spool.q, QUEUE_DROP, note_id, &n), 0);
	return n;
}

/* Sends INPUT; what was queued is in FILE and TEXT and no more in the spool. */
static void
inject_pieces(struct str input, size_t piece)
{
	feed(input, piece);
	ck_assert_int_eq(inject(&request), EX_OK);
	ck_assert_uint_eq(dropped(), 1);
	arena_reset(&spool.a);
	tmpspool_load(&spool, QUEUE_DROP, &file);
	buf_reset(&text);
	char *room = buf_room(&text, file.size);
	ck_assert_int_eq(pread(file.fd, room, file.size, file.text_at), (ssize_t)file.size);
	buf_grew(&text, file.size);
	queue_unload(&file);
	ck_assert_int_eq(queue_remove(spool.q, QUEUE_DROP, spool.env.id), 0);
}

static void
send(const char *input)
{
	inject_pieces(str_c(input), SIZE_MAX);
}

/* INPUT is refused with CODE, and nothing is left. */
static void
refused(struct str input, int code)
{
	feed(input, SIZE_MAX);
	int got = inject(&request);
	ck_assert_msg(got == code, "%d, not %d: %.60s", got, code, input.p);
	ck_assert_uint_eq(dropped(), 0);
}

static bool
has(const char *part)
{
	return strstr(buf_cstr(&text), part) != NULL;
}

/* "a@b c@d" */
static void
check_rcpts(const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	for (size_t i = 0; i < file.env.rcpt_n; i++) {
		if (i > 0)
			buf_addc(&b, ' ');
		path_add(&b, &file.env.rcpts[i].path);
	}
	ck_assert_str_eq(buf_cstr(&b), want);
	buf_free(&b);
}

/* What stands behind the header that was given, with its blank line. */
static void
check_end(const char *want)
{
	ck_assert_msg(str_ends(buf_str(&text), str_c(want)), "%s\nis not the end of\n%s", want,
	    buf_cstr(&text));
}

START_TEST(line_ends)
{
	static const char want[] = "To: bob@x.test\r\nSubject: s\r\n\r\none\r\n\r\ntwo\r\n";
	static const char *const t[] = {
		"To: bob@x.test\nSubject: s\n\none\n\ntwo\n",
		"To: bob@x.test\r\nSubject: s\r\n\r\none\r\n\r\ntwo\r\n",
		"To: bob@x.test\nSubject: s\n\none\n\ntwo",
		"To: bob@x.test\rSubject: s\r\rone\r\rtwo\r",
		"To: bob@x.test\r\nSubject: s\n\none\r\r\ntwo\r",
		"To: bob@x.test\r\nSubject: s\r\n\r\none\r\n\ntwo\r\n.\r\nmore",
		"From me@x Sat Nov 21 01:02:03 2026\nTo: bob@x.test\nSubject: s\n\none\n\ntwo\n.\n",
	};
	static const size_t pieces[] = { 1, 2, 7, 4096 };

	begin("");
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			inject_pieces(str_c(t[i]), pieces[k]);
			check_end(want);
			ck_assert(str_starts(buf_str(&text), STR("Received: by mx.example.test ")));
			check_rcpts("bob@x.test");
		}
	/* -i: a dot is a line. */
	request.keep_dot = true;
	send("To: b@x.test\n\none\n.\ntwo\n..\n");
	check_end("\r\n\r\none\r\n.\r\ntwo\r\n..\r\n");
	/* Nothing in what is stored ends a text too early, or has half a line end. */
	send("To: b@x.test\n\na\r.\rb\r\n.\r\n\r.\n");
	check_end("\r\n\r\na\r\n.\r\nb\r\n.\r\n\r\n.\r\n");
	inject_pieces(STR("To: b@x.test\n\nNUL \0 and \xff\n"), SIZE_MAX);
	ck_assert(str_ends(buf_str(&text), STR("\r\nNUL \0 and \xff\r\n")));
	end();
}
END_TEST

START_TEST(headers)
{
	begin("");
	/* What is missing is added, once. */
	send("To: bob@x.test\n\nbody\n");
	ck_assert(has("\r\nDate: ") && has("\r\nMessage-ID: <") && has("\r\nFrom: "));
	ck_assert(has("me@example.test") && has("@mx.example.test>\r\n"));
	ck_assert(!has("undisclosed"));
	send("date: today\nMESSAGE-id: <1@x>\nfrom: who@x\nCC: bob@x.test\n\nbody\n");
	ck_assert(!has("\r\nDate:") && !has("\r\nMessage-ID:") && !has("\r\nFrom:"));
	ck_assert(!has("undisclosed"));
	/* Bcc gets the message and is not told; Return-Path is ours to say. */
	send("Return-Path: <evil@x>\nBcc: bob@x.test,\n  carol@x.test\nSubject: s\nbcc:dave@x.test\n\n");
	check_rcpts("bob@x.test carol@x.test dave@x.test");
	ck_assert(!has("cc:") && !has("carol") && !has("evil"));
	ck_assert(has("\r\nTo: undisclosed-recipients:;\r\n"));
	check_end("Subject: s\r\n\r\n");
	/* In a header with Resent- fields those count. */
	send("To: bob@x.test\nResent-To: carol@x.test\nResent-Bcc: dave@x.test\nFrom: a@x\n"
	    "Date: d\nMessage-ID: <1@x>\n\n");
	check_rcpts("carol@x.test dave@x.test");
	ck_assert(has("\r\nResent-Date: ") && has("\r\nResent-From: ") &&
	    has("\r\nResent-Message-ID: <") && !has("Resent-Bcc") && has("To: bob@x.test"));
	/* A name for a From that is added; quoted where it must be. */
	request.full_name = "Cron \"the\" Daemon";
	send("To: bob@x.test\n\n");
	ck_assert_msg(has("From: \"Cron \\\"the\\\" Daemon\" <me@example.test>\r\n"), "%s",
	    buf_cstr(&text));
	/* Nobody wants reports: nobody's name is in From. */
	request.from = (struct path){ STR(""), STR("") };
	send("To: bob@x.test\n\n");
	ck_assert(has("\r\nFrom: MAILER-DAEMON@mx.example.test\r\n"));
	ck_assert(path_is_null(&file.env.from));
	end();
}
END_TEST

/* A text without a header, or with half of one, becomes a body. */
START_TEST(no_header)
{
	char *rcpts[] = { (char[]){ "bob" }, NULL };

	begin("");
	request.extract = false;
	request.rcpts = rcpts;
	request.rcpt_n = 1;
	send("just text\nSubject: no\n");
	check_end("\r\n\r\njust text\r\nSubject: no\r\n");
	send("Subject: yes\njust text\n");
	check_end("Subject: yes\r\n\r\njust text\r\n");
	send("\nSubject: no\n");
	check_end("\r\n\r\nSubject: no\r\n");
	send(" folded\n");
	check_end("\r\n\r\n folded\r\n");
	send("");
	check_end("\r\n\r\n");
	check_rcpts("bob@example.test");
	send("From bob with love\nSubject: s\n\nFrom me\n");
	check_end("Subject: s\r\n\r\nFrom me\r\n");
	send("Subject: s\nFrom me with love\n");
	check_end("Subject: s\r\n\r\nFrom me with love\r\n");
	end();
}
END_TEST

START_TEST(recipients)
{
	char *rcpts[] = { (char[]){ "bob, Carol <c@x.test>" }, (char[]){ "BOB@EXAMPLE.TEST" },
		(char[]){ "\"d d\"@x.test" }, NULL };
	char *bad[] = { (char[]){ "-oQ/tmp" }, NULL };

	begin("");
	request.rcpts = rcpts;
	request.rcpt_n = 3;
	request.extract = false;
	send("To: not-me@x.test\n\n");
	check_rcpts("bob@example.test c@x.test BOB@EXAMPLE.TEST \"d d\"@x.test");
	/* -t adds to those of the command line; the same one once. */
	request.extract = true;
	request.rcpt_n = 1;
	send("To: c@x.test, e@x.test\nCc: Team: f@x.test, g@x.test;,\n\tbob\nBcc: (nobody)\n\n");
	check_rcpts("bob@example.test c@x.test e@x.test f@x.test g@x.test");
	/* CONFORMANCE S-34: what begins with a dash is no address. */
	request.rcpts = bad;
	refused(STR("To: c@x.test\n\n"), EX_DATAERR);
	request.rcpt_n = 0;
	refused(STR("To: -oQ/tmp\n\n"), EX_DATAERR);
	refused(STR("To: <a@b@c@d>\n\n"), EX_DATAERR);
	refused(STR("To: a b c\n\n"), EX_DATAERR);
	refused(STR("To: undisclosed-recipients:;\n\nx\n"), EX_DATAERR);
	refused(STR("Subject: nobody\n\n"), EX_DATAERR);
	refused(STR(""), EX_DATAERR);
	request.extract = false;
	refused(STR("To: c@x.test\n\n"), EX_USAGE);
	end();
}
END_TEST

START_TEST(envelope)
{
	const struct passwd *pw = getpwuid(getuid());
	struct buf client;

	begin("");
	request.notify = NOTIFY_NEVER;
	request.ret = RET_HDRS;
	request.envid = "id+1 =x";
	request.body = BODY_8BITMIME;
	send("To: bob@x.test\n\n");
	ck_assert_uint_eq(file.env.rcpts[0].notify, NOTIFY_NEVER);
	ck_assert_int_eq(file.env.ret, RET_HDRS);
	ck_assert_int_eq(file.env.body, BODY_8BITMIME);
	ck_str(file.env.envid, STR("id+2B1+20+3Dx"));
	ck_str(file.env.from.local, STR("me"));
	buf_init(&client, 256);
	buf_addf(&client, "local %s (%u)", pw ? pw->pw_name : "?", (unsigned)getuid());
	ck_str(file.env.client, buf_str(&client));
	buf_free(&client);
	end();
}
END_TEST

START_TEST(sizes)
{
	struct buf in;

	begin("limits { message-size = 2MB }\n");
	buf_init(&in, 16u << 20);
	/* A body's line may have any length: what comes out is what went in. */
	buf_adds(&in, "To: bob@x.test\n\n");
	size_t head = in.n;
	while (in.n < 1500000)
		buf_addc(&in, (char)('a' + in.n % 26));
	for (size_t piece = 8191; piece <= 8193; piece++) {
		inject_pieces(buf_str(&in), piece);
		struct str body = str_skip(buf_str(&in), head);
		ck_assert(str_ends(buf_str(&text), STR("\r\n")));
		struct str got = str_head(buf_str(&text), text.n - 2);
		ck_assert(str_ends(got, body));
		ck_assert(str_ends(str_head(got, got.n - body.n), STR("\r\n\r\n")));
	}
	/* The same without a header, and a dot behind it that is no end. */
	request.extract = false;
	char *rcpts[] = { (char[]){ "bob" }, NULL };
	request.rcpts = rcpts;
	request.rcpt_n = 1;
	buf_reset(&in);
	while (in.n < 16384)
		buf_addc(&in, 'x');
	buf_adds(&in, ".\n.y\n");
	inject_pieces(buf_str(&in), 8192);
	check_end("xxx.\r\n.y\r\n");
	/* Too much: of a header, of all. */
	buf_reset(&in);
	for (int i = 0; i < 3000; i++)
		buf_adds(&in, "Received: from a long line of hosts in a row\n");
	refused(buf_str(&in), EX_DATAERR);
	buf_reset(&in);
	buf_adds(&in, "Subject: ");
	while (in.n < 3000000)
		buf_addc(&in, 'x');
	refused(buf_str(&in), EX_DATAERR);
	buf_reset(&in);
	buf_adds(&in, "Subject: s\n\n");
	while (in.n < 3000000)
		buf_adds(&in, "text\n");
	refused(buf_str(&in), EX_DATAERR);
	buf_free(&in);
	end();
}
END_TEST

START_TEST(no_spool)
{
	begin("");
	ck_assert_int_eq(rmdir(tmpspool_path(&spool, "drop", ".")) < 0 ? errno : 0, EINVAL);
	char path[128];
	snprintf(path, sizeof(path), "%s/drop", spool.dir);
	ck_assert_int_eq(rmdir(path), 0);
	feed(STR("To: bob@x.test\n\n"), 100);
	ck_assert_int_eq(inject(&request), EX_TEMPFAIL);
	end();
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		const char *text;
		const char *want;	/* NULL: refused */
	} t[] = {
		{ "bob", "bob@example.test" }, { " bob ", "bob@example.test" },
		{ "bob@x.test", "bob@x.test" }, { "\"b b\"@x.test", "\"b b\"@x.test" },
		{ "b+c@[192.0.2.1]", "b+c@[192.0.2.1]" }, { "", NULL }, { "-bob", NULL },
		{ "bob@", NULL }, { "@x.test", NULL }, { "a b@x.test", NULL },
		{ "b\nob@x.test", NULL }, { "bob@x..test", NULL }, { "bob@-x.test", NULL },
		{ "<bob@x.test", NULL },
	};
	struct arena a;
	struct buf b;

	begin("");
	arena_init(&a, 65536);
	buf_init(&b, 512);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct path p;
		const char *why = inject_address(conf, str_c(t[i].text), &a, &p);
		ck_assert_msg((why == NULL) == (t[i].want != NULL), "%s: %s", t[i].text,
		    why ? why : "taken");
		if (why)
			continue;
		buf_reset(&b);
		path_add(&b, &p);
		ck_assert_str_eq(buf_cstr(&b), t[i].want);
	}
	arena_free(&a);
	buf_free(&b);
	end();
}
END_TEST

UNIT_MAIN("cmd/inject", line_ends, headers, no_header, recipients, envelope, sizes, no_spool,
    addresses)
