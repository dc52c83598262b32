/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_POPPER_H
#define TESTS_POPPER_H

/*
 * popper -- a POP3 session over memory, with real mailboxes in a scratch
 * directory and an authenticator that is a thread, for unit tests and the
 * fuzzer: bytes in, bytes out.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"
#include "pop3d/pop3d.h"
#include "scratch.h"

/* A client that waits for every answer, one that never waits, a slow one. */
enum popper_pace { POPPER_LINES, POPPER_WHOLE, POPPER_OCTETS };

struct popper {
	struct conf *conf;
	struct conf_listen listen;
	struct session_env env;
	struct userset *users;
	struct score *score;
	int auth[2];
	int base;		/* the directory of mailboxes */
	char dir[SCRATCH_SIZE];
	/* The session under way. */
	struct str in;
	enum popper_pace pace;
	struct buf out;
	void (*before_read)(void);	/* at each read, if not NULL */
	void (*before_write)(void);
	bool silent;		/* at the end of IN the client is there, and says nothing */
	bool deaf;		/* what is written fails */
	int64_t patience;	/* the longest that a read was to wait, in ms */
};

static struct popper popper;

static ssize_t
popper_read(void *ctx UNUSED, void *p, size_t n, int64_t deadline)
{
	ptrdiff_t lf;

	if (popper.before_read)
		popper.before_read();
	if (deadline - clock_ms() > popper.patience)
		popper.patience = deadline - clock_ms();
	if (deadline == 0 || (popper.in.n == 0 && popper.silent)) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (n > popper.in.n)
		n = popper.in.n;
	lf = str_find(str_head(popper.in, n), '\n');
	if (popper.pace == POPPER_LINES && lf >= 0)
		n = (size_t)lf + 1;
	if (popper.pace == POPPER_OCTETS && n > 0)
		n = 1;
	if (n > 0)
		memcpy(p, popper.in.p, n);
	popper.in = str_skip(popper.in, n);
	return (ssize_t)n;
}

static ssize_t
popper_write(void *ctx UNUSED, const void *p, size_t n, int64_t deadline UNUSED)
{
	if (popper.deaf) {
		errno = EPIPE;
		return -1;
	}
	if (popper.before_write)
		popper.before_write();
	buf_add(&popper.out, str_n(p, n));
	return (ssize_t)n;
}

static const struct stream_ops popper_ops = { popper_read, popper_write };

static void
popper_end(void)
{
	scratch_end(popper.dir);
}

/*
 * barid-auth, as far as a session can tell: the password of everybody is
 * "barid", but "nobody" is unknown, for "down" it cannot say, at "hole" it
 * goes away, and "odd" is somebody with a name that is no mailbox.
 */
static void
popper_answer(struct str packet, int pass)
{
	struct msg_auth_result r = { .verdict = AUTH_NO, .user = STR("") };
	struct msg_auth m;
	struct buf out;

	if (!msg_auth_get(packet, &m) || str_eq(m.user, STR("hole")))
		return;
	if (str_eq(m.user, STR("down")))
		r.verdict = AUTH_TEMPORARY;
	else if (!str_eq(m.user, STR("nobody")) && str_eq(m.password, STR("barid")))
		r = (struct msg_auth_result){ .verdict = AUTH_YES,
			.user = str_eq(m.user, STR("odd")) ? STR("../odd") : m.user };
	buf_init(&out, FRAME_MAX);
	msg_auth_result_put(&out, &r);
	(void)!channel_send(pass, buf_str(&out), -1);
	buf_free(&out);
}

static void *
popper_authenticator(void *arg UNUSED)
{
	struct pollfd p = { .fd = popper.auth[1], .events = POLLIN };
	struct buf in;
	int pass;

	buf_init(&in, FRAME_MAX);
	for (;;) {
		if (poll(&p, 1, -1) < 1 ||
		    channel_recv(popper.auth[1], &in, &pass) != 1 || pass < 0)
			continue;
		popper_answer(buf_str(&in), pass);
		close(pass);
	}
	return NULL;
}

static void
popper_conf(const char *extra)
{
	struct buf text, error;

	buf_init(&text, 65536);
	buf_init(&error, 65536);
	buf_adds(&text, "hostname = \"mx.example.test\"\n"
	    "domains = {\"example.test\"}\n");
	buf_adds(&text, extra);
	conf_free(popper.conf);
	popper.conf = conf_parse("popper.conf", buf_str(&text), &error);
	if (!popper.conf)
		panic("%s", buf_cstr(&error));
	popper.conf->auth.failure_delay = 0;
	popper.conf->auth.failures_to_block = 0;
	popper.env.conf = popper.conf;
	buf_free(&text);
	buf_free(&error);
}

#define POPPER_CLEAR "auth { backends = {\"file:///nowhere\"} without-tls = {\"PLAIN\"} }\n"

/* Once a process; in a test that forks, once a test. */
static void
popper_begin(void)
{
	const struct str names[] = { STR("alice"), STR("Bob") };
	pthread_t thread;

	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	scratch_begin_fast(popper.dir);
	popper.base = scratch_open(popper.dir);
	popper.users = userset_new();
	popper.score = score_new(4);
	if (!popper.users || !popper.score ||
	    userset_replace(popper.users, names, ARRAY_LEN(names)) < 0 ||
	    channel_pair(popper.auth) < 0 ||
	    pthread_create(&thread, NULL, popper_authenticator, NULL) != 0)
		panic("popper_begin: %s", strerror(errno));
	popper.listen = (struct conf_listen){ .name = "pop3", .service = SERVICE_POP3,
		.tls = LISTEN_TLS_STARTTLS, .hostname = "" };
	popper.env = (struct session_env){ .listen = &popper.listen,
		.hostname = "mx.example.test", .mailboxes = popper.base,
		.auth = popper.auth[0], .users = popper.users, .score = popper.score };
	popper_conf(POPPER_CLEAR);
	if (addr_parse(STR("198.51.100.7"), 4711, &popper.env.peer) < 0)
		panic("popper_begin: addr_parse");
	popper.env.slot = score_take(popper.score, SERVICE_POP3,
	    addr_key(&popper.env.peer), "198.51.100.7");
	buf_init(&popper.out, 256u << 20);
}

/* Speaks IN; what was answered. */
static struct str
popper_say(struct str in, enum popper_pace pace)
{
	struct pop3_session s;

	buf_reset(&popper.out);
	popper.in = in;
	popper.pace = pace;
	pop3d_init(&s, &popper.env);
	stream_init(&s.stream, &popper_ops, NULL);
	pop3d_run(&s);
	pop3d_end(&s);
	return buf_str(&popper.out);
}

/* ---- mailboxes ---------------------------------------------------------- */

static void
popper_path(char path[256], const char *box, const char *name)
{
	if (snprintf(path, 256, "%s/%s/%s", popper.dir, box, name) >= 256)
		panic("a path is too long");
}

/* Puts a file with this NAME ("new/...") into the mailbox BOX. */
static UNUSED void
popper_put(const char *box, const char *name, struct str text)
{
	static const char *const dirs[] = { "", "tmp", "new", "cur" };
	char path[256];
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		popper_path(path, box, dirs[i]);
		(void)mkdir(path, 0700);
	}
	popper_path(path, box, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n)
		panic("%s: %s", path, strerror(errno));
	close(fd);
}

static UNUSED void
popper_remove(const char *box, const char *name)
{
	char path[256];

	popper_path(path, box, name);
	(void)unlink(path);
}

static UNUSED bool
popper_has(const char *box, const char *name)
{
	char path[256];

	popper_path(path, box, name);
	return access(path, F_OK) == 0;
}

/* The files in new/ and cur/. */
static UNUSED unsigned
popper_count(const char *box)
{
	static const char *const dirs[] = { "new", "cur" };
	char path[256];
	struct dirent *e;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		popper_path(path, box, dirs[i]);
		DIR *d = opendir(path);
		while (d && (e = readdir(d)))
			n += e->d_name[0] != '.';
		if (d)
			closedir(d);
	}
	return n;
}

/* ---- answers -------------------------------------------------------------- */

/*
 * "+" or "-" for each answer, "*" for one of many lines, "?" for a prompt:
 * what a client that knows no command can see, since the text between comes
 * whole.  Only for sessions that had POPPER_LINES.
 */
struct popper_marks {
	char v[4096];
	size_t n, seen;
	bool broken;
};

static struct popper_marks popper_marks;

/* True if ANSWER is +OK, lines without a lone dot, and a lone dot. */
static bool
popper_is_multi(struct str answer)
{
	struct str line;
	bool ended = false;

	for (size_t i = 0; answer.n > 0; i++) {
		if (!str_cut(answer, '\n', &line, &answer) || ended || line.n == 0 ||
		    line.p[line.n - 1] != '\r' ||
		    str_find(str_head(line, line.n - 1), '\r') >= 0)
			return false;
		ended = str_eq(line, STR(".\r"));
		/* A dot that begins a line is stuffed. */
		if (i > 0 && !ended && line.p[0] == '.' && line.p[1] != '.')
			return false;
	}
	return ended;
}

static void
popper_mark(void)
{
	struct str answer = str_skip(buf_str(&popper.out), popper_marks.seen);
	struct popper_marks *m = &popper_marks;
	char mark = 'x';

	m->seen = popper.out.n;
	if (answer.n == 0)
		return;
	bool one = str_ends(answer, STR("\r\n")) &&
	    str_find(answer, '\n') == (ptrdiff_t)answer.n - 1 && answer.n <= POP3_RESPONSE_MAX;
	bool ok = str_eq(answer, STR("+OK\r\n")) || str_starts(answer, STR("+OK "));
	if (one && ok)
		mark = '+';
	else if (one && str_starts(answer, STR("-ERR ")))
		mark = '-';
	else if (str_eq(answer, STR("+ \r\n")))
		mark = '?';
	else if (ok && popper_is_multi(answer))
		mark = '*';
	else
		m->broken = true;
	if (m->n + 1 < sizeof(m->v))
		m->v[m->n++] = mark;
	m->v[m->n] = '\0';
}

/* Speaks IN line by line; the marks of the answers. */
static UNUSED const char *
popper_answers(struct str in)
{
	popper_marks = (struct popper_marks){ .n = 0 };
	popper.before_read = popper_mark;
	(void)popper_say(in, POPPER_LINES);
	popper.before_read = NULL;
	popper_mark();
	return popper_marks.v;
}

#endif
