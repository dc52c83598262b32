/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * log -- lines to syslog, files and standard error.
 *
 * A line is formatted and escaped on the stack and leaves in one call, so
 * threads and processes never mix theirs, and nothing is allocated: out of
 * memory can be logged.  The syslog socket is written by hand and not by
 * syslog(3), which waits for ever for a logger that hangs and reports no
 * loss: here the first line waits a second, the next ones not at all until
 * one gets through.  Targets, level and component are set while the process
 * has one thread; only the writers run in several.
 */

#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "fmt.h"
#include "lib/clock.h"
#include "lib/proc.h"
#include "log_line.h"

#define TARGETS_MAX 8
/*
 * Most lines are no longer than these.  A session writes few of another kind,
 * and each page of its stack that it does not come to need not be copied.
 */
#define SHORT_TEXT 256
#define SHORT_LINE 1280
/* So long the master may take to find a logger that was restarted. */
#define ASK_MS 20

enum kind { TO_STDERR, TO_FILE, TO_SYSLOG };

struct target {
	enum kind kind;
	int fd;
	int facility;
	bool pipe;		/* a write can raise SIGPIPE */
	atomic_bool stuck;	/* the last datagram was not taken in time */
	char path[108];		/* of the file or the socket */
};

static struct target targets[TARGETS_MAX];
static size_t target_n;
static enum log_level max_level = LOG_LEVEL_INFO;
static enum log_format format = LOG_TEXT;
static SESSION_WRITES char component_name[32];
static char host_name[64];
static _Atomic uint64_t dropped;
static int ask_fd = -1;
static bool has_asked;

static const struct {
	const char *word, *prefix;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "error: ", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", "warning: ", LOG_WARNING },
	[LOG_LEVEL_INFO] = { "info", "", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", "", LOG_DEBUG },
};

static bool
write_fd(int fd, const struct log_line *l)
{
	ssize_t r;

	do
		r = write(fd, l->p, l->n);
	while (r < 0 && errno == EINTR);
	return r == (ssize_t)l->n;
}

/* Writes where nobody may be reading: SIGPIPE must not end the process. */
static bool
write_pipe(int fd, const struct log_line *l)
{
	const struct timespec now = { 0, 0 };
	sigset_t pipe_set, old, pending;
	bool was_pending, ok;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	ok = write_fd(fd, l);
	if (!ok && !was_pending)
		sigtimedwait(&pipe_set, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

static int
syslog_socket(const char *path)
{
	const struct timeval second = { 1, 0 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	memcpy(to.sun_path, path, strlen(path) + 1);
	/* The logger may come later: an unconnected socket is kept. */
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != ENOENT && errno != ECONNREFUSED) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* A logger that was restarted has a new socket under the old name. */
static bool
syslog_connect(const struct target *t)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, t->path, strlen(t->path) + 1);
	return connect(t->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* True if it is worth another try. */
static bool
ask_for_logger(void)
{
	const struct timespec moment = { 0, ASK_MS * 1000000 };
	const uint64_t one = 1;

	if (ask_fd < 0 || write(ask_fd, &one, sizeof(one)) < 0)
		return false;
	/* Where there is no logger, not with each line. */
	if (!has_asked)
		(void)nanosleep(&moment, NULL);
	has_asked = true;
	return true;
}

static bool
syslog_again(const struct target *t)
{
	if (errno != ENOTCONN && errno != ECONNREFUSED && errno != EDESTADDRREQ)
		return false;
	return syslog_connect(t) || ask_for_logger();
}

static bool
write_syslog(struct target *t, const struct log_line *l)
{
	int flags = MSG_NOSIGNAL | (t->stuck ? MSG_DONTWAIT : 0);
	ssize_t r;

	do
		r = send(t->fd, l->p, l->n, flags);
	while (r < 0 && errno == EINTR);
	if (r < 0 && syslog_again(t))
		r = send(t->fd, l->p, l->n, flags);
	t->stuck = r < 0 && errno == EAGAIN;
	return r == (ssize_t)l->n;
}

void
log_before_fork(void)
{
	for (size_t i = 0; i < target_n; i++) {
		struct target *t = &targets[i];
		struct pollfd p = { .fd = t->fd, .events = POLLOUT };

		if (t->kind != TO_SYSLOG)
			continue;
		if (ask_fd < 0)
			(void)syslog_connect(t);
		t->stuck = poll(&p, 1, 0) == 0;
	}
}

int
log_syslog_fd(size_t i)
{
	return i < target_n && targets[i].kind == TO_SYSLOG ? targets[i].fd : -1;
}

void
log_use_syslog_fd(size_t i, int fd)
{
	if (log_syslog_fd(i) >= 0)
		(void)dup3(fd, targets[i].fd, O_CLOEXEC);
}

void
log_ask_by(int fd)
{
	ask_fd = fd;
}

static bool
can_sigpipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* "@cee:" would need a parser; the object is the message. */
static void
wrap_json(struct log_line *l, const struct log_event *e, int facility)
{
	struct log_event wrapped = *e;
	char space[LOG_LINE_MAX];
	struct log_line json = { .p = space, .max = sizeof(space) - 128 };

	log_line_json(&json, e);
	wrapped.id = NULL;
	wrapped.prefix = "";
	wrapped.text = str_n(json.p, json.n - 1);
	log_line_syslog(l, &wrapped, facility);
}

static void
emit_line(struct target *t, const struct log_event *e, struct log_line *l)
{
	bool ok;

	if (t->kind == TO_SYSLOG && format == LOG_TEXT)
		log_line_syslog(l, e, t->facility);
	else if (t->kind == TO_SYSLOG)
		wrap_json(l, e, t->facility);
	else if (format == LOG_JSON)
		log_line_json(l, e);
	else
		log_line_text(l, e);
	if (t->kind == TO_SYSLOG)
		ok = write_syslog(t, l);
	else
		ok = t->pipe ? write_pipe(t->fd, l) : write_fd(t->fd, l);
	if (!ok)
		atomic_fetch_add(&dropped, 1);
}

/* Whether the line is sure to fit in SHORT_LINE, with all escaped. */
static bool
is_short(const struct log_event *e)
{
	size_t n = e->text.n + strlen(e->host) + strlen(e->component) +
	    (e->id != NULL ? strlen(e->id) : 0);

	/* Stamp, process, prefix and the end have less than 128. */
	return format == LOG_TEXT && 4 * n + 128 <= SHORT_LINE;
}

/* Apart, so that short lines need little of the stack. */
static NOINLINE void
emit_long(struct target *t, const struct log_event *e)
{
	char space[LOG_LINE_MAX];

	emit_line(t, e, &(struct log_line){ .p = space, .max = sizeof(space) });
}

static void
emit(struct target *t, const struct log_event *e)
{
	char space[SHORT_LINE];

	if (is_short(e))
		emit_line(t, e,
		    &(struct log_line){ .p = space, .max = sizeof(space) });
	else
		emit_long(t, e);
}

static void
find_host(void)
{
	char name[256];
	struct str host, rest;

	if (gethostname(name, sizeof(name)) < 0)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0';
	str_cut(str_c(name), '.', &host, &rest);
	if (host.n == 0)
		host = STR("localhost");
	host = str_head(host, sizeof(host_name) - 1);
	memcpy(host_name, host.p, host.n);
	host_name[host.n] = '\0';
	/* Reads the zone's file while it can be reached. */
	tzset();
}

static void
put_text(struct log_event *e, struct str text)
{
	if (host_name[0] == '\0')
		find_host();
	if (e->component == NULL)
		e->component = component_name;
	e->text = text;
	e->host = host_name;
	e->at = clock_wall_us();
	if (target_n == 0) {
		struct target t = { .kind = TO_STDERR, .fd = STDERR_FILENO,
			.pipe = can_sigpipe(STDERR_FILENO) };

		emit(&t, e);
	}
	for (size_t i = 0; i < target_n; i++)
		emit(&targets[i], e);
}

PRINTF(2, 0) static NOINLINE void
put_long(struct log_event *e, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX];

	fmt_put(text, sizeof(text), fmt, ap);
	put_text(e, str_c(text));
}

PRINTF(2, 0) static void
put(struct log_event *e, const char *fmt, va_list ap)
{
	char text[SHORT_TEXT];
	int saved = errno, n;
	va_list again;

	va_copy(again, ap);
	n = fmt_put(text, sizeof(text), fmt, ap);
	if (n < 0)
		put_text(e, STR("(bad format)"));
	else if ((size_t)n < sizeof(text))
		put_text(e, str_n(text, (size_t)n));
	else
		put_long(e, fmt, again);
	va_end(again);
	errno = saved;
}

PRINTF(4, 0) static void
put_level(const char *component, enum log_level level, const char *id,
    const char *fmt, va_list ap)
{
	struct log_event e = { .component = component,
		.word = levels[level].word,
		.prefix = levels[level].prefix,
		.priority = levels[level].priority,
		.id = id };

	if (level <= max_level)
		put(&e, fmt, ap);
}

static int
facility_of(struct str name)
{
	static const struct {
		struct str name;
		int facility;
	} known[] = {
		{ { "mail", 4 }, LOG_MAIL },
		{ { "daemon", 6 }, LOG_DAEMON },
		{ { "user", 4 }, LOG_USER },
		{ { "auth", 4 }, LOG_AUTH },
		{ { "local0", 6 }, LOG_LOCAL0 },
		{ { "local1", 6 }, LOG_LOCAL1 },
		{ { "local2", 6 }, LOG_LOCAL2 },
		{ { "local3", 6 }, LOG_LOCAL3 },
		{ { "local4", 6 }, LOG_LOCAL4 },
		{ { "local5", 6 }, LOG_LOCAL5 },
		{ { "local6", 6 }, LOG_LOCAL6 },
		{ { "local7", 6 }, LOG_LOCAL7 },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (str_ieq(known[i].name, name))
			return known[i].facility;
	}
	return -1;
}

static int
open_file(const char *path, int more)
{
	return open(path,
	    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | more, 0640);
}

static int
set_path(struct target *t, struct str path)
{
	if (path.n == 0 || path.n >= sizeof(t->path)) {
		errno = path.n == 0 ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	memcpy(t->path, path.p, path.n);
	t->path[path.n] = '\0';
	return 0;
}

/* "FACILITY" or "FACILITY@SOCKET". */
static int
open_syslog(struct target *t, struct str spec)
{
	struct str name, path;

	if (!str_cut(spec, '@', &name, &path))
		path = STR("/dev/log");
	t->kind = TO_SYSLOG;
	t->facility = facility_of(name);
	if (t->facility < 0) {
		errno = EINVAL;
		return -1;
	}
	if (set_path(t, path) < 0)
		return -1;
	t->fd = syslog_socket(t->path);
	return t->fd < 0 ? -1 : 0;
}

/* MORE: flags for a file, besides those that all have. */
static int
open_target(struct target *t, struct str spec, int more)
{
	if (str_eq(spec, STR("stderr"))) {
		t->kind = TO_STDERR;
		t->fd = STDERR_FILENO;
	} else if (str_starts(spec, STR("syslog:"))) {
		return open_syslog(t, str_skip(spec, 7));
	} else if (str_starts(spec, STR("file:"))) {
		t->kind = TO_FILE;
		if (set_path(t, str_skip(spec, 5)) < 0)
			return -1;
		t->fd = open_file(t->path, more);
		if (t->fd < 0)
			return -1;
	} else {
		errno = EINVAL;
		return -1;
	}
	t->pipe = can_sigpipe(t->fd);
	return 0;
}

int
log_to(const char *target)
{
	struct target *t = &targets[target_n];

	find_host();
	if (target_n == TARGETS_MAX) {
		errno = EINVAL;
		return -1;
	}
	memset(t, 0, sizeof(*t));
	if (open_target(t, str_c(target), O_CREAT) < 0)
		return -1;
	target_n++;
	return 0;
}

/* 0 if a file could be made at PATH; else -1 and errno. */
static int
probe_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return access(".", W_OK | X_OK);
	slash[slash == path] = '\0';
	return access(path, W_OK | X_OK);
}

int
log_probe(const char *target)
{
	struct target t = { .fd = -1 };

	/* A pipe that nobody reads is said to be one, and not waited for. */
	if (open_target(&t, str_c(target), O_NONBLOCK) < 0)
		return t.kind == TO_FILE && errno == ENOENT ?
		    probe_parent(t.path) : -1;
	if (t.kind != TO_STDERR)
		close(t.fd);
	return 0;
}

void
log_reset(void)
{
	while (target_n > 0) {
		const struct target *t = &targets[--target_n];

		if (t->kind != TO_STDERR)
			close(t->fd);
	}
}

void
log_reopen(void)
{
	for (size_t i = 0; i < target_n; i++) {
		struct target *t = &targets[i];
		int fd;

		if (t->kind != TO_FILE)
			continue;
		fd = open_file(t->path, O_CREAT);
		if (fd < 0) {
			log_warn(NULL, "cannot open the log %s again: %s",
			    t->path, strerror(errno));
			continue;
		}
		/* In one step: another thread may be writing. */
		if (dup3(fd, t->fd, O_CLOEXEC) >= 0)
			t->pipe = can_sigpipe(fd);
		close(fd);
	}
}

bool
log_is_file(void)
{
	struct stat st;

	for (size_t i = 0; i < target_n; i++)
		if (targets[i].kind != TO_SYSLOG &&
		    fstat(targets[i].fd, &st) == 0 && S_ISREG(st.st_mode))
			return true;
	return false;
}

void
log_setup(enum log_level level, enum log_format how)
{
	find_host();
	max_level = level;
	format = how;
}

enum log_level
log_level(void)
{
	return max_level;
}

void
log_component(const char *name)
{
	struct str s = str_head(str_c(name), sizeof(component_name) - 1);

	memcpy(component_name, s.p, s.n);
	component_name[s.n] = '\0';
}

uint64_t
log_dropped(void)
{
	return atomic_load(&dropped);
}

#define LOG_BODY(component, level, id, fmt)                         \
	do {                                                        \
		va_list ap;                                         \
                                                                    \
		va_start(ap, fmt);                                  \
		put_level((component), (level), (id), (fmt), ap);   \
		va_end(ap);                                         \
	} while (0)

void
log_error(const char *id, const char *fmt, ...)
{
	LOG_BODY(NULL, LOG_LEVEL_ERROR, id, fmt);
}

void
log_warn(const char *id, const char *fmt, ...)
{
	LOG_BODY(NULL, LOG_LEVEL_WARNING, id, fmt);
}

void
log_info(const char *id, const char *fmt, ...)
{
	LOG_BODY(NULL, LOG_LEVEL_INFO, id, fmt);
}

void
log_debug(const char *id, const char *fmt, ...)
{
	LOG_BODY(NULL, LOG_LEVEL_DEBUG, id, fmt);
}

void
log_as(const char *component, enum log_level level, const char *id,
    const char *fmt, ...)
{
	LOG_BODY(component, level, id, fmt);
}

void
log_lines(enum log_level level, const char *what, struct str text)
{
	struct str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		log_as(NULL, level, NULL, "%s" STR_FMT, what, STR_ARG(line));
	}
}

void
fatal(int code, const char *fmt, ...)
{
	struct log_event e = { .word = "fatal", .prefix = "fatal: ",
		.priority = LOG_CRIT };
	va_list ap;

	va_start(ap, fmt);
	put(&e, fmt, ap);
	va_end(ap);
	/* A tool's output so far is of use; exit handlers are not. */
	fflush(stdout);
	proc_child_exit(code);
}

void
panic(const char *fmt, ...)
{
	struct log_event e = { .word = "panic", .prefix = "panic: ",
		.priority = LOG_CRIT };
	va_list ap;

	va_start(ap, fmt);
	put(&e, fmt, ap);
	va_end(ap);
	abort();
}
