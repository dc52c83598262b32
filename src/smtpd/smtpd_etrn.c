/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_etrn -- ETRN (RFC 1985): a client that was away asks for its mail.
 *
 * The runners try what waits for the domain at once, by the same order as
 * `baridctl flush`; the mail goes where it always goes, and never over this
 * connection.  Each runner is asked, since the queue is divided by message.
 * Only listed clients may (access.etrn), and the runners take no more of it
 * than they can do.
 */

#include "smtpd.h"

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"

/* A queue that is long takes a while to be looked through. */
#define ETRN_MS 30000
#define RUNNERS_MAX 64

/* What one runner has started for the domain: added to *COUNT. */
static bool
await(int fd, int64_t deadline, struct buf *answer, uint64_t *count)
{
	struct msg_control_result r;

	if (fd < 0 || channel_await(fd, deadline, answer) < 0 ||
	    !msg_control_result_get(buf_str(answer), &r) || !r.ok)
		return false;
	*count += r.count;
	return true;
}

/* True if every runner has looked. */
static bool
start(const struct session *s, struct str domain, uint64_t *count)
{
	const struct msg_etrn m = { .domain = domain };
	int64_t deadline = clock_ms() + ETRN_MS;
	size_t n = s->env->runner_n;
	int asked[RUNNERS_MAX];
	struct buf packet, answer;
	bool ok = n > 0 && n <= RUNNERS_MAX;

	buf_init(&packet, FRAME_MAX);
	buf_init(&answer, FRAME_MAX);
	msg_etrn_put(&packet, &m);
	for (size_t i = 0; i < n && n <= RUNNERS_MAX; i++)
		asked[i] = channel_ask(s->env->runners[i], buf_str(&packet),
		    deadline);
	for (size_t i = 0; i < n && n <= RUNNERS_MAX; i++)
		ok = await(asked[i], deadline, &answer, count) && ok;
	buf_free(&packet);
	buf_free(&answer);
	return ok;
}

struct answer
smtpd_etrn(struct session *s, const struct command *c)
{
	uint64_t count = 0;
	bool ok;

	if (s->conf->access.etrn.n == 0)
		return smtpd_unimplemented(s, c);
	if (!session_listed(s, &s->conf->access.etrn)) {
		struct answer a = ANSWER(459, "4.7.1",
		    "You may not start the queue of a node");

		log_reject(s, "ETRN", &a, NULL, NULL);
		return a;
	}
	if (!domain_valid(c->arg))
		return ANSWER(501, "5.5.4", "ETRN takes a domain");
	ok = start(s, c->arg, &count);
	log_info(NULL, "ETRN " STR_FMT " from %s: %llu messages%s",
	    STR_ARG(c->arg), s->client, (unsigned long long)count,
	    ok ? "" : ", and not all could be asked for");
	if (!ok)
		return ANSWER(458, "4.3.0", "The queue cannot be started now");
	if (count == 0)
		return ANSWER(251, "2.0.0", "No messages wait for that node");
	return (struct answer){ .code = 253, .enhanced = "2.0.0",
		.text = str_c(arena_printf(&s->line_arena,
		    "%llu pending messages for node " STR_FMT " started",
		    (unsigned long long)count, STR_ARG(c->arg))) };
}
