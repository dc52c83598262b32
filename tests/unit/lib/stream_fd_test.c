/* SPDX-License-Identifier: GPL-3.0-or-later */

/* stream_fd -- sockets and pipes: deadlines, ends, and what is set. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "child.h"
#include "lib/clock.h"
#include "lib/stream.h"

struct pair {
	int fd[2];
	struct stream_fd f;
	struct stream s;
};

static void
sockets(struct pair *p)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fd), 0);
	stream_fd_init(&p->f, p->fd[0], p->fd[0]);
	ck_assert(p->f.socket);
	stream_init(&p->s, &stream_fd_ops, &p->f);
}

static void
pipes(struct pair *p)
{
	ck_assert_int_eq(pipe(p->fd), 0);
	stream_fd_init(&p->f, p->fd[0], p->fd[1]);
	ck_assert(!p->f.socket);
	stream_init(&p->s, &stream_fd_ops, &p->f);
}

static void
done(struct pair *p)
{
	stream_free(&p->s);
	close(p->fd[0]);
	close(p->fd[1]);
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int64_t
timeout_of(int fd, int option)
{
	struct timeval tv;
	socklen_t n = sizeof(tv);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, option, &tv, &n), 0);
	return (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static void
ck_talk(struct pair *p)
{
	struct str line;

	say(p->fd[1], "NOOP\r\nQU");
	ck_assert_int_eq(stream_line(&p->s, 512, clock_ms() + 5000, &line),
	    STREAM_OK);
	ck_str(line, STR("NOOP"));
	say(p->fd[1], "IT\r\n");
	ck_assert_int_eq(stream_line(&p->s, 512, -1, &line), STREAM_OK);
	ck_str(line, STR("QUIT"));
	/* 0 asks for what is there and does not wait. */
	ck_assert_int_eq(stream_fill(&p->s, 0, &line), STREAM_TIMEOUT);
	say(p->fd[1], "x");
	ck_assert_int_eq(stream_fill(&p->s, 0, &line), STREAM_OK);
	stream_consume(&p->s, 1);
}

static void
ck_deadline(struct pair *p)
{
	int64_t start = clock_ms();
	struct str line;

	say(p->fd[1], "half");
	ck_assert_int_eq(stream_line(&p->s, 512, start + 80, &line),
	    STREAM_TIMEOUT);
	ck_assert_int_ge(clock_ms(), start + 80);
	/* Past its deadline a peer gets nothing, whatever it sends. */
	say(p->fd[1], " more\r\n");
	ck_assert_int_eq(stream_line(&p->s, 512, start + 80, &line),
	    STREAM_TIMEOUT);
	ck_assert_int_eq(stream_line(&p->s, 512, clock_ms() + 5000, &line),
	    STREAM_OK);
	ck_str(line, STR("half more"));
}

START_TEST(socket_talks)
{
	struct pair p;

	sockets(&p);
	ck_talk(&p);
	ck_deadline(&p);
	done(&p);
}
END_TEST

START_TEST(pipe_talks)
{
	struct pair p;

	pipes(&p);
	ck_talk(&p);
	ck_deadline(&p);
	done(&p);
}
END_TEST

START_TEST(nonblocking_waits_as_well)
{
	struct pair p;

	sockets(&p);
	fcntl(p.fd[0], F_SETFL, O_NONBLOCK);
	ck_talk(&p);
	ck_deadline(&p);
	done(&p);
	pipes(&p);
	fcntl(p.fd[0], F_SETFL, O_NONBLOCK);
	ck_talk(&p);
	ck_deadline(&p);
	done(&p);
}
END_TEST

START_TEST(ends_of_file)
{
	struct pair p;
	struct str line;

	sockets(&p);
	say(p.fd[1], "last\r\n");
	shutdown(p.fd[1], SHUT_WR);
	ck_assert_int_eq(stream_line(&p.s, 512, -1, &line), STREAM_OK);
	ck_assert_int_eq(stream_line(&p.s, 512, -1, &line), STREAM_EOF);
	done(&p);
	pipes(&p);
	close(p.fd[1]);
	ck_assert_int_eq(stream_line(&p.s, 512, -1, &line), STREAM_EOF);
	p.fd[1] = -1;
	done(&p);
}
END_TEST

START_TEST(bad_descriptors)
{
	struct stream_fd f;
	struct stream s;
	struct str in;

	stream_fd_init(&f, -1, -1);
	stream_init(&s, &stream_fd_ops, &f);
	ck_assert_int_eq(stream_fill(&s, clock_ms() + 100, &in),
	    STREAM_ERROR);
	ck_assert_int_ne(s.error, 0);
	stream_free(&s);
}
END_TEST

START_TEST(a_broken_peer_kills_nobody)
{
	struct pair p;

	signal(SIGPIPE, SIG_DFL);
	sockets(&p);
	close(p.fd[1]);
	ck_assert_int_eq(stream_put(&p.s, STR("x"), -1), STREAM_OK);
	ck_assert_int_eq(stream_flush(&p.s, -1), STREAM_ERROR);
	ck_assert_int_eq(p.s.error, EPIPE);
	p.fd[1] = -1;
	done(&p);
}
END_TEST

static void
ck_full(struct pair *p)
{
	static char big[1000000];
	int64_t start = clock_ms();

	ck_assert_int_eq(stream_put(&p->s, str_n(big, sizeof(big)),
	    start + 60), STREAM_TIMEOUT);
	ck_assert_int_ge(clock_ms(), start + 60);
	ck_assert_int_lt(clock_ms(), start + 5000);
	ck_assert_int_eq(stream_put(&p->s, str_n(big, sizeof(big)), 0),
	    STREAM_TIMEOUT);
	ck_assert_uint_gt(p->s.bytes_out, 0);
	ck_assert_uint_lt(p->s.bytes_out, sizeof(big));
	done(p);
}

START_TEST(a_full_peer_times_out)
{
	struct pair p;

	sockets(&p);
	ck_full(&p);
	pipes(&p);
	ck_full(&p);
	sockets(&p);
	fcntl(p.fd[0], F_SETFL, O_NONBLOCK);
	ck_full(&p);
}
END_TEST

/* One system call a read: the option is left alone while it will do. */
START_TEST(sets_the_option_rarely)
{
	struct pair p;
	struct str in;

	sockets(&p);
	say(p.fd[1], "abcdefgh");
	ck_assert_int_eq(p.f.rcv_timeout, -1);
	for (int i = 0; i < 4; i++) {
		char c;

		ck_assert_int_eq(stream_fd_ops.read(&p.f, &c, 1,
		    clock_ms() + 300000 - i * 2000), 1);
		ck_assert_int_gt(p.f.rcv_timeout, 299000);
		ck_assert_int_eq(timeout_of(p.fd[0], SO_RCVTIMEO) / 1000,
		    p.f.rcv_timeout / 1000);
	}
	ck_assert_int_eq(stream_fill(&p.s, clock_ms() + 60000, &in),
	    STREAM_OK);
	ck_assert_int_le(p.f.rcv_timeout, 60000);
	stream_consume(&p.s, in.n);
	say(p.fd[1], "x");
	ck_assert_int_eq(stream_fill(&p.s, clock_ms() + 600000, &in),
	    STREAM_OK);
	ck_assert_int_gt(p.f.rcv_timeout, 599000);
	stream_consume(&p.s, in.n);
	say(p.fd[1], "x");
	ck_assert_int_eq(stream_fill(&p.s, -1, &in), STREAM_OK);
	ck_assert_int_eq(timeout_of(p.fd[0], SO_RCVTIMEO), 0);
	ck_assert_int_eq(stream_put(&p.s, STR("x"), -1), STREAM_OK);
	ck_assert_int_eq(stream_flush(&p.s, clock_ms() + 5000), STREAM_OK);
	ck_assert_int_gt(timeout_of(p.fd[0], SO_SNDTIMEO), 4000);
	done(&p);
}
END_TEST

/* A deadline that is longer than what is set is kept to its end. */
START_TEST(waits_the_whole_time)
{
	struct pair p;
	struct str in;
	int64_t start;

	sockets(&p);
	ck_assert_int_eq(stream_fill(&p.s, clock_ms() + 60, &in),
	    STREAM_TIMEOUT);
	start = clock_ms();
	ck_assert_int_eq(stream_fill(&p.s, start + 100, &in), STREAM_TIMEOUT);
	ck_assert_int_ge(clock_ms(), start + 100);
	start = clock_ms();
	ck_assert_int_eq(stream_fill(&p.s, start + 300, &in), STREAM_TIMEOUT);
	ck_assert_int_ge(clock_ms(), start + 300);
	done(&p);
}
END_TEST

static void
ignore(int signo)
{
	(void)signo;
}

static void *
disturb(void *arg)
{
	int *fd = arg;

	for (int i = 0; i < 100; i++)
		kill(getpid(), SIGUSR1);
	say(*fd, "done\r\n");
	return NULL;
}

static void
ck_signals(struct pair *p)
{
	struct sigaction sa;
	sigset_t set;
	pthread_t t;
	struct str line;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = ignore;
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	/* The other thread takes none of them. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ck_assert_int_eq(pthread_create(&t, NULL, disturb, &p->fd[1]), 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ck_assert_int_eq(stream_line(&p->s, 512, clock_ms() + 30000, &line),
	    STREAM_OK);
	ck_str(line, STR("done"));
	pthread_join(t, NULL);
	done(p);
}

START_TEST(signals_do_not_matter)
{
	struct pair p;

	sockets(&p);
	ck_signals(&p);
	pipes(&p);
	ck_signals(&p);
}
END_TEST

/* A byte now and then wins no time. */
static void *
drip(void *arg)
{
	int *fd = arg;

	while (send(*fd, "x", 1, MSG_NOSIGNAL) == 1)
		poll(NULL, 0, 5);
	return NULL;
}

START_TEST(dripping_wins_nothing)
{
	struct pair p;
	pthread_t t;
	struct str line;
	int64_t start = clock_ms();

	sockets(&p);
	ck_assert_int_eq(pthread_create(&t, NULL, drip, &p.fd[1]), 0);
	ck_assert_int_eq(stream_line(&p.s, 100000, start + 200, &line),
	    STREAM_TIMEOUT);
	ck_assert_int_ge(clock_ms(), start + 200);
	ck_assert_int_lt(clock_ms(), start + 5000);
	shutdown(p.fd[0], SHUT_RDWR);
	pthread_join(t, NULL);
	done(&p);
}
END_TEST

UNIT_MAIN("lib/stream_fd", socket_talks, pipe_talks, nonblocking_waits_as_well,
    ends_of_file, bad_descriptors, a_broken_peer_kills_nobody,
    a_full_peer_times_out, sets_the_option_rarely, waits_the_whole_time,
    signals_do_not_matter, dripping_wins_nothing)
