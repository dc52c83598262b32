/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_io -- all reading from and writing to the client.
 *
 * Answers are kept until no whole line is waiting, so that a pipelined group
 * costs one write (RFC 2920 3.2).  Each request for input has one deadline
 * as a whole.  A request to stop ends a wait for a command at once.
 */

#include "smtpd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "mail/limits.h"
#include "mail/reply.h"

#define SLICE_MS 2000
/* Nobody's farewell is worth more time. */
#define FAREWELL_MS 5000
#define LINGER_MS 1000
#define LINGER_MAX 262144

bool
session_hurried(const struct session *s)
{
	struct client_facts f;

	if (!s->env->crowded)
		return false;
	f = session_facts(s);
	return !access_may_relay(s->conf, &f);
}

int64_t
session_timeout(const struct session *s)
{
	int64_t ms = s->conf->limits.timeout;

	return ms > HURRIED_MS && session_hurried(s) ? HURRIED_MS : ms;
}

int64_t
session_deadline(const struct session *s)
{
	return clock_ms() + session_timeout(s);
}

bool
session_stopping(const struct session *s)
{
	return s->env->stop != NULL && *s->env->stop != 0;
}

void
session_delay(struct session *s, int64_t ms)
{
	int64_t end = clock_ms() + ms;

	if (ms > 0)
		session_flush(s);
	/* Not one sleep: a request to stop should not wait for it. */
	for (; ms > 0 && !session_stopping(s); ms = end - clock_ms())
		(void)poll(NULL, 0, ms < 500 ? (int)ms : 500);
}

void
session_answer(struct session *s, const struct answer *a)
{
	if (a->code == 0)
		return;
	buf_reset(&s->out);
	reply_add(&s->out, a->code, a->enhanced, a->text);
	if (s->wrote == STREAM_OK)
		s->wrote = stream_put(s->stream, buf_str(&s->out),
		    session_deadline(s));
}

void
session_flush(struct session *s)
{
	if (s->wrote == STREAM_OK)
		s->wrote = stream_flush(s->stream, session_deadline(s));
}

/* True if a whole line was read already: the next read will not wait. */
static bool
line_waits(struct session *s)
{
	struct str bytes;

	return stream_pending(s->stream) > 0 &&
	    stream_fill(s->stream, 0, &bytes) == STREAM_OK &&
	    str_find(bytes, '\n') >= 0;
}

/*
 * While a command is waited for, a request to stop ends the wait at once: it
 * shuts the socket down for reading, which is seen as the end of the input.
 * The order matters: noted first, looked at second, no request is missed.
 */
static enum stream_result
wait_begin(const struct session *s)
{
	if (s->env->idle_fd != NULL)
		*s->env->idle_fd = s->fd;
	return session_stopping(s) ? STREAM_TIMEOUT : STREAM_OK;
}

static enum stream_result
wait_end(const struct session *s, enum stream_result r)
{
	if (s->env->idle_fd != NULL)
		*s->env->idle_fd = -1;
	return r == STREAM_EOF && session_stopping(s) ? STREAM_TIMEOUT : r;
}

enum stream_result
session_fill(struct session *s, int64_t deadline, struct str *bytes)
{
	if (stream_pending(s->stream) == 0)
		session_flush(s);
	/* Who does not take our answers is not heard either. */
	if (s->wrote != STREAM_OK)
		return s->wrote;
	return stream_fill(s->stream, deadline, bytes);
}

enum stream_result
session_peek(struct session *s, struct str *bytes)
{
	int64_t deadline = session_deadline(s);
	enum stream_result r;

	session_flush(s);
	if (s->wrote != STREAM_OK)
		return s->wrote;
	r = wait_begin(s);
	if (r == STREAM_OK)
		r = stream_fill(s->stream, deadline, bytes);
	return wait_end(s, r);
}

enum stream_result
session_early(struct session *s, int64_t ms, struct str *bytes)
{
	enum stream_result r = wait_begin(s);

	if (r == STREAM_OK)
		r = stream_fill(s->stream, ms > 0 ? clock_ms() + ms : 0, bytes);
	return wait_end(s, r);
}

enum stream_result
session_line(struct session *s, size_t max, struct str *line)
{
	int64_t deadline = session_deadline(s);
	enum stream_result r;

	if (!line_waits(s))
		session_flush(s);
	if (s->wrote != STREAM_OK)
		return s->wrote;
	r = wait_begin(s);
	if (r == STREAM_OK)
		r = stream_line(s->stream, max, deadline, line);
	return wait_end(s, r);
}

struct answer
session_gone(struct session *s, enum stream_result r)
{
	const char *what = "lost connection";

	if (r == STREAM_TIMEOUT) {
		struct answer a = session_stopping(s) ?
		    ANSWER(421, "4.3.2", "The service is going down") :
		    ANSWER(421, "4.4.2", "Nothing was heard for too long");

		what = session_stopping(s) ? "shutdown" : "timeout";
		session_answer(s, &a);
		if (s->wrote == STREAM_OK)
			s->wrote = stream_flush(s->stream,
			    clock_ms() + FAREWELL_MS);
	} else if (r == STREAM_ERROR && s->stream->error != ECONNRESET &&
	    s->stream->error != EPIPE) {
		log_info(NULL, "%s after %s from %s: %s", what, s->last,
		    s->client, strerror(s->stream->error));
		return (struct answer){ .then = THEN_GONE };
	}
	log_info(NULL, "%s after %s from %s", what, s->last, s->client);
	return (struct answer){ .then = THEN_GONE };
}

/*
 * A socket that is closed with input unread takes the last answer back from
 * the client (TCP resets it).  So what is still coming is thrown away, for a
 * moment.  Not by shutdown(), which would end a channel that all share, too.
 */
void
session_linger(struct session *s)
{
	int64_t end = clock_ms() + LINGER_MS;
	size_t left = LINGER_MAX;

	if (s->fd < 0)
		return;
	tls_free(s->tls);
	s->tls = NULL;
	for (;;) {
		struct pollfd p = { .fd = s->fd, .events = POLLIN };
		int64_t wait = end - clock_ms();
		char waste[4096];
		ssize_t n;

		if (wait <= 0 || left < sizeof(waste) ||
		    poll(&p, 1, (int)wait) <= 0)
			return;
		n = recv(s->fd, waste, sizeof(waste), MSG_DONTWAIT);
		if (n <= 0)
			return;
		left -= (size_t)n;
	}
}

void
session_score(struct session *s, enum score_state state)
{
	if (s->env->slot != NULL)
		atomic_store_explicit(&s->env->slot->state, (int)state,
		    memory_order_relaxed);
}

void
session_count(struct session *s, enum score_counter c)
{
	if (s->env->score != NULL)
		score_add(s->env->score, c, 1);
}
