/* SPDX-License-Identifier: GPL-3.0-or-later */

/* log -- its targets and their failures; log_line_test has the lines. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "child.h"
#include "logfile.h"
#include "scratch.h"
START_TEST(unknown_targets)
{
	static const char *const bad[] = { "", "file", "file:", "syslog",
		"syslog:", "syslog:nonesuch", "syslog:mail@", "stdout",
		"/var/log/x" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		errno = 0;
		ck_assert_msg(log_to(bad[i]) == -1, "%s", bad[i]);
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_int_eq(log_to("file:/nonexistent/dir/log"), -1);
	ck_assert_int_eq(errno, ENOENT);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(log_to("stderr"), 0);
	ck_assert_int_eq(log_to("stderr"), -1);
	ck_assert_int_eq(errno, EINVAL);
	log_reset();
}
END_TEST

static void
probed(const char *what, int want)
{
	errno = 0;
	ck_assert_msg(log_probe(what) == (want ? -1 : 0), "%s: %s", what, strerror(errno));
	ck_assert_msg(errno == want || want == 0, "%s: %s", what, strerror(errno));
}

START_TEST(targets_that_are_only_looked_at)
{
	char dir[SCRATCH_SIZE], name[200], where[220];
	struct stat st;

	scratch_begin(dir);
	probed("stderr", 0);
	probed("syslog:mail", 0);
	probed("syslog:nonesuch", EINVAL);
	probed("stdout", EINVAL);
	probed("file:/dev/null", 0);
	probed("file:/dev/null/log", ENOTDIR);
	/* What would be made is not. */
	snprintf(name, sizeof(name), "%s/none", dir);
	snprintf(where, sizeof(where), "file:%s", name);
	probed(where, 0);
	ck_assert_int_eq(stat(name, &st), -1);
	snprintf(where, sizeof(where), "file:%s/log", name);
	probed(where, ENOENT);
	snprintf(where, sizeof(where), "file:%s", dir);
	probed(where, EISDIR);
	ck_assert_int_eq(mkfifo(name, 0600), 0);
	snprintf(where, sizeof(where), "file:%s", name);
	probed(where, ENXIO);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	memset(where, 'x', sizeof(where) - 1);
	memcpy(where, "file:/", 6);
	where[sizeof(where) - 1] = '\0';
	probed(where, ENAMETOOLONG);
}
END_TEST

START_TEST(losses_are_counted)
{
	uint64_t before = log_dropped();

	log_reset();
	ck_assert_int_eq(log_to("file:/dev/full"), 0);
	log_setup(LOG_LEVEL_INFO, LOG_TEXT);
	errno = 42;
	log_info(NULL, "lost");
	log_info(NULL, "lost");
	ck_assert_int_eq(errno, 42);
	ck_assert_uint_eq(log_dropped(), before + 2);
	log_reset();
}
END_TEST

static void
write_to_nobody(void)
{
	sigset_t pending;
	int fds[2];

	log_reset();
	if (pipe(fds) < 0 || dup2(fds[1], STDERR_FILENO) < 0)
		_exit(1);
	close(fds[0]);
	signal(SIGPIPE, SIG_DFL);
	log_info(NULL, "nobody reads this");
	if (log_to("stderr") < 0)
		_exit(2);
	log_info(NULL, "nor this");
	sigpending(&pending);
	_exit(log_dropped() == 2 && !sigismember(&pending, SIGPIPE) ? 7 : 3);
}

START_TEST(a_closed_pipe_kills_nobody)
{
	ck_assert_int_eq(child_run(write_to_nobody, -1), 7);
}
END_TEST

static int
logger(const char *at)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(un.sun_path, at, strlen(at) + 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* Receives one datagram: "<PRI>Mmm dd hh:mm:ss " and TEXT. */
static void
ck_syslog(int fd, const char *pri, const char *component, const char *text)
{
	char got[LOG_LINE_MAX];
	ssize_t n = recv(fd, got, sizeof(got), 0);
	struct str s;
	struct buf want;

	ck_assert_int_gt(n, 20);
	s = str_n(got, (size_t)n);
	ck_assert(str_starts(s, str_c(pri)));
	s = str_skip(s, strlen(pri));
	ck_assert_int_eq(s.p[3], ' ');
	ck_assert_int_eq(s.p[6], ' ');
	ck_assert_int_eq(s.p[9], ':');
	ck_assert_int_eq(s.p[15], ' ');
	buf_init(&want, 1000);
	buf_addf(&want, "barid/%s[%d]: %s", component, (int)getpid(), text);
	ck_str(str_skip(s, 16), buf_str(&want));
	buf_free(&want);
}

START_TEST(syslog_lines)
{
	char dir[SCRATCH_SIZE], at[64];
	uint64_t before;
	int fd;

	scratch_begin(dir);
	snprintf(at, sizeof(at), "%s/log", dir);
	snprintf(target, sizeof(target), "syslog:mail@%s", at);
	log_reset();
	log_setup(LOG_LEVEL_INFO, LOG_TEXT);
	log_component("smtpd");
	/* The logger is not there yet: a loss, and no error. */
	ck_assert_int_eq(log_to(target), 0);
	before = log_dropped();
	log_info(NULL, "lost");
	ck_assert_uint_eq(log_dropped(), before + 1);
	fd = logger(at);
	log_info("4R", "one");
	log_warn(NULL, "two");
	ck_syslog(fd, "<22>", "smtpd", "4R: one");
	ck_syslog(fd, "<20>", "smtpd", "warning: two");
	/* It is started anew. */
	close(fd);
	unlink(at);
	fd = logger(at);
	log_as("qmgr", LOG_LEVEL_ERROR, NULL, "three");
	ck_syslog(fd, "<19>", "qmgr", "error: three");
	close(fd);
	scratch_end(dir);
	log_reset();
}
END_TEST

/* The children of one who sees a logger's new socket need not see it. */
START_TEST(syslog_for_children)
{
	char dir[SCRATCH_SIZE], at[64], away[64], got[LOG_LINE_MAX];
	uint64_t before;
	int fd;

	scratch_begin(dir);
	snprintf(at, sizeof(at), "%s/log", dir);
	snprintf(away, sizeof(away), "%s/away", dir);
	snprintf(target, sizeof(target), "syslog:mail@%s", at);
	fd = logger(at);
	log_reset();
	log_setup(LOG_LEVEL_INFO, LOG_TEXT);
	log_component("smtpd");
	ck_assert_int_eq(log_to(target), 0);
	close(fd);
	unlink(at);
	/* Nobody is there for now, and then somebody is. */
	log_before_fork();
	fd = logger(at);
	log_before_fork();
	ck_assert_int_eq(rename(at, away), 0);
	log_info(NULL, "one");
	ck_syslog(fd, "<22>", "smtpd", "one");
	/* It hangs: who comes now does not wait. */
	ck_assert_int_eq(rename(away, at), 0);
	before = log_dropped();
	while (log_dropped() == before)
		log_info(NULL, "more");
	while (recv(fd, got, sizeof(got), 0) > 0)
		;
	log_before_fork();
	log_info(NULL, "two");
	ck_syslog(fd, "<22>", "smtpd", "two");
	close(fd);
	scratch_end(dir);
	log_reset();
}
END_TEST

START_TEST(syslog_json)
{
	char dir[SCRATCH_SIZE], at[64], got[LOG_LINE_MAX];
	ssize_t n;
	int fd;

	scratch_begin(dir);
	snprintf(at, sizeof(at), "%s/log", dir);
	snprintf(target, sizeof(target), "syslog:local7@%s", at);
	fd = logger(at);
	log_reset();
	log_setup(LOG_LEVEL_INFO, LOG_JSON);
	ck_assert_int_eq(log_to(target), 0);
	log_info("4R", "a \"b\"");
	n = recv(fd, got, sizeof(got), 0);
	ck_assert_int_gt(n, 0);
	ck_assert(str_starts(str_n(got, (size_t)n), STR("<190>")));
	ck_assert(str_ends(str_n(got, (size_t)n),
	    STR("\"id\":\"4R\",\"message\":\"a \\\"b\\\"\"}")));
	close(fd);
	scratch_end(dir);
	log_reset();
}
END_TEST

/* One that hangs costs a second once, then nothing; then it is back. */
START_TEST(syslog_that_hangs)
{
	char dir[SCRATCH_SIZE], at[64], got[LOG_LINE_MAX];
	uint64_t before = log_dropped();
	int fd, sent = 0;

	scratch_begin(dir);
	snprintf(at, sizeof(at), "%s/log", dir);
	snprintf(target, sizeof(target), "syslog:mail@%s", at);
	fd = logger(at);
	log_reset();
	log_setup(LOG_LEVEL_INFO, LOG_TEXT);
	ck_assert_int_eq(log_to(target), 0);
	while (log_dropped() == before && sent < 100000) {
		log_info(NULL, "line %d", sent);
		sent++;
	}
	for (int i = 0; i < 1000; i++)
		log_info(NULL, "more");
	ck_assert_uint_eq(log_dropped(), before + 1001);
	while (recv(fd, got, sizeof(got), 0) > 0)
		sent--;
	ck_assert_int_eq(sent, 1);
	log_info(NULL, "back");
	ck_assert_int_gt(recv(fd, got, sizeof(got), 0), 0);
	ck_assert_uint_eq(log_dropped(), before + 1001);
	close(fd);
	scratch_end(dir);
	log_reset();
}
END_TEST

START_TEST(rotation)
{
	char old[84];
	struct buf b;
	struct str s;

	to_file();
	snprintf(old, sizeof(old), "%s.1", path);
	log_info(NULL, "one");
	ck_assert_int_eq(rename(path, old), 0);
	log_info(NULL, "two");
	log_reopen();
	log_info(NULL, "three");
	b = written();
	s = buf_str(&b);
	ck_line(&s, "barid/smtpd", "three");
	ck_str(s, STR(""));
	buf_free(&b);
	memcpy(path, old, strlen(old) + 1);
	b = written();
	s = buf_str(&b);
	ck_line(&s, "barid/smtpd", "one");
	ck_line(&s, "barid/smtpd", "two");
	ck_str(s, STR(""));
	buf_free(&b);
}
END_TEST

START_TEST(rotation_that_fails_keeps_the_old)
{
	char dir[SCRATCH_SIZE], moved[64];
	struct buf b;
	struct str s;

	scratch_begin(dir);
	to_file();
	log_reset();
	unlink(path);
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(target, sizeof(target), "file:%s", path);
	ck_assert_int_eq(log_to(target), 0);
	snprintf(moved, sizeof(moved), "%s.moved", dir);
	ck_assert_int_eq(rename(dir, moved), 0);
	log_reopen();
	log_info(NULL, "still here");
	snprintf(path, sizeof(path), "%s/log", moved);
	b = written();
	s = buf_str(&b);
	ck_assert(str_starts(next_text(&s), STR("barid/smtpd[")));
	ck_line(&s, "barid/smtpd", "still here");
	buf_free(&b);
	scratch_end(moved);
}
END_TEST

static void *
write_many(void *arg)
{
	for (int i = 0; i < 500; i++)
		log_info(arg, "a line of some length, number %d of many", i);
	return NULL;
}

START_TEST(threads_do_not_mix)
{
	static char ids[4][4] = { "A", "BB", "CCC", "D" };
	pthread_t t[4];
	struct buf b;
	struct str s, line;
	size_t lines = 0;

	to_file();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
		    pthread_create(&t[i], NULL, write_many, ids[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	b = written();
	s = buf_str(&b);
	while (s.n > 0) {
		line = next_text(&s);
		ck_assert(str_starts(line, STR("barid/smtpd[")));
		ck_assert(str_ends(line, STR(" of many")));
		lines++;
	}
	ck_assert_uint_eq(lines, 2000);
	buf_free(&b);
}
END_TEST

static void
end_fatally(void)
{
	log_reset();
	fatal(78, "bad %s", "start");
}

static void
end_in_panic(void)
{
	log_reset();
	panic("bug %d", 7);
}

static void
ck_end(void (*fn)(void), int status, const char *text)
{
	char got[1000];
	int fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(child_run(fn, fds[1]), status);
	close(fds[1]);
	n = read(fds[0], got, sizeof(got));
	close(fds[0]);
	ck_assert_int_gt(n, 0);
	ck_assert(str_ends(str_n(got, (size_t)n), str_c(text)));
}

START_TEST(the_ends)
{
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	ck_end(end_fatally, 78, "]: fatal: bad start\n");
	ck_end(end_in_panic, 128 + SIGABRT, "]: panic: bug 7\n");
}
END_TEST

START_TEST(is_a_file)
{
	to_file();
	ck_assert(log_is_file());
	log_reset();
	ck_assert(!log_is_file());
	ck_assert_int_eq(log_to("syslog:mail@/nonexistent"), 0);
	ck_assert(!log_is_file());
	log_reset();
	unlink(path);
}
END_TEST

UNIT_MAIN("lib/log", unknown_targets, targets_that_are_only_looked_at, losses_are_counted,
    a_closed_pipe_kills_nobody, syslog_lines, syslog_for_children, syslog_json, syslog_that_hangs,
    rotation, rotation_that_fails_keeps_the_old, threads_do_not_mix, the_ends, is_a_file)
