/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_extend -- what a client may say of the delivery of its message: not
 * before (RFC 4865), by when (RFC 2852), how urgently (RFC 6710), and only over
 * TLS (RFC 8689).
 *
 * When and how urgently is for who has logged in and for programs of this host
 * to say; of others the first two are refused, and a priority counts as 0,
 * which they are told.  What is said here stands in the envelope, like what a
 * header says (queue/settings.h); the runner does the rest.
 */

#include "smtpd_params.h"

#include "lib/clock.h"
#include "mail/date.h"

#define NOTHING ((struct answer){ .code = 0 })

/* RFC 4865 4: seconds that a message is held at most. */
#define HOLD_MAX (365 * 86400)
/* RFC 2852 4: nine digits. */
#define BY_MAX 999999999

bool
extend_may(const struct session *s)
{
	/* What comes by drop/ is believed as its header is (queue/import.c). */
	if (s->env->to_drop)
		return s->conf->extract_headers;
	return s->user[0] != '\0' || s->local;
}

void
extend_offer(const struct session *s, struct buf *b)
{
	if (s->tls != NULL)
		buf_adds(b, "REQUIRETLS\n");
	buf_adds(b, "MT-PRIORITY\n");
	if (!extend_may(s))
		return;
	buf_addf(b, "FUTURERELEASE %d ", HOLD_MAX);
	date_add_iso(b, clock_wall() + HOLD_MAX);
	buf_adds(b, "\nDELIVERBY\n");
}

static struct answer
not_for_you(void)
{
	return ANSWER(555, "5.5.4", "This parameter needs a login");
}

/* ---- RFC 4865 --------------------------------------------------------------- */

/* RFC 4865 4: one of the two parameters, once. */
static struct answer
hold(struct session *s, int64_t until_us)
{
	if (s->txn.held)
		return ANSWER(501, "5.5.4", "HOLDFOR and HOLDUNTIL are one");
	s->txn.held = true;
	/* What is over needs no wait. */
	if (until_us > clock_wall_us())
		s->txn.env.not_before_us = until_us;
	return NOTHING;
}

struct answer
extend_holdfor(struct session *s, void *of, struct str value)
{
	uint64_t n;

	(void)of;
	if (!extend_may(s))
		return not_for_you();
	if (str_u64(value, HOLD_MAX, &n) < 0 || n == 0)
		return ANSWER(501, "5.5.4",
		    "HOLDFOR is a number of seconds within a year");
	return hold(s, clock_wall_us() + (int64_t)n * 1000000);
}

struct answer
extend_holduntil(struct session *s, void *of, struct str value)
{
	int64_t t = date_parse_iso(value);

	(void)of;
	if (!extend_may(s))
		return not_for_you();
	/* RFC 3339 5.6: with its zone. */
	if (t < 0 || value.n < sizeof("2026-12-31T12:00:00Z") - 1 ||
	    t > clock_wall() + HOLD_MAX)
		return ANSWER(501, "5.5.4", "HOLDUNTIL is a time within a year, "
		    "as 2026-12-31T12:00:00Z");
	return hold(s, t * 1000000);
}

/* ---- RFC 2852 --------------------------------------------------------------- */

/* by-time = ["-" / "+"] 1*9digit */
static bool
by_time(struct str s, int64_t *seconds)
{
	bool minus = str_starts(s, STR("-"));
	uint64_t n;

	if (minus || str_starts(s, STR("+")))
		s = str_skip(s, 1);
	if (s.n > 9 || str_u64(s, BY_MAX, &n) < 0)
		return false;
	*seconds = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

struct answer
extend_by(struct session *s, void *of, struct str value)
{
	struct envelope *e = &s->txn.env;
	struct str when, mode;
	int64_t seconds;

	(void)of;
	if (!extend_may(s))
		return not_for_you();
	if (!str_cut(value, ';', &when, &mode) || !by_time(when, &seconds))
		return ANSWER(501, "5.5.4", "BY is as in BY=3600;R");
	e->by_trace = mode.n == 2 && (mode.p[1] == 'T' || mode.p[1] == 't');
	if (e->by_trace)
		mode = str_head(mode, 1);
	if (str_ieq(mode, STR("R")))
		e->by_mode = BY_RETURN;
	else if (str_ieq(mode, STR("N")))
		e->by_mode = BY_NOTIFY;
	else
		return ANSWER(501, "5.5.4",
		    "Behind the time of BY stands N or R, and T");
	/* RFC 2852 4: what is over already could only be returned. */
	if (e->by_mode == BY_RETURN && seconds <= 0)
		return ANSWER(501, "5.5.4", "The time of BY is over already");
	e->by_us = clock_wall_us() + seconds * 1000000;
	if (e->by_us < 0)
		e->by_us = 0;
	if (e->by_mode == BY_RETURN)
		e->deadline_us = e->by_us;
	return NOTHING;
}

/* ---- RFC 6710 --------------------------------------------------------------- */

struct answer
extend_priority(struct session *s, void *of, struct str value)
{
	bool low = str_starts(value, STR("-"));
	uint64_t n;
	int priority;

	(void)of;
	if (low)
		value = str_skip(value, 1);
	if (value.n != 1 || str_u64(value, ENVELOPE_PRIORITY_MAX, &n) < 0)
		return ANSWER(501, "5.5.4",
		    "MT-PRIORITY is a number from -9 to 9");
	priority = low ? -(int)n : (int)n;
	s->txn.env.priority = extend_may(s) ? priority : 0;
	s->txn.adjusted = s->txn.env.priority != priority;
	return NOTHING;
}

/* ---- RFC 8689 --------------------------------------------------------------- */

struct answer
extend_requiretls(struct session *s, void *of, struct str value)
{
	(void)of;
	(void)value;
	if (s->tls == NULL)
		return ANSWER(530, "5.7.10", "REQUIRETLS needs TLS");
	s->txn.env.tls_wish = TLS_WISH_REQUIRED;
	return NOTHING;
}

struct answer
extend_check(struct session *s)
{
	const struct envelope *e = &s->txn.env;

	/* Both may have been said in seconds from now. */
	if (e->deadline_us != 0 &&
	    e->not_before_us + 1000000 > e->deadline_us)
		return ANSWER(501, "5.5.4",
		    "The time of BY is before the message may be sent");
	return NOTHING;
}
