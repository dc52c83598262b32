/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_access -- orders of baridctl that concern clients: who is blocked,
 * and which services take them.
 *
 * They are carried out in the child that was forked for the request; what it
 * changes is shared memory, where the master sees it at the next connection.
 */

#include "control.h"

#include <errno.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/blocklist.h"

static void
list_blocks(const struct master *m, int fd)
{
	int64_t now = clock_ms();
	uint64_t count = 0;
	struct block block;
	struct buf b;

	buf_init(&b, FRAME_MAX / 2);
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		if (!blocks_at(score_blocks(m->score), i, now, &block))
			continue;
		count++;
		ip_range_add(&b, &block.net);
		buf_addf(&b, " %lld %s %s\n", block.until_ms == INT64_MAX ? -1LL :
		    (long long)(block.until_ms - now + 999) / 1000,
		    block.by_hand ? "manual" : "automatic", block.why);
		if (control_put_much(fd, &b) < 0)
			break;
	}
	msg_control_answer(fd, true, count, buf_str(&b));
	buf_free(&b);
}

/* What C asks for; false, and it was answered: C asks for nothing that there is. */
static bool
read_block(int fd, const struct msg_control *c, struct block *b)
{
	int64_t now = clock_ms(), left;
	const char *wrong;
	struct buf text;

	*b = (struct block){ .by_hand = true, .until_ms = INT64_MAX };
	wrong = ip_range_parse(c->domain, &b->net);
	left = c->at < INT64_MAX / 1000 ? (int64_t)c->at - clock_wall() : 0;
	if (!wrong && c->op == CONTROL_BLOCK && c->at > 0 && left <= 0)
		wrong = "would be over before it begins";
	if (!wrong && (str_has_ctl(c->reason) || c->reason.n > BLOCK_WHY_MAX))
		wrong = "needs a reason of one line, and no longer";
	if (wrong) {
		buf_init(&text, 1024);
		buf_addf(&text, STR_FMT " %s\n", STR_ARG(str_head(c->domain, 100)), wrong);
		msg_control_answer(fd, false, 0, buf_str(&text));
		buf_free(&text);
		return false;
	}
	if (c->at > 0)
		b->until_ms = now + left * 1000;
	memcpy(b->why, c->reason.p, c->reason.n);
	return true;
}

/* ERR: of blocked_change(). */
static void
say_why_not(const struct master *m, const struct msg_control *c, int err, struct buf *text)
{
	if (err == ESRCH)
		buf_addf(text, STR_FMT " is not blocked\n", STR_ARG(str_head(c->domain, 100)));
	else if (err == E2BIG)
		buf_addf(text, "there is no room for more than %d blocks\n", BLOCKS_MAX);
	else
		buf_addf(text, "%s/blocks.lock: %s: nothing was changed\n", m->conf->spool,
		    strerror(err));
}

static void
change(const struct master *m, int fd, const struct msg_control *c)
{
	bool remove = c->op == CONTROL_UNBLOCK;
	struct block b;
	struct buf text;

	if (!read_block(fd, c, &b))
		return;
	buf_init(&text, 1024);
	enum blocked done = blocked_change(m, &b, remove);
	int err = errno;
	if (done == BLOCKED_NOT)
		say_why_not(m, c, err, &text);
	else
		log_info(NULL, "control: " STR_FMT " is %s%s%s", STR_ARG(c->domain),
		    remove ? "not blocked any more" : "blocked", c->reason.n > 0 ? ": " : "",
		    b.why);
	if (done == BLOCKED_FOR_NOW)
		buf_addf(&text, "%s/blocks: %s: it is %s, but only until the next restart\n",
		    m->conf->spool, strerror(err), remove ? "not blocked any more" : "blocked");
	msg_control_answer(fd, done == BLOCKED_KEPT, done == BLOCKED_KEPT, buf_str(&text));
	buf_free(&text);
}

/* FEATURES C5: for AT seconds, or until they are told to begin again. */
static void
suspend_lists(const struct master *m, int fd, const struct msg_control *c)
{
	int64_t seconds = c->at > INT32_MAX ? INT32_MAX : (int64_t)c->at;
	int64_t until = c->states != 1 ? 0 :
	    seconds == 0	       ? INT64_MAX :
					 clock_ms() + seconds * 1000;

	score_suspend_lists(m->score, until);
	if (until == 0)
		log_info(NULL, "control: lists in DNS are asked");
	else if (until == INT64_MAX)
		log_info(NULL, "control: no lists in DNS are asked");
	else
		log_info(NULL, "control: no lists in DNS are asked for %lld s",
		    (long long)seconds);
	msg_control_answer(fd, true, 1, STR(""));
}

/* FEATURES L16. */
static void
turn_service(const struct master *m, int fd, const struct msg_control *c)
{
	static const char *const names[] = { [SERVICE_SMTP] = "smtp",
		[SERVICE_SUBMISSION] = "submission", [SERVICE_POP3] = "pop3" };

	if (str_eq(c->domain, STR("dnsbl"))) {
		suspend_lists(m, fd, c);
		return;
	}
	for (int i = 0; i < (int)ARRAY_LEN(names); i++) {
		if (!str_eq(c->domain, str_c(names[i])))
			continue;
		score_turn_off(m->score, i, c->states == 1);
		log_info(NULL, "control: %s takes %s", names[i],
		    c->states == 1 ? "no new clients" : "clients again");
		msg_control_answer(fd, true, 1, STR(""));
		return;
	}
	msg_control_answer(fd, false, 0, STR("there is no such service\n"));
}

bool
control_access(const struct master *m, int fd, const struct msg_control *c, bool trusted)
{
	if (c->op != CONTROL_BLOCK && c->op != CONTROL_UNBLOCK && c->op != CONTROL_BLOCKS &&
	    c->op != CONTROL_SERVICE)
		return false;
	if (!trusted)
		msg_control_answer(fd, false, 0, STR("only root and the mail user may do that\n"));
	else if (c->op == CONTROL_BLOCKS)
		list_blocks(m, fd);
	else if (c->op == CONTROL_SERVICE)
		turn_service(m, fd, c);
	else
		change(m, fd, c);
	return true;
}
