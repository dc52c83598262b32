/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_fuzz -- F-01: a whole SMTP session over memory, with a real spool.
 *
 * The first octet says how the bytes arrive and on what listener; the rest
 * is what the client says.  Held to: every line that is answered is a reply
 * line of RFC 5321; nothing is stored without its 250; what is stored has no
 * bare CR, bare LF or NUL but in a body that was declared binary, can be read
 * back, and has but recipients that may be there.
 *
 * What asks others (barid-check, barid-verify, barid-sign) is not reached: their
 * answers are frame_fuzz's, the text's signatures dkim_check_fuzz's.
 *
 * Parsers: smtpd/exchange.c smtpd/smtpd_attr.c smtpd/smtpd_auth.c
 * smtpd/smtpd_bdat.c smtpd/smtpd_complete.c smtpd/smtpd_data.c
 * smtpd/smtpd_etrn.c smtpd/smtpd_extend.c smtpd/smtpd_helo.c smtpd/smtpd_io.c
 * smtpd/smtpd_log.c smtpd/smtpd_mail.c smtpd/smtpd_misc.c smtpd/smtpd_params.c
 * smtpd/smtpd_rcpt.c smtpd/smtpd_received.c smtpd/smtpd_session.c
 * smtpd/smtpd_settings.c smtpd/smtpd_store.c smtpd/smtpd_text.c
 * smtpd/smtpd_vrfy.c smtpd/smtpd_xclient.c.
 */

#include "fuzz.h"

#include "smtpd/talk.h"

enum { F_LINES = 1, F_OCTETS = 2, F_SUBMISSION = 4, F_TLS_REQUIRED = 8,
	F_CLEAR_AUTH = 16, F_LOCAL = 32, F_LOOSE = 64, F_LISTED = 128 };

/* A runner, as far as a session can tell: it has one message for a domain. */
static void *
run_queue(void *arg)
{
	struct buf in, out;

	(void)arg;
	buf_init(&in, FRAME_MAX);
	buf_init(&out, FRAME_MAX);
	for (;;) {
		struct pollfd p = { .fd = talk.hints[1], .events = POLLIN };
		struct msg_control_result r = { .ok = true };
		struct msg_etrn m;
		int pass = -1;

		if (poll(&p, 1, -1) < 0 ||
		    channel_recv(talk.hints[1], &in, &pass) != 1 || pass < 0)
			continue;
		r.count = msg_etrn_get(buf_str(&in), &m) && m.domain.n > 9;
		msg_control_result_put(&out, &r);
		(void)!channel_send(pass, buf_str(&out), -1);
		close(pass);
	}
	return NULL;
}

static void
begin(void)
{
	pthread_t thread;

	talk_begin();
	atexit(talk_remove);
	if (pthread_create(&thread, NULL, run_queue, NULL) != 0)
		panic("no thread");
}

static void
prepare(unsigned flags)
{
	static const char *names[] = { "PLAIN", "LOGIN" };
	/* Everybody of IPv4, as the peer is. */
	static struct ip_range all = { .family = AF_INET, .last = { 255, 255, 255, 255 } };
	struct conf_nets listed = { &all, 0 };

	if (talk.queue == NULL)
		begin();
	talk.listen.service = (flags & F_SUBMISSION) != 0 ?
	    SERVICE_SUBMISSION : SERVICE_SMTP;
	talk.listen.tls = (flags & F_TLS_REQUIRED) != 0 ?
	    LISTEN_TLS_REQUIRED : LISTEN_TLS_STARTTLS;
	talk.conf->auth.without_tls = (struct conf_strs){ names,
		(flags & F_CLEAR_AUTH) != 0 ? 2 : 0 };
	talk.conf->addresses = (flags & F_LOOSE) != 0 ? ADDRESSES_LOOSE :
							ADDRESSES_STRICT;
	listed.n = (flags & F_LISTED) != 0 ? 1 : 0;
	talk.conf->access.xclient = talk.conf->access.xforward =
	    talk.conf->access.verify = talk.conf->access.etrn = listed;
	talk.conf->extract_headers = (flags & F_LOOSE) != 0;
	talk.env.to_drop = (flags & F_LOCAL) != 0;
	talk.env.local_user = (flags & F_LOCAL) != 0 ? "carol" : NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Checks the replies; the number of messages that were promised. */
static unsigned
check_replies(struct str out)
{
	unsigned promised = 0;
	struct str line;

	if (!str_starts(out, STR("220 ")))
		panic("no banner");
	while (out.n > 0) {
		if (!str_cut(out, '\n', &line, &out) || line.n < 5 ||
		    line.n > 511 || line.p[line.n - 1] != '\r')
			panic("no line: " STR_FMT, STR_ARG(line));
		line.n--;
		if (line.p[0] < '2' || line.p[0] > '5' ||
		    !is_digit(line.p[1]) || !is_digit(line.p[2]) ||
		    (line.p[3] != ' ' && line.p[3] != '-') || str_has_ctl(line))
			panic("no reply: " STR_FMT, STR_ARG(line));
		promised += str_starts(line, STR("250 2.0.0 Ok: queued as "));
	}
	return promised;
}

/* Of a binary message (RFC 3030) only the header has to be lines. */
static void
check_text(struct str text, bool binary)
{
	const char *end = memmem(text.p, text.n, "\r\n\r\n", 4);

	if (binary && end != NULL)
		text.n = (size_t)(end - text.p) + 4;
	for (size_t i = 0; i < text.n; i++) {
		bool cr = i > 0 && text.p[i - 1] == '\r';
		bool lf = i + 1 < text.n && text.p[i + 1] == '\n';

		if (text.p[i] == '\0' || (text.p[i] == '\n' && !cr) ||
		    (text.p[i] == '\r' && !lf))
			panic("octet %zu was not to be stored", i);
	}
	if (!str_starts(text, STR("Received: from ")))
		panic("no trace");
}

static unsigned
check_stored(enum queue_place place)
{
	for (unsigned n = 0;; n++) {
		struct talk_message m;

		talk_take(&m, place);
		if (m.n > 0) {
			check_text(buf_str(&m.text), m.file.env.body ==
			    BODY_BINARYMIME);
			if (m.file.env.rcpt_n == 0 || m.file.env.rcpt_n > 10)
				panic("%zu recipients", m.file.env.rcpt_n);
		}
		talk_drop(&m);
		if (m.n == 0)
			return n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk_io io = { .pace = TALK_WHOLE };
	unsigned flags, promised, stored = 0;

	if (size < 1)
		return 0;
	flags = data[0];
	prepare(flags);
	if ((flags & F_LINES) != 0)
		io.pace = TALK_LINES;
	else if ((flags & F_OCTETS) != 0)
		io.pace = TALK_OCTETS;
	io.in = str_n((const char *)data + 1, size - 1);
	promised = check_replies(talk_io(&io));
	if (promised > 0)
		stored = check_stored(
		    talk.env.to_drop ? QUEUE_DROP : QUEUE_NEW);
	if (stored != promised)
		panic("%u promised, %u stored", promised, stored);
	return 0;
}
