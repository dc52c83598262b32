/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * client_fuzz -- F-10: the client engine against a server that says anything.
 *
 * Four octets choose options, message, text and how input and output are
 * cut; the rest is what the server says.  Where that comes by lines, the text
 * behind "334 ~" is said in base64, with the client's nonce for "%": else no
 * challenge of SCRAM would get far.  Whatever it is: each recipient
 * has exactly one outcome, the session ends exactly once, events do not
 * nest, the output is bounded, has no bare CR or LF, and says nothing after
 * the end but QUIT.
 *
 * Parsers: client/.
 */

#include "fuzz.h"

#include <stdio.h>

#include "client/client.h"
#include "mail/text.h"

#define CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "not so: %s\n", #what); \
			abort(); \
		} \
	} while (0)

#define RCPTS 7
#define OUT_BOUND (210U << 10)

struct fuzz {
	struct client *c;
	struct client_message m;
	unsigned done[RCPTS];
	unsigned text;		/* the third octet */
	unsigned left;		/* messages to send */
	unsigned sending;	/* messages under way */
	unsigned closed;
	unsigned inside;
	bool secure;		/* a handshake is asked for */
	char last;		/* of the output so far */
	uint32_t random;
	struct buf nonce;	/* of SCRAM, as the client said it */
};

static const struct client_rcpt rcpts[RCPTS] = {
	{ .path = { { "a", 1 }, { "x.test", 6 } }, .notify = NOTIFY_NEVER },
	{ .path = { { "b c", 3 }, { "x.test", 6 } }, .orcpt = { "rfc822;b", 8 } },
	{ .path = { { "\303\266", 2 }, { "x.test", 6 } } },
	{ .path = { { "postmaster", 10 }, { "", 0 } } },
	{ .path = { { "d", 1 }, { "[192.0.2.1]", 11 } } },
	{ .path = { { "e\"", 2 }, { "x.test", 6 } },
	    .orcpt = { "x\r\nQUIT", 7 } },
	{ .path = { { "f", 1 }, { "x.test", 6 } } },
};

static uint32_t
next_random(struct fuzz *f)
{
	f->random = f->random * 1664525 + 1013904223;
	return f->random >> 16;
}

static void
on_starttls(void *arg)
{
	struct fuzz *f = arg;

	CHECK(f->inside == 0 && !f->closed && !f->secure);
	f->secure = true;
}

static void
on_ready(void *arg)
{
	struct fuzz *f = arg;

	CHECK(f->inside == 0 && !f->closed && !f->sending);
	CHECK(client_ready(f->c));
	if (f->left == 0) {
		if (f->text & 64)
			client_quit(f->c);
		return;
	}
	f->left--;
	f->sending++;
	memset(f->done, 0, sizeof(f->done));
	f->inside++;
	client_send(f->c, &f->m);
	f->inside--;
}

static void
on_rcpt(void *arg, size_t i, enum outcome o, enum client_step step,
    const struct reply *r, bool relayed)
{
	struct fuzz *f = arg;

	CHECK(f->inside == 0 && !f->closed && f->sending == 1);
	CHECK(i < f->m.rcpt_n && f->done[i] == 0);
	CHECK(o != DELIVERED || (step == STEP_TEXT && r->code / 100 == 2));
	CHECK(!relayed || o == DELIVERED);
	CHECK(r->code == 0 || (r->code >= 200 && r->code < 600));
	CHECK(r->code != 0 || (r->enhanced[0] && r->text.n > 0));
	f->done[i]++;
}

static void
on_end(void *arg)
{
	struct fuzz *f = arg;

	CHECK(f->inside == 0 && !f->closed && f->sending == 1);
	for (size_t i = 0; i < f->m.rcpt_n; i++)
		CHECK(f->done[i] == 1);
	f->sending--;
}

static void
on_close(void *arg, enum outcome o, enum client_step step,
    const struct reply *r)
{
	struct fuzz *f = arg;

	CHECK(f->inside == 0 && !f->closed && !f->sending);
	CHECK(o != DELIVERED || step == STEP_QUIT);
	CHECK(r->code != 0 || r->text.n > 0);
	f->closed++;
}

static const struct client_events events = { on_starttls, on_ready, on_rcpt,
	on_end, on_close };

/* Lines, bare line ends and dots, as long as the third octet wants it. */
static ssize_t
read_text(void *arg, uint64_t at, char *p, size_t n)
{
	static const char any[] = "text\r\n.\r\n.\n\r.\r.x\n..\r\n\r\r\n";
	static const char lines[] = ".\r\n..\r\n\r\nend\r\nx\r\n";
	struct fuzz *f = arg;
	struct str pattern = f->m.chunk ? str_c(lines) : str_c(any);

	if ((f->text & 56) == 8 && at > 100)
		return -1;
	if (at >= f->m.size)
		return 0;
	if (n > f->m.size - at)
		n = f->m.size - at;
	for (size_t i = 0; i < n; i++)
		p[i] = pattern.p[(at + i) % pattern.n];
	return (ssize_t)n;
}

static void
check_output(struct fuzz *f, struct str out)
{
	for (size_t i = 0; i < out.n; i++) {
		/* Only what was sent as binary may hold anything. */
		CHECK(f->m.binary || (f->last == '\r') == (out.p[i] == '\n'));
		f->last = out.p[i];
	}
}

/* RFC 5802 7: "AUTH SCRAM-SHA-256 " and "n,,n=user,r=NONCE" in base64. */
static void
note_nonce(struct fuzz *f, struct str out)
{
	struct str word, rest;
	struct buf first;
	ptrdiff_t at;

	if (!str_starts(out, STR("AUTH SCRAM-")))
		return;
	(void)str_cut(out, ' ', &word, &rest);
	(void)str_cut(rest, ' ', &word, &rest);
	(void)str_cut(rest, '\r', &word, &rest);
	buf_init(&first, 4096);
	if (base64_decode(word, &first) == 0 &&
	    (at = str_rfind(buf_str(&first), '=')) >= 0) {
		buf_reset(&f->nonce);
		buf_add(&f->nonce, str_skip(buf_str(&first), (size_t)at + 1));
	}
	buf_free(&first);
}

/* LINE, or the challenge that it stands for. */
static void
expand(struct fuzz *f, struct str line, struct buf *to)
{
	struct buf plain;

	buf_reset(to);
	if (!str_starts(line, STR("334 ~"))) {
		buf_add(to, line);
		return;
	}
	line = str_skip(line, 5);
	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	buf_init(&plain, 1 << 20);
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '%')
			buf_add(&plain, buf_str(&f->nonce));
		else
			buf_addc(&plain, line.p[i]);
	}
	buf_add(to, STR("334 "));
	base64_add(to, buf_str(&plain));
	buf_add(to, STR("\r\n"));
	buf_free(&plain);
}

/* Takes some of the output, or all. */
static void
drain(struct fuzz *f, bool all)
{
	struct str out;

	while ((out = client_output(f->c)).n > 0) {
		CHECK(out.n <= OUT_BOUND);
		note_nonce(f, out);
		if (f->closed) {
			CHECK(str_eq(out, STR("QUIT\r\n")));
			return;
		}
		if (!all)
			out = str_head(out, next_random(f) % (out.n + 1));
		check_output(f, out);
		client_sent(f->c, out.n);
		if (!all)
			return;
	}
}

static size_t
piece(struct fuzz *f, unsigned how, struct str in)
{
	ptrdiff_t lf = str_find(in, '\n');

	switch (how & 3) {
	case 0:
		return in.n;
	case 1:
		return 1 + next_random(f) % in.n;
	default:
		return lf < 0 ? in.n : (size_t)lf + 1;
	}
}

/* From a block of exactly that size, so that a read past it is seen. */
static void
say(struct fuzz *f, struct str bytes)
{
	char *own = malloc(bytes.n);

	memcpy(own, bytes.p, bytes.n);
	client_input(f->c, str_n(own, bytes.n));
	free(own);
}

static void
feed(struct fuzz *f, unsigned how, struct str in)
{
	while (in.n > 0 && !f->closed) {
		size_t n = piece(f, how, in);
		struct buf own;

		buf_init(&own, 1 << 22);
		if ((how & 3) > 1)
			expand(f, str_head(in, n), &own);
		else
			buf_add(&own, str_head(in, n));
		say(f, buf_str(&own));
		buf_free(&own);
		in = str_skip(in, n);
		if (f->secure && !f->closed) {
			f->secure = false;
			client_secured(f->c, !(how & 4), "no");
		}
		drain(f, !(how & 8) || next_random(f) % 4 > 0);
		CHECK(f->closed || client_timeout(f->c) > 0 ||
		    client_ready(f->c));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = { 0, 100, 40000, 300000 };
	struct fuzz f = { .left = 2 };
	struct client_options o = { .ehlo_name = "me.test" };

	if (size < 4)
		return 0;
	o.lmtp = data[0] & 1;
	o.tls = (enum client_tls)((data[0] >> 1) % 3);
	o.tls_already = data[0] & 8;
	o.auth_in_clear = data[0] & 16;
	o.ignore = data[0] & 32 ? EXT_PIPELINING : 0;
	if (data[0] & 64) {
		o.user = "user";
		o.password = "password";
	}
	if (data[0] & 128) {
		o.user = "user";
		o.token = "token";
	}
	o.helo = (data[3] & 3) == 3;
	f.text = data[2];
	f.random = data[3];
	f.m = (struct client_message){
		.rcpts = rcpts,
		.rcpt_n = data[1] & 7,
		.size = sizes[data[2] & 3],
		.eight_bit = data[1] & 8,
		.smtputf8 = data[1] & 16,
		.ret = (enum dsn_ret)((data[1] >> 5) % 3),
		.chunk = data[2] & 4,
		.binary = data[2] & 64,
		.envid = data[1] & 128 ? STR("id") : STR(""),
		.read = read_text,
	};
	if (!(data[1] & 128))
		f.m.from = rcpts[0].path;
	if (data[3] & 64) {
		f.m.auth = STR("a+2Bb@x.test");
		f.m.priority = -3;
		memcpy(f.m.by, "60;RT", 6);
		f.m.requiretls = f.m.only_requiretls = true;
	}
	if ((data[3] & 192) == 128)
		f.m.unfit = "it has a line that is too long";
	/* Whole lines, as the caller promises. */
	if (f.m.chunk)
		f.m.size -= f.m.size % 17;
	buf_init(&f.nonce, 4096);
	f.c = client_new(&o, &events, &f);
	if (data[0] & 128)
		client_binding(f.c, STR("0123456789abcdef0123456789abcdef"));
	feed(&f, data[3] >> 2, str_n((const char *)data + 4, size - 4));
	if (f.text & 128)
		client_expired(f.c);
	client_eof(f.c, f.text & 32 ? "broken" : NULL);
	CHECK(f.closed == 1 && !f.sending);
	drain(&f, true);
	client_free(f.c);
	buf_free(&f.nonce);
	return 0;
}
