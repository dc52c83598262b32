/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * load -- work for a mail server on this machine, and what it did of it.
 *
 *	load send [-n messages] [-s sessions] [-l octets] [-r recipients]
 *	    [-d] [-P] [-T] [-f from] [-t to] [-b boxes] HOST PORT
 *	load rate [-n connections] [-s at once] HOST PORT	banner, QUIT
 *	load idle [-n connections] [-s at once] HOST PORT	EHLO, then silence
 *	load sink [-x percent] [-o file] [HOST] PORT|0	takes mail and throws it away
 *
 * send: -d sends many messages over each connection, -P a whole envelope in
 * one write (RFC 2920), -T says STARTTLS and looks at no certificate.  A "%"
 * in TO becomes 1 to BOXES, in turn.  idle holds its connections until its
 * standard input ends.  sink says "PORT n" first, and its counts at SIGUSR1
 * and at its end; of PERCENT of the transactions something goes wrong: they are
 * refused for now or for good, or the line is cut.  FILE gets the last RCPT
 * command of each message that was taken.  Everything else that is printed is one JSON object.
 *
 * One loop, and every octet of a step in one write, so that the tool costs
 * little beside what it measures.  It connects to loopback addresses only.
 * The exit status is 1 if anything failed; the first answers that were
 * not welcome are shown.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "lib/random.h"
#include "net/listen.h"
#include "net/tls.h"

#define LINE_KEPT 160
#define OUT_MAX (1 << 28)
#define SHOWN_MAX 3

enum mode { SEND, RATE, IDLE, SINK };

/* What a client waits for; a sink is in TEXT or in HELLO. */
enum step { GREETING, HELLO, STARTTLS, MAIL, RCPT, DATA, TEXT, QUIT, HELD };

static const struct {
	const char *name;
	char want;		/* the first digit of a welcome answer */
} steps[] = {
	[GREETING] = { "greeting", '2' },
	[HELLO] = { "EHLO", '2' },
	[STARTTLS] = { "STARTTLS", '2' },
	[MAIL] = { "MAIL", '2' },
	[RCPT] = { "RCPT", '2' },
	[DATA] = { "DATA", '3' },
	[TEXT] = { "the text", '2' },
	[QUIT] = { "QUIT", '2' },
	[HELD] = { "a held connection", 0 },
};

/* What goes wrong in a transaction with the sink. */
enum fault {
	FAULT_MAIL, FAULT_RCPT, FAULT_DATA, FAULT_TEXT,	/* refused for now */
	FAULT_GOOD,	/* refused for good */
	FAULT_BUSY,	/* 421, and the line is cut */
	FAULT_CUT,	/* cut before the text is taken */
	FAULT_DOUBT,	/* cut when it is */
	FAULT_NONE
};

struct conn {
	struct loop_io *io;
	int fd;
	struct tls *tls;
	bool shaking;
	enum step step;
	uint64_t rcpts;		/* answers to RCPT that are still to come; taken */
	enum fault fault;
	double begun;
	struct buf out;
	char line[LINE_KEPT];	/* the head of the line that is being read */
	size_t line_n;
	size_t matched;		/* octets of the end of a text seen (sink) */
	char rcpt[LINE_KEPT + 1];	/* the last RCPT of a message (sink) */
};

static enum mode mode;
static uint64_t faulty;		/* percent */
static uint64_t total = 1000, at_once = 10, octets = 5120, rcpt_n = 1, boxes = 1;
static bool many, pipelined, starttls;
static const char *from = "sender@client.test", *to = "u1@bench.test";
static struct addr server;
static FILE *taken;		/* what the sink took; NULL: nobody asks */

static struct loop *loop;
static struct tls_ctx *tls_ctx;
static struct buf text;
static uint64_t begun_n, done_n, failed_n, connection_n, octet_n, box;
static uint64_t live;
static float *latencies;	/* ms */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- connections --------------------------------------------------------------- */

static void on_conn(void *arg, bool readable, bool writable);

static struct conn *
conn_new(int fd)
{
	const int one = 1;
	struct conn *c = mem_alloc(sizeof(*c));

	c->fd = fd;
	c->io = loop_io_new(loop, fd, on_conn, c);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	buf_init(&c->out, OUT_MAX);
	loop_io_want(c->io, true, false);
	connection_n++;
	live++;
	return c;
}

static void
conn_free(struct conn *c)
{
	loop_io_free(c->io);
	tls_free(c->tls);
	close(c->fd);
	buf_free(&c->out);
	mem_free(c);
	live--;
}

/* > 0: octets; 0: none for now; -1: the connection is over. */
static ssize_t
conn_get(struct conn *c, char *p, size_t n)
{
	size_t got = 0;
	ssize_t r;

	if (c->tls) {
		switch (tls_read(c->tls, p, n, &got)) {
		case TLS_DONE:
			return (ssize_t)got;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			return 0;
		default:
			return -1;
		}
	}
	r = recv(c->fd, p, n, MSG_DONTWAIT);
	if (r < 0 && errno == EAGAIN)
		return 0;
	return r > 0 ? r : -1;
}

static ssize_t
conn_put(struct conn *c, const char *p, size_t n)
{
	size_t put = 0;
	ssize_t r;

	if (c->tls) {
		enum tls_result t = tls_write(c->tls, p, n, &put);

		return t == TLS_CLOSED || t == TLS_FAILED ? -1 : (ssize_t)put;
	}
	r = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return r < 0 && errno == EAGAIN ? 0 : r;
}

/* Sends what is in OUT, as far as the peer takes it; the loop does the rest. */
static bool
conn_flush(struct conn *c)
{
	size_t at = 0;
	ssize_t r = 1;

	while (at < c->out.n && r > 0) {
		r = conn_put(c, c->out.p + at, c->out.n - at);
		at += r > 0 ? (size_t)r : 0;
	}
	if (at == c->out.n)
		buf_reset(&c->out);
	else
		buf_drop(&c->out, at);
	loop_io_want(c->io, true, c->out.n > 0);
	return r >= 0;
}

/* ---- clients ------------------------------------------------------------------- */

/* Answers come through the loop: at once, nothing is up but a full backlog. */
static bool
client_open(void)
{
	int fd = socket(addr_family(&server), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct conn *c;

	if (fd < 0 || (connect(fd, (const struct sockaddr *)&server.ss, server.len) < 0 &&
	    errno != EINPROGRESS)) {
		fprintf(stderr, "load: cannot connect: %s\n", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	c = conn_new(fd);
	c->begun = now();
	return true;
}

/* Opens a connection, if there is still something to do on one. */
static void
client_next(void)
{
	while (begun_n < total) {
		begun_n++;
		if (client_open())
			return;
		failed_n++;
	}
}

/* What C was doing is over, for better or worse. */
static void
client_end(struct conn *c)
{
	conn_free(c);
	client_next();
}

static void
client_fail(struct conn *c, const char *what, struct str line)
{
	if (failed_n++ < SHOWN_MAX)
		fprintf(stderr, "load: %s: %s " STR_FMT "\n", steps[c->step].name, what,
		    STR_ARG(str_trim(line)));
	client_end(c);
}

static void
count_done(const struct conn *c)
{
	latencies[done_n++] = (float)((now() - c->begun) * 1000);
}

static void
add_rcpt(struct conn *c)
{
	const char *mark = strchr(to, '%');
	struct str head = mark ? str_n(to, (size_t)(mark - to)) : str_c(to);

	buf_adds(&c->out, "RCPT TO:<");
	buf_add(&c->out, head);
	if (mark) {
		buf_addu(&c->out, 1 + box++ % boxes);
		buf_adds(&c->out, mark + 1);
	}
	buf_adds(&c->out, ">\r\n");
}

static void
client_mail(struct conn *c)
{
	c->step = MAIL;
	c->rcpts = rcpt_n;
	buf_addf(&c->out, "MAIL FROM:<%s>\r\n", from);
	if (!pipelined)
		return;
	for (uint64_t i = 0; i < rcpt_n; i++)
		add_rcpt(c);
	buf_adds(&c->out, "DATA\r\n");
}

static void
client_quit(struct conn *c)
{
	c->step = QUIT;
	buf_adds(&c->out, "QUIT\r\n");
}

static void
client_hello(struct conn *c)
{
	c->step = HELLO;
	buf_adds(&c->out, "EHLO client.test\r\n");
}

/* The answer to RCPT, or to MAIL. */
static void
client_envelope(struct conn *c)
{
	if (c->step == RCPT)
		c->rcpts--;
	c->step = c->rcpts > 0 ? RCPT : DATA;
	if (!pipelined && c->step == RCPT)
		add_rcpt(c);
	else if (!pipelined)
		buf_adds(&c->out, "DATA\r\n");
}

static void
client_greeted(struct conn *c)
{
	if (starttls && !c->tls) {
		c->step = STARTTLS;
		buf_adds(&c->out, "STARTTLS\r\n");
	} else if (mode == IDLE) {
		c->step = HELD;
		count_done(c);
		client_next();
	} else {
		client_mail(c);
	}
}

static bool
client_shake(struct conn *c)
{
	c->shaking = false;
	switch (tls_handshake(c->tls)) {
	case TLS_DONE:
		client_hello(c);
		return conn_flush(c);
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
		c->shaking = true;
		return true;
	default:
		fprintf(stderr, "load: TLS: %s\n", tls_error(c->tls));
		return false;
	}
}

/* The answer to the text: the next message, or no more on this connection. */
static void
client_sent(struct conn *c)
{
	count_done(c);
	if (many && begun_n < total) {
		begun_n++;
		c->begun = now();
		client_mail(c);
	} else {
		client_quit(c);
	}
}

/* A whole answer.  False: C is no more. */
static bool
client_answer(struct conn *c)
{
	if (c->line[0] != steps[c->step].want) {
		client_fail(c, "the server said", str_n(c->line, c->line_n));
		return false;
	}
	switch (c->step) {
	case GREETING:
		if (mode == RATE)
			client_quit(c);
		else
			client_hello(c);
		break;
	case HELLO:
		client_greeted(c);
		break;
	case STARTTLS:
		c->tls = tls_connect(tls_ctx, c->fd,
		    &(struct tls_peer){ .name = "" });
		c->shaking = c->tls != NULL;
		break;
	case MAIL:
	case RCPT:
		client_envelope(c);
		break;
	case DATA:
		c->step = TEXT;
		buf_add(&c->out, buf_str(&text));
		break;
	case TEXT:
		client_sent(c);
		break;
	case QUIT:
		if (mode == RATE)
			count_done(c);
		client_end(c);
		return false;
	case HELD:
		break;
	}
	return true;
}

/* Keeps the head of a line; true at its end. */
static bool
line_feed(struct conn *c, const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = (size_t)((nl ? nl + 1 : end) - *p);
	size_t room = sizeof(c->line) - c->line_n;

	memcpy(c->line + c->line_n, *p, n < room ? n : room);
	c->line_n += n < room ? n : room;
	*p += n;
	return nl != NULL;
}

static bool
client_feed(struct conn *c, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		if (!line_feed(c, &p, end))
			break;
		if ((c->line_n < 4 || c->line[3] != '-') && !client_answer(c))
			return false;
		c->line_n = 0;
	}
	return true;
}

/* ---- the sink ------------------------------------------------------------------- */

/*
 * Takes octets of a text up to its end; that is where P is then.  False: C is
 * no more.
 */
static bool
sink_text(struct conn *c, const char **p, const char *end)
{
	static const char mark[] = "\r\n.\r\n";

	while (*p < end && c->matched < sizeof(mark) - 1) {
		if (c->matched == 0 && **p != '\r') {
			const char *cr = memchr(*p, '\r', (size_t)(end - *p));

			*p = cr ? cr : end;
			continue;
		}
		if (**p == mark[c->matched])
			c->matched++;
		else
			c->matched = **p == '\r';
		(*p)++;
	}
	if (c->matched < sizeof(mark) - 1)
		return true;
	c->step = HELLO;
	if (c->fault == FAULT_TEXT) {
		buf_adds(&c->out, "451 4.3.0 not now\r\n");
		return true;
	}
	done_n += c->fault != FAULT_CUT;
	if (taken != NULL && c->fault != FAULT_CUT)
		fputs(c->rcpt, taken);
	if (c->fault != FAULT_CUT && c->fault != FAULT_DOUBT) {
		buf_adds(&c->out, "250 2.0.0 Ok\r\n");
		return true;
	}
	conn_free(c);
	return false;
}

static enum fault
choose_fault(void)
{
	if (random_below(100) >= faulty)
		return FAULT_NONE;
	/* Few are refused for good: each is a report to be written. */
	if (random_below(10) == 0)
		return FAULT_GOOD;
	return (enum fault)random_below(FAULT_NONE);
}

/* The answer to MAIL, RCPT or DATA.  False: C is no more. */
static bool
sink_envelope(struct conn *c)
{
	const char *answer = "250 2.1.0 Ok\r\n";

	switch (c->line[0] & ~0x20) {
	case 'M':
		c->fault = choose_fault();
		c->rcpts = 0;
		if (c->fault == FAULT_MAIL)
			answer = "451 4.3.0 not now\r\n";
		if (c->fault == FAULT_BUSY) {
			buf_adds(&c->out, "421 4.3.2 too busy\r\n");
			(void)conn_flush(c);
			conn_free(c);
			return false;
		}
		break;
	case 'R':
		if (c->fault == FAULT_MAIL)
			answer = "503 5.5.1 no\r\n";
		else if (c->fault == FAULT_RCPT)
			answer = "450 4.2.0 not now\r\n";
		else if (c->fault == FAULT_GOOD)
			answer = "550 5.1.1 never\r\n";
		else {
			c->rcpts++;
			memcpy(c->rcpt, c->line, c->line_n);
			c->rcpt[c->line_n] = '\0';
		}
		break;
	default:
		if (c->rcpts == 0) {
			answer = "503 5.5.1 no\r\n";
		} else if (c->fault == FAULT_DATA) {
			answer = "451 4.3.0 not now\r\n";
		} else {
			c->step = TEXT;
			c->matched = 2;	/* a dot may come first */
			answer = "354 go on\r\n";
		}
	}
	buf_adds(&c->out, answer);
	return true;
}

static bool
sink_command(struct conn *c)
{
	switch (c->line[0] & ~0x20) {
	case 'E':
		buf_adds(&c->out, "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
			"250-ENHANCEDSTATUSCODES\r\n250 DSN\r\n");
		break;
	case 'M':
	case 'D':
		return sink_envelope(c);
	case 'Q':
		buf_adds(&c->out, "221 2.0.0 bye\r\n");
		(void)conn_flush(c);
		conn_free(c);
		return false;
	default:
		if ((c->line[0] & ~0x20) == 'R' && (c->line[1] & ~0x20) == 'C')
			return sink_envelope(c);
		buf_adds(&c->out, "250 2.1.0 Ok\r\n");
	}
	return true;
}

static bool
sink_feed(struct conn *c, const char *p, size_t n)
{
	const char *end = p + n;

	octet_n += n;
	while (p < end) {
		if (c->step == TEXT) {
			if (!sink_text(c, &p, end))
				return false;
			continue;
		}
		if (!line_feed(c, &p, end))
			break;
		if (!sink_command(c))
			return false;
		c->line_n = 0;
	}
	return true;
}

static void
on_sink(void *arg, bool readable, bool writable)
{
	const int *listener = arg;
	struct conn *c;
	int fd;

	(void)readable;
	(void)writable;
	while ((fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		c = conn_new(fd);
		c->step = HELLO;
		buf_adds(&c->out, "220 sink.test ESMTP\r\n");
		(void)conn_flush(c);
	}
}

/* ---- both ----------------------------------------------------------------------- */

static void
conn_over(struct conn *c)
{
	if (mode == SINK)
		conn_free(c);
	else if (c->step == QUIT && mode != RATE)
		client_end(c);	/* its message is safe */
	else
		client_fail(c, "connection lost", STR(""));
}

/* Gives every octet that has come to whom it concerns.  False: C is no more. */
static bool
conn_pull(struct conn *c)
{
	static char in[1 << 16];
	ssize_t n;

	do {
		n = conn_get(c, in, sizeof(in));
		if (n < 0) {
			conn_over(c);
			return false;
		}
		if (!(mode == SINK ? sink_feed : client_feed)(c, in, (size_t)n))
			return false;
		/* A TLS session may hold more than its socket shows. */
	} while (n > 0 && c->tls && !c->shaking);
	return true;
}

static void
on_conn(void *arg, bool readable, bool writable)
{
	struct conn *c = arg;

	(void)writable;
	if (!c->shaking && readable && !conn_pull(c))
		return;
	if (c->shaking ? !client_shake(c) : !conn_flush(c))
		conn_over(c);
}

static void
print_counts(void *arg)
{
	(void)arg;
	printf("{\"messages\": %llu, \"connections\": %llu, \"octets\": %llu}\n",
	    (unsigned long long)done_n, (unsigned long long)connection_n,
	    (unsigned long long)octet_n);
	fflush(stdout);
}

static void
on_stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static int
run_sink(void)
{
	int fd = listen_open(&server);
	struct addr local;

	if (fd < 0)
		fatal(1, "cannot listen: %s", strerror(errno));
	/* Whoever started the sink may be gone without a word. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	local = addr_local(fd);
	printf("PORT %u\n", addr_port(&local));
	fflush(stdout);
	loop_io_want(loop_io_new(loop, fd, on_sink, &fd), true, false);
	loop_signal(loop, SIGUSR1, print_counts, NULL);
	loop_signal(loop, SIGTERM, on_stop, NULL);
	loop_signal(loop, SIGINT, on_stop, NULL);
	loop_run(loop);
	print_counts(NULL);
	if (taken != NULL && fclose(taken) != 0)
		fatal(1, "cannot write what was taken: %s", strerror(errno));
	return 0;
}

static void
make_text(void)
{
	buf_init(&text, OUT_MAX);
	buf_addf(&text, "From: <%s>\r\nTo: <rcpt@bench.test>\r\nSubject: load\r\n"
		"Date: Fri, 20 Nov 2026 12:00:00 +0000\r\nMessage-ID: <load@client.test>\r\n\r\n",
	    from);
	for (size_t column = 0; text.n + 2 < octets; column++) {
		if (column % 73 == 72)
			buf_adds(&text, "\r\n");
		else
			buf_addc(&text, (char)('a' + column % 26));
	}
	buf_adds(&text, "\r\n.\r\n");
}

static int
compare(const void *a, const void *b)
{
	const float *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile(double p)
{
	return done_n ? (double)latencies[(size_t)(p * (double)(done_n - 1))] : 0;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static int
run_client(void)
{
	struct buf error;
	struct rusage ru;
	double start, took;
	char c;

	buf_init(&error, 4096);
	if (starttls && !(tls_ctx = tls_client_ctx("", "1.2", &error)))
		fatal(1, "%s", buf_cstr(&error));
	make_text();
	latencies = mem_array(total, sizeof(*latencies));
	start = now();
	for (uint64_t i = 0; i < at_once; i++)
		client_next();
	while (done_n + failed_n < total || (mode != IDLE && live > 0))
		loop_once(loop, true);
	took = now() - start;
	getrusage(RUSAGE_SELF, &ru);
	qsort(latencies, done_n, sizeof(*latencies), compare);
	printf("{\"%s\": %llu, \"failed\": %llu, \"connections\": %llu, \"seconds\": %.4f, "
	       "\"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"client_cpu_ms\": %.4f}\n",
	    mode == SEND ? "messages" : "done", (unsigned long long)done_n,
	    (unsigned long long)failed_n, (unsigned long long)connection_n, took,
	    (double)done_n / took, percentile(0.5), percentile(0.99),
	    (seconds(ru.ru_utime) + seconds(ru.ru_stime)) * 1000 / (double)total);
	fflush(stdout);
	while (mode == IDLE && read(STDIN_FILENO, &c, 1) > 0)
		;
	return failed_n > 0;
}

/* ---- the command line -------------------------------------------------------------- */

static void
usage(void)
{
	fputs("usage: load send [-n messages] [-s sessions] [-l octets] [-r recipients]\n"
	      "           [-d] [-P] [-T] [-f from] [-t to] [-b boxes] HOST PORT\n"
	      "       load rate [-n connections] [-s at once] HOST PORT\n"
	      "       load idle [-n connections] [-s at once] HOST PORT\n"
	      "       load sink [-x percent] [-o file] [HOST] PORT|0\n", stderr);
	exit(64);
}

static uint64_t
number(const char *s, uint64_t least, uint64_t most)
{
	uint64_t v;

	if (str_u64(str_c(s), most, &v) < 0 || v < least)
		usage();
	return v;
}

static void
options(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "n:s:l:r:b:f:t:x:o:dPT")) != -1) {
		switch (o) {
		case 'n':
			total = number(optarg, 1, 100000000);
			break;
		case 's':
			at_once = number(optarg, 1, 30000);
			break;
		case 'l':
			octets = number(optarg, 1, OUT_MAX / 2);
			break;
		case 'r':
			rcpt_n = number(optarg, 1, 100000);
			break;
		case 'b':
			boxes = number(optarg, 1, 1000000);
			break;
		case 'f':
			from = optarg;
			break;
		case 't':
			to = optarg;
			break;
		case 'x':
			faulty = number(optarg, 0, 100);
			break;
		case 'o':
			if ((taken = fopen(optarg, "w")) == NULL)
				fatal(64, "%s: %s", optarg, strerror(errno));
			break;
		case 'd':
			many = true;
			break;
		case 'P':
			pipelined = true;
			break;
		case 'T':
			starttls = true;
			break;
		default:
			usage();
		}
	}
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "send", "rate", "idle", "sink" };
	const char *host = "127.0.0.1";
	size_t m = 0;

	while (m < 4 && (argc < 2 || strcmp(argv[1], names[m]) != 0))
		m++;
	if (m == 4)
		usage();
	mode = (enum mode)m;
	options(--argc, ++argv);
	if (argc - optind != 2 && (mode != SINK || argc - optind != 1))
		usage();
	if (argc - optind == 2)
		host = argv[optind++];
	if (addr_parse(str_c(host), (uint16_t)number(argv[optind], 0, 65535), &server) < 0 ||
	    !addr_is_loopback(&server))
		fatal(64, "%s is no loopback address", host);
	proc_ignore(SIGPIPE);
	(void)proc_files_max();
	loop = loop_new();
	return mode == SINK ? run_sink() : run_client();
}
