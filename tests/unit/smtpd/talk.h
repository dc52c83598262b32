/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

/*
 * talk -- an SMTP session over memory, with a real spool in a scratch
 * directory, for unit tests and the fuzzer: bytes in, bytes out.
 *
 * How the bytes arrive is chosen: line by line is a client that waits for
 * every answer, whole is one that never waits, split is one whose last octets
 * come in two pieces.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "queue/opened.h"
#include "scratch.h"
#include "smtpd/smtpd.h"

enum talk_pace { TALK_LINES, TALK_WHOLE, TALK_OCTETS, TALK_SPLIT };

/* A transport; at the end of IN the client is gone. */
struct talk_io {
	struct str in;
	enum talk_pace pace;
	size_t text;		/* of TALK_SPLIT: so many octets, behind lines */
	size_t second;		/* and so many of them in the second piece */
	struct buf *out;
	int slow_ms;		/* this long before each read */
	int64_t times_out;	/* > 0: silence instead of the end, as often */
	int64_t patience;	/* the longest that a read was to wait, in ms */
};

static ssize_t
talk_read(void *ctx, void *p, size_t n, int64_t deadline)
{
	struct talk_io *io = ctx;
	ptrdiff_t lf;

	if (deadline - clock_ms() > io->patience)
		io->patience = deadline - clock_ms();
	if (io->slow_ms > 0 && deadline > 0)
		(void)poll(NULL, 0, io->slow_ms);
	/* Asked not to wait: nothing is there before the banner. */
	if (deadline == 0 || (io->slow_ms > 0 && clock_ms() > deadline) || (io->in.n == 0 && io->times_out-- > 0)) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (n > io->in.n)
		n = io->in.n;
	lf = str_find(str_head(io->in, n), '\n');
	if (lf >= 0 && (io->pace == TALK_LINES ||
	    (io->pace == TALK_SPLIT && io->in.n > io->text)))
		n = (size_t)lf + 1;
	else if (io->pace == TALK_SPLIT && io->in.n > io->second &&
	    n > io->in.n - io->second)
		n = io->in.n - io->second;
	if (io->pace == TALK_OCTETS && n > 0)
		n = 1;
	if (n > 0)
		memcpy(p, io->in.p, n);
	io->in = str_skip(io->in, n);
	return (ssize_t)n;
}

static ssize_t
talk_write(void *ctx, const void *p, size_t n, int64_t deadline)
{
	struct talk_io *io = ctx;

	(void)deadline;
	buf_add(io->out, str_n(p, n));
	return (ssize_t)n;
}

static const struct stream_ops talk_ops = { talk_read, talk_write };

static const char talk_conf_text[] =
    "hostname = \"mx.example.test\"\n"
    "domains = {\"example.test\"}\n"
    "postmaster = \"alice@example.test\"\n"
    "access { connect = {\"0.0.0.0/0\", \"::/0\"} relay = {\"192.0.2.0/24\"} }\n"
    "auth { backends = {\"file:///nowhere\"} mechanisms = {\"PLAIN\", \"LOGIN\"} }\n"
    "limits { message-size = 1MB recipients = 10 errors = 8 timeout = 20s }\n";

/* Everything that lives as long as the process. */
struct talk {
	struct conf *conf;
	struct userset *users;
	struct queue *queue;
	struct session_env env;
	struct conf_listen listen;
	struct score *score;
	int hints[2];
	int auth[2];
	int runners[1];
	char dir[SCRATCH_SIZE];
	struct buf out;
};

static struct talk talk;

static void
talk_remove(void)
{
	scratch_end(talk.dir);
}

/* barid-auth, as far as a session can tell. */
static void *
talk_authenticator(void *arg)
{
	struct buf in, out;

	(void)arg;
	buf_init(&in, FRAME_MAX);
	buf_init(&out, FRAME_MAX);
	for (;;) {
		struct pollfd p = { .fd = talk.auth[1], .events = POLLIN };
		struct msg_auth m;
		struct msg_auth_result r = { .verdict = AUTH_NO,
			.user = STR("") };
		int pass = -1;

		if (poll(&p, 1, -1) < 0)
			continue;
		if (channel_recv(talk.auth[1], &in, &pass) != 1 || pass < 0)
			continue;
		if (!msg_auth_get(buf_str(&in), &m)) {
			r.verdict = AUTH_TEMPORARY;
		} else if (str_eq(m.user, STR("down"))) {
			r.verdict = AUTH_TEMPORARY;
		} else if (str_ieq(m.user, STR("bob")) &&
		    str_eq(m.password, STR("barid"))) {
			r.verdict = AUTH_YES;
			r.user = STR("bob");
		}
		buf_reset(&out);
		/* "hole" makes the authenticator go away. */
		if (!str_eq(m.user, STR("hole"))) {
			msg_auth_result_put(&out, &r);
			(void)!channel_send(pass, buf_str(&out), -1);
		}
		close(pass);
	}
	return NULL;
}

static void
talk_conf(const char *extra)
{
	struct buf text, error;

	buf_init(&text, 65536);
	buf_init(&error, 65536);
	buf_adds(&text, talk_conf_text);
	buf_adds(&text, extra);
	conf_free(talk.conf);
	talk.conf = conf_parse("talk.conf", buf_str(&text), &error);
	if (talk.conf == NULL)
		panic("%s", buf_cstr(&error));
	talk.conf->auth.failure_delay = 0;
	talk.conf->limits.tarpit_delay = 0;
	talk.conf->auth.failures_to_block = 0;
	talk.env.conf = talk.conf;
	buf_free(&text);
	buf_free(&error);
}

static void
talk_spool(void)
{
	scratch_begin_fast(talk.dir);
	setenv("QUEUE_RESERVE", "0", 1);
	talk.queue = opened_spool(talk.dir, QUEUE_CREATE);
}

/* Once a process; in a test that forks, once a test. */
static void
talk_begin(void)
{
	const struct str names[] = { STR("alice"), STR("bob") };
	pthread_t thread;

	if (talk.queue != NULL)
		return;
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	talk_conf("");
	talk_spool();
	talk.users = userset_new();
	talk.score = score_new(4);
	if (talk.users == NULL || talk.score == NULL ||
	    userset_replace(talk.users, names, ARRAY_LEN(names)) < 0 ||
	    channel_pair(talk.hints) < 0 || channel_pair(talk.auth) < 0 ||
	    pthread_create(&thread, NULL, talk_authenticator, NULL) != 0)
		panic("talk_begin: %s", strerror(errno));
	talk.runners[0] = talk.hints[0];
	talk.listen = (struct conf_listen){ .name = "smtp",
		.service = SERVICE_SMTP, .tls = LISTEN_TLS_STARTTLS,
		.hostname = "" };
	talk.env = (struct session_env){ .conf = talk.conf,
		.listen = &talk.listen, .hostname = "mx.example.test",
		.queue = talk.queue, .mailboxes = -1, .auth = talk.auth[0], .verify = -1, .check = -1,
		.runners = talk.runners, .runner_n = 1,
		.users = talk.users, .score = talk.score };
	if (addr_parse(STR("198.51.100.7"), 4711, &talk.env.peer) < 0 ||
	    addr_parse(STR("203.0.113.25"), 25, &talk.env.local) < 0)
		panic("talk_begin: addr_parse");
	talk.env.slot = score_take(talk.score, SERVICE_SMTP,
	    addr_key(&talk.env.peer), "198.51.100.7");
	buf_init(&talk.out, 64u << 20);
}

/* Speaks IN; what was answered is in talk.out. */
static struct str
talk_io(struct talk_io *io)
{
	struct stream stream;
	struct session s;

	buf_reset(&talk.out);
	io->out = &talk.out;
	stream_init(&stream, &talk_ops, io);
	session_init(&s, &talk.env, &stream, -1);
	session_run(&s);
	session_free(&s);
	stream_free(&stream);
	return buf_str(&talk.out);
}

static UNUSED struct str
talk_say(struct str in, enum talk_pace pace)
{
	struct talk_io io = { .in = in, .pace = pace };

	return talk_io(&io);
}

/* The codes of the replies so far: "220 250 503". */
static UNUSED const char *
talk_codes(struct str replies, struct buf *b)
{
	struct str line;

	buf_reset(b);
	while (replies.n > 0) {
		str_cut(replies, '\n', &line, &replies);
		if (line.n < 4 || line.p[3] == '-')
			continue;
		if (b->n > 0)
			buf_addc(b, ' ');
		buf_add(b, str_head(line, 3));
	}
	return buf_cstr(b);
}

/* The one message in new/ (drop/), whole with its envelope; removes it. */
struct talk_message {
	unsigned n;		/* how many there were */
	char id[QUEUE_ID_SIZE];
	struct queue_file file;
	struct arena arena;
	struct buf text;
};

static bool
talk_note_id(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct talk_message *m = arg;

	(void)mtime;
	(void)size;
	if (id != NULL && m->n++ == 0)
		memcpy(m->id, id, QUEUE_ID_SIZE);
	return true;
}

static UNUSED void
talk_take(struct talk_message *m, enum queue_place place)
{
	const char *why = "";
	char *room;

	*m = (struct talk_message){ 0 };
	arena_init(&m->arena, 16u << 20);
	buf_init(&m->text, 64u << 20);
	if (queue_scan(talk.queue, place, talk_note_id, m) < 0)
		panic("queue_scan: %s", strerror(errno));
	if (m->n == 0)
		return;
	if (queue_load(talk.queue, place, m->id, true, &m->arena, &m->file,
		&why) < 0)
		panic("queue_load %s: %s", m->id, why);
	room = buf_room(&m->text, m->file.size + 1);
	if (room == NULL || pread(m->file.fd, room, m->file.size,
		m->file.text_at) != (ssize_t)m->file.size)
		panic("the text of %s cannot be read", m->id);
	buf_grew(&m->text, m->file.size);
	queue_unload(&m->file);
	if (queue_remove(talk.queue, place, m->id) < 0)
		panic("queue_remove: %s", strerror(errno));
}

static UNUSED void
talk_drop(struct talk_message *m)
{
	arena_free(&m->arena);
	buf_free(&m->text);
}

#endif
