/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mail_test -- MAIL and RCPT: what is taken, and what the spool knows of it. */

#include "unit.h"

#include "ipc/msg_verify.h"
#include "talk.h"

static struct buf in, got;

static void
begin(void)
{
	talk_begin();
	buf_init(&in, 64u << 20);
	buf_init(&got, 4u << 20);
}

static void
end(void)
{
	buf_free(&in);
	buf_free(&got);
	talk_remove();
}

/* The whole reply to the last command of IN before QUIT. */
static const char *
last_reply(const char *before, const char *command)
{
	struct str out, line = STR(""), next;

	buf_reset(&in);
	buf_addf(&in, "EHLO x\r\n%s%s\r\nQUIT\r\n", before, command);
	out = talk_say(buf_str(&in), TALK_LINES);
	while (str_cut(out, '\n', &next, &out) && !str_starts(next, STR("221")))
		line = next;
	buf_reset(&got);
	buf_add(&got, str_trim(line));
	return buf_cstr(&got);
}

/* sendmail -bs: what drop/ would not be believed is not taken either. */
START_TEST(by_drop)
{
	begin();
	talk.env.to_drop = true;
	talk.env.local_user = "carol";
	ck_assert_ptr_nonnull(strstr(last_reply("",
	    "MAIL FROM:<a@b.test> HOLDFOR=60"), "555 5.5.4"));
	ck_assert_ptr_nonnull(strstr(last_reply("",
	    "MAIL FROM:<a@b.test> MT-PRIORITY=3"), "250 2.3.6 0 "));
	talk.conf->extract_headers = true;
	ck_assert_ptr_nonnull(strstr(last_reply("",
	    "MAIL FROM:<a@b.test> HOLDFOR=60 BY=90;R MT-PRIORITY=3"),
	    "250 2.1.0"));
	end();
}
END_TEST

struct row {
	const char *command;
	const char *reply;	/* its beginning */
};

static void
check_rows(const char *before, const struct row *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(strncmp(last_reply(before, t[i].command),
		    t[i].reply, strlen(t[i].reply)) == 0, "%s: %s",
		    t[i].command, buf_cstr(&got));
}

START_TEST(senders)
{
	/* 101 octets of ENVID. */
	static const char long_envid[] = "MAIL FROM:<a@b.test> ENVID="
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const struct row t[] = {
		{ "MAIL FROM:<>", "250 2.1.0" },
		{ "mail from:<a@b.test>", "250 2.1.0" },
		{ "MAIL FROM: <a@b.test> ", "250 2.1.0" },
		{ "MAIL FROM:<\"a b\"@b.test>", "250" },
		{ "MAIL FROM:<@r.test:a@b.test>", "250" },
		{ "MAIL", "501 5.5.4" },
		{ "MAIL TO:<a@b.test>", "501 5.5.4" },
		{ "MAIL FROM <a@b.test>", "501 5.5.4" },
		{ "MAIL FROM:a@b.test", "501 5.1.7" },
		{ "MAIL FROM:<a@b.test>>", "501" },
		{ "MAIL FROM:<a@b.test>X=1", "501" },
		{ "MAIL FROM:<\xc3\xa9@b.test>", "553 5.6.7" },
		{ "MAIL FROM:<\xff@b.test>", "501 5.5.2" },
		{ "MAIL FROM:<a\x1b@b.test>", "501 5.1.7" },
		{ "MAIL FROM:<\"a\\\x01\"@b.test>", "501 5.1.7" },
		{ "MAIL FROM:<a@b.test> size=1000 body=8bitmime ret=full "
		  "envid=a auth=<>", "250" },
		{ "MAIL FROM:<a@b.test> SIZE=1048576", "250" },
		{ "MAIL FROM:<a@b.test> SIZE=1048577", "552 5.3.4" },
		{ "MAIL FROM:<a@b.test> SIZE=18446744073709551616", "552 5.3.4" },
		{ "MAIL FROM:<a@b.test> SIZE=99999999999999999999999", "552 5.3.4" },
		{ "MAIL FROM:<a@b.test> SIZE=1x", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> SIZE=+1", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> BODY", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> BODY=7BIT BODY=7BIT", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> BODY=BINARYMIME", "250 2.1.0" },
		{ "MAIL FROM:<a@b.test> ENVID=+0D+0A", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> ENVID=+C3+A9", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> ENVID=+0d", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> AUTH=+00", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> AUTH=<a@b.test", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> AUTH=<<a@b.test>>", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> SMTPUTF8", "250 2.1.0" },
		{ "MAIL FROM:<\xc3\xbc@b.test> SMTPUTF8", "250 2.1.0" },
		{ "MAIL FROM:<\xc3\xbc@b.test>", "553 5.6.7" },
		{ "MAIL FROM:<a@b.test> REQUIRETLS", "530 5.7.10" },
		{ "MAIL FROM:<a@b.test> HOLDFOR=60", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> BY=60;R", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> MT-PRIORITY=3", "250 2.3.6 0 " },
		{ "MAIL FROM:<a@b.test> MT-PRIORITY=0", "250 2.1.0" },
		{ "MAIL FROM:<a@b.test> MT-PRIORITY=10", "501 5.5.4" },
		{ "MAIL FROM:<a@b.test> X-Y=1", "555 5.5.4" },
		{ "MAIL FROM:<a@b.test> -X=1", "501 5.5.4" },
	};

	begin();
	check_rows("", t, ARRAY_LEN(t));
	/* A refused MAIL leaves nothing behind. */
	ck_assert_int_eq(strncmp(last_reply(
	    "MAIL FROM:<a@b.test> SIZE=x\r\n", "RCPT TO:<alice@example.test>"),
	    "503", 3), 0);
	ck_assert_int_eq(strncmp(last_reply("", long_envid), "501 5.5.4", 9),
	    0);
	end();
}
END_TEST

/* A command whose domain has LABELS of two octets, which are "xn--9ca" in ASCII. */
static const char *
grown(const char *command, size_t labels, const char *behind)
{
	static char text[1000];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", command);

	for (size_t i = 0; i < labels; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\xc3\xa9.");
	(void)snprintf(text + n, sizeof(text) - n, "test>%s", behind);
	return text;
}

/* What an address takes in the form that is kept of it is what counts. */
START_TEST(grow)
{
	begin();
	/* "a", "@", 31 labels of 8, "test" and the brackets: 256. */
	ck_assert_int_eq(strncmp(last_reply("", grown("MAIL FROM:<a@", 31, " SMTPUTF8")),
	    "250", 3), 0);
	ck_assert_str_eq(last_reply("", grown("MAIL FROM:<ab@", 31, " SMTPUTF8")),
	    "501 5.1.7 the address is too long");
	ck_assert_str_eq(last_reply("MAIL FROM:<> SMTPUTF8\r\n", grown("RCPT TO:<ab@", 31, "")),
	    "501 5.1.3 the address is too long");
	end();
}
END_TEST

#define D50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw."
#define WIDE D50 D50 D50 D50 "test"
#define L49 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw"

/* barid-verify, which knows everybody by a name of 49 octets, or of 50. */
static void *
verifier(void *arg)
{
	const int *fds = arg;
	struct buf question, answer;

	buf_init(&question, FRAME_MAX);
	buf_init(&answer, FRAME_MAX);
	for (;;) {
		struct msg_verify_result r = { .verdict = VERIFY_YES, .address = STR(L49 "x") };
		struct pollfd p = { .fd = fds[1], .events = POLLIN };
		struct msg_verify m;
		int reply = -1;

		if (poll(&p, 1, -1) < 0 || channel_recv(fds[1], &question, &reply) != 1 ||
		    !msg_verify_get(buf_str(&question), &m))
			continue;
		r.address.n -= str_starts(m.recipient, STR("fits@"));
		buf_reset(&answer);
		msg_verify_result_put(&answer, &r);
		(void)!channel_send(reply, buf_str(&answer), -1);
		close(reply);
	}
	return NULL;
}

/* A name alone gets the domain of who was asked about; with that it is an address, or none. */
START_TEST(named)
{
	const char *domains[] = { WIDE };
	pthread_t thread;
	int fds[2];

	begin();
	talk_conf("recipients { verify = \"exec:/none\" }\n"
		  "recipient \"*@" WIDE "\" { mailbox = \"alice\" }\n");
	talk.conf->domains.v = domains;
	ck_assert_int_eq(channel_pair(fds), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, verifier, fds), 0);
	talk.env.verify = fds[0];
	ck_assert_str_eq(last_reply("MAIL FROM:<a@b.test>\r\n", "RCPT TO:<fits@" WIDE ">"),
	    "250 2.1.5 Ok");
	ck_assert_str_eq(last_reply("MAIL FROM:<a@b.test>\r\n", "RCPT TO:<grows@" WIDE ">"),
	    "451 4.3.5 Recipient address cannot be verified now");
	end();
}
END_TEST

START_TEST(recipients)
{
	static const struct row t[] = {
		{ "RCPT TO:<alice@example.test>", "250 2.1.5" },
		{ "rcpt to: <ALICE@example.test>", "250" },
		{ "RCPT TO:<postmaster>", "250" },
		{ "RCPT TO:<alice@example.test> NOTIFY=NEVER", "250" },
		{ "RCPT TO:<alice@example.test> NOTIFY=success,delay,failure", "250" },
		{ "RCPT TO:<alice@example.test> ORCPT=rfc822;a+2Bb@c", "250" },
		{ "RCPT TO:<alice@example.test> ORCPT=utf-8;a@c", "250" },
		{ "RCPT", "501 5.5.4" },
		{ "RCPT TO:<>", "501 5.1.3" },
		{ "RCPT TO:<alice>", "501 5.1.3" },
		{ "RCPT TO:<alice@example.test> NOTIFY", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> NOTIFY=NEVER,DELAY", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> NOTIFY=X", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=;a", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=rfc822;", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=rfc 822;a", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=rfc822;a+00b", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> ORCPT=a;b ORCPT=a;b", "501 5.5.4" },
		{ "RCPT TO:<alice@example.test> SIZE=1", "555 5.5.4" },
		{ "RCPT TO:<alice@example.test> =", "501 5.5.4" },
		{ "RCPT TO:<no@example.test>", "550 5.1.1" },
		{ "RCPT TO:<u@ext.test>", "554 5.7.1" },
		{ "RCPT TO:<\xc3\xa9@example.test>", "553 5.6.7" },
		{ "RCPT TO:<\x80@example.test>", "501 5.5.2" },
	};

	begin();
	check_rows("MAIL FROM:<a@b.test>\r\n", t, ARRAY_LEN(t));
	end();
}
END_TEST

/* What was said in SMTP is what the spool says (CONFORMANCE S-33). */
START_TEST(envelopes)
{
	struct talk_message m;
	const struct envelope *e = &m.file.env;

	begin();
	talk_say(STR("EHLO Client.Test\r\n"
	    "MAIL FROM:<\"a b\"@B.test> BODY=8BITMIME RET=HDRS ENVID=x+2By\r\n"
	    "RCPT TO:<Alice@Example.test> NOTIFY=SUCCESS,DELAY "
	    "ORCPT=rfc822;o+2Bx@y\r\n"
	    "RCPT TO:<nosuch@example.test>\r\n"
	    "RCPT TO:<alice@example.test>\r\n"
	    "RCPT TO:<Alice@EXAMPLE.test>\r\n"
	    "RCPT TO:<postmaster>\r\n"
	    "DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"), TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	ck_assert_uint_eq(m.n, 1);
	ck_str(e->from.local, STR("a b"));
	ck_str(e->from.domain, STR("B.test"));
	ck_assert_int_eq(e->body, BODY_8BITMIME);
	ck_assert_int_eq(e->ret, RET_HDRS);
	ck_str(e->envid, STR("x+2By"));
	ck_str(e->helo, STR("Client.Test"));
	ck_str(e->proto, STR("ESMTP"));
	ck_str(e->client, STR("unknown[198.51.100.7]:4711"));
	ck_str(e->local, STR("203.0.113.25:25"));
	ck_str(e->listener, STR("smtp"));
	ck_assert_uint_eq(e->user.n + e->tls.n, 0);
	ck_assert_uint_eq(e->rcpt_n, 3);
	ck_str(e->rcpts[0].path.local, STR("Alice"));
	ck_assert_uint_eq(e->rcpts[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	ck_str(e->rcpts[0].orcpt, STR("rfc822;o+2Bx@y"));
	ck_assert_int_eq(e->rcpts[0].state, RCPT_QUEUED);
	ck_str(e->rcpts[1].path.local, STR("alice"));
	ck_str(e->rcpts[2].path.local, STR("postmaster"));
	ck_assert_uint_eq(e->rcpts[2].path.domain.n, 0);
	/* With several recipients the trace names none. */
	ck_assert_ptr_null(strstr(buf_cstr(&m.text), "for <"));
	talk_drop(&m);
	/* And nothing of it is left in the next message. */
	talk_say(STR("HELO h\r\nMAIL FROM:<>\r\nRCPT TO:<bob@example.test>\r\n"
	    "DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n"), TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	ck_assert(path_is_null(&e->from));
	ck_assert_int_eq(e->body, BODY_UNSAID);
	ck_assert_int_eq(e->ret, RET_UNSAID);
	ck_assert_uint_eq(e->envid.n, 0);
	ck_str(e->proto, STR("SMTP"));
	ck_assert_uint_eq(e->rcpt_n, 1);
	ck_assert_ptr_nonnull(strstr(buf_cstr(&m.text),
	    " (barid) with SMTP id "));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&m.text),
	    "\r\n\tfor <bob@example.test>;\r\n\t"));
	talk_drop(&m);
	end();
}
END_TEST

/* A table of all that is sent to example.test: KEY has 1000 addresses, as many as may be. */
static void
long_row(const char *key, const char *more)
{
	char path[SCRATCH_SIZE + 10], text[SCRATCH_SIZE + 300];
	struct buf said;
	FILE *f;

	snprintf(path, sizeof(path), "%s/table", talk.dir);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "%s", key);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "%c%03d-and-some-more-of-a-long-name@somewhere.elsewhere.test", i > 0 ? ',' : ' ', i);
	fputc('\n', f);
	fclose(f);
	snprintf(text, sizeof(text), "%srecipient \"*\" { table = \"%s\" }\n", more, path);
	talk_conf(text);
	buf_init(&said, 65536);
	ck_assert_int_eq(conf_tables_load(talk.conf, &said), 0);
	ck_str(buf_str(&said), STR(""));
	buf_free(&said);
}

/* Mail for an address with the longest line that a table may have is taken. */
START_TEST(to_many)
{
	static const char mail[] = "MAIL FROM:<a@b.test>\r\n";
	struct talk_message m;

	begin();
	long_row("team@example.test", "access { verify = {\"0.0.0.0/0\"} }\n"
	    "account \"*\" { mailbox-quota = 1GB }\n");
	talk.env.verify = talk.hints[1];	/* is there; nobody asks it about these */
	ck_assert_str_eq(last_reply(mail, "RCPT TO:<team@example.test>"), "250 2.1.5 Ok");
	ck_assert_str_eq(last_reply("", "VRFY team@example.test"),
	    "252 2.1.5 It is not of this host; mail for it would be taken");
	talk.env.verify = -1;
	long_row("@example.test", "limits { recipients = 60 }\n");
	buf_reset(&in);
	buf_adds(&in, "EHLO x\r\nMAIL FROM:<a@b.test>\r\n");
	for (int i = 0; i < 60; i++)
		buf_addf(&in, "RCPT TO:<any%d@example.test>\r\n", i);
	buf_adds(&in, "DATA\r\nSubject: x\r\n\r\n.\r\nQUIT\r\n");
	talk_say(buf_str(&in), TALK_LINES);
	talk_take(&m, QUEUE_NEW);
	ck_assert_uint_eq(m.n, 1);
	ck_assert_uint_eq(m.file.env.rcpt_n, 60);
	talk_drop(&m);
	end();
}
END_TEST

/* CONFORMANCE S-25: memory does not grow with what is refused. */
START_TEST(many)
{
	struct str codes;
	unsigned taken = 0, refused = 0;

	begin();
	in.max = 1u << 28;
	buf_adds(&in, "EHLO x\r\nMAIL FROM:<a@b.test>\r\n");
	for (int i = 0; i < 100000; i++)
		buf_addf(&in, "RCPT TO:<alice+%d@example.test>\r\n"
			      "RCPT TO:<no%d@example.test>\r\n", i, i);
	buf_adds(&in, "QUIT\r\n");
	talk_codes(talk_say(buf_str(&in), TALK_WHOLE), &got);
	codes = buf_str(&got);
	while (codes.n > 0) {
		struct str code = str_word(&codes);

		taken += str_eq(code, STR("250"));
		refused += str_eq(code, STR("452"));
	}
	ck_assert_uint_eq(taken, 2 + 10);
	ck_assert_uint_eq(refused, 99990);
	end();
}
END_TEST

/* FEATURES X14 */
START_TEST(loose)
{
	begin();
	talk_conf("addresses = \"loose\"\n");
	ck_assert_int_eq(strncmp(last_reply("", "MAIL FROM:<a..b@b.test>"),
	    "250", 3), 0);
	talk_conf("");
	ck_assert_int_eq(strncmp(last_reply("", "MAIL FROM:<a..b@b.test>"),
	    "501", 3), 0);
	end();
}
END_TEST

START_TEST(relays)
{
	struct addr peer;

	begin();
	peer = talk.env.peer;
	ck_assert_int_eq(addr_parse(STR("192.0.2.7"), 1, &talk.env.peer), 0);
	ck_assert_int_eq(strncmp(last_reply("MAIL FROM:<>\r\n",
	    "RCPT TO:<u@ext.test>"), "250", 3), 0);
	talk.env.peer = peer;
	talk_conf("access { auth-required = true }\n");
	ck_assert_int_eq(strncmp(last_reply("MAIL FROM:<>\r\n",
	    "RCPT TO:<u@ext.test>"), "530 5.7.0", 9), 0);
	ck_assert_int_eq(strncmp(last_reply("MAIL FROM:<>\r\n",
	    "RCPT TO:<alice@example.test>"), "250", 3), 0);
	end();
}
END_TEST

/* CONFORMANCE 7, RFC 4954 08: who says for whom he sends is believed if he may relay. */
START_TEST(on_behalf)
{
	static const struct {
		const char *peer, *said, *kept;
	} t[] = {
		{ "192.0.2.7", "e+3Dmc2@b.test", "e+3Dmc2@b.test" },
		{ "192.0.2.7", "<>", "<>" },
		{ "192.0.2.7", "<e+3Dmc2@b.test>", "e+3Dmc2@b.test" },
		{ "198.51.100.7", "e+3Dmc2@b.test", "<>" },
		{ "198.51.100.7", "<>", "<>" },
	};
	struct talk_message m;
	char line[300];

	begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(addr_parse(str_c(t[i].peer), 1, &talk.env.peer), 0);
		snprintf(line, sizeof(line), "EHLO x\r\nMAIL FROM:<a@b.test> AUTH=%s\r\n"
		    "RCPT TO:<alice@example.test>\r\nDATA\r\nA: b\r\n\r\n.\r\nQUIT\r\n",
		    t[i].said);
		talk_say(str_c(line), TALK_LINES);
		talk_take(&m, QUEUE_NEW);
		ck_assert_uint_eq(m.n, 1);
		ck_str(m.file.env.auth, str_c(t[i].kept));
		talk_drop(&m);
	}
	end();
}
END_TEST

UNIT_MAIN("smtpd/mail", by_drop, senders, grow, named, recipients, envelopes, to_many, many, loose,
    relays, on_behalf)
