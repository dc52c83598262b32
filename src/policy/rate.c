/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * rate -- how much mail somebody may hand in in a time.
 *
 * N in a time PER: all of it may come at once, and from then on one in each
 * PER/N (the generic cell rate algorithm of ipc/tally.h).  Who has been quiet
 * for PER has all of it again.
 */

#include "policy/rate.h"

#include "lib/clock.h"
#include "policy/recipient.h"

/* What the two counts of a limit are told apart by in their table. */
enum { SALT_MESSAGES = 1, SALT_RECIPIENTS = 2 };

static const enum score_tally tables[RATE_KINDS] = {
	[RATE_CLIENT] = TALLY_CLIENT,
	[RATE_USER] = TALLY_USER,
	[RATE_SENDER] = TALLY_SENDER,
	[RATE_RECIPIENT] = TALLY_RECIPIENT,
	[RATE_ALL] = TALLY_ALL,
};

static uint64_t
key_of_path(const struct score *s, enum score_tally t, const struct path *p)
{
	return score_key_str(s, t, p->local) ^ score_key_str(s, t, p->domain) * 31;
}

/* What is counted under in KIND; 0: nothing is. */
static uint64_t
key_of(const struct conf *c, const struct score *s, int kind, const struct rate_facts *f,
    const struct path *to)
{
	enum score_tally t = tables[kind];

	switch ((enum conf_rate_kind)kind) {
	case RATE_CLIENT:
		if (addr_octets(f->peer) == NULL || access_listed(&c->access.relay, f->peer))
			return 0;
		return score_key(s, t, addr_key(f->peer));
	case RATE_USER:
		return f->user.n > 0 ? score_key_str(s, t, f->user) : 0;
	case RATE_SENDER:
		return path_is_null(f->from) ? 0 : key_of_path(s, t, f->from);
	case RATE_RECIPIENT:
		return to != NULL ? key_of_path(s, t, to) : 0;
	case RATE_ALL:
		return score_key(s, t, 1);
	case RATE_KINDS:
		break;
	}
	return 0;
}

/* How many there may be of what is counted now; 0: as many as there are. */
static uint64_t
most(const struct conf_rate *r, const struct path *to)
{
	/* A recipient gets messages. */
	if (r->kind == RATE_RECIPIENT)
		return to != NULL ? r->messages : 0;
	return to != NULL ? r->recipients : r->messages;
}

/* By what name a person knows whom is counted. */
static void
add_name(struct buf *b, int kind, const struct rate_facts *f, const struct path *to)
{
	switch ((enum conf_rate_kind)kind) {
	case RATE_CLIENT:
		addr_add(b, f->peer);
		break;
	case RATE_USER:
		buf_add(b, f->user);
		break;
	case RATE_SENDER:
		path_add(b, f->from);
		break;
	case RATE_RECIPIENT:
		path_add(b, to);
		break;
	case RATE_ALL:
	case RATE_KINDS:
		break;
	}
}

/* Whoever has used half of it or more has a name for who looks. */
static void
note_leader(struct score *s, int kind, const struct rate_facts *f, const struct path *to,
    int64_t level, int64_t now)
{
	struct buf name;

	buf_init(&name, 4096);
	add_name(&name, kind, f, to);
	if (buf_ok(&name) && name.n > 0)
		leader_note(score_leader(s, tables[kind]), buf_str(&name), now + level);
	buf_free(&name);
}

static bool
take(const struct conf *c, struct score *s, const struct conf_rate *r,
    const struct rate_facts *f, const struct path *to)
{
	uint64_t n = most(r, to), key = key_of(c, s, r->kind, f, to);
	int64_t per = r->per * 1000, now = clock_ms() * 1000, cost, level;
	struct tally *t = score_tally(s, tables[r->kind]);
	bool ok;

	if (n == 0 || key == 0)
		return true;
	key = tally_key(key, to != NULL ? SALT_RECIPIENTS : SALT_MESSAGES, r->kind);
	cost = per / (int64_t)n;
	ok = tally_take(t, key, now, cost > 0 ? cost : 1, per);
	level = tally_level(t, key, now);
	if (level >= per / 2)
		note_leader(s, r->kind, f, to, level, now);
	return ok;
}

static const struct conf_rate *
take_all(const struct conf *c, struct score *s, const struct rate_facts *f,
    const struct path *to)
{
	if (s == NULL)
		return NULL;
	for (int kind = 0; kind < RATE_KINDS; kind++)
		for (size_t i = 0; i < c->limits.rate_n; i++) {
			const struct conf_rate *r = &c->limits.rates[i];
			if (r->kind == kind && !take(c, s, r, f, to))
				return r;
		}
	return NULL;
}

const struct conf_rate *
rate_message(const struct conf *c, struct score *s, const struct rate_facts *f)
{
	return take_all(c, s, f, NULL);
}

const struct conf_rate *
rate_recipient(const struct conf *c, struct score *s, const struct rate_facts *f,
    const struct path *to)
{
	return take_all(c, s, f, to);
}

unsigned
rate_used(struct score *s, const struct conf_rate *r)
{
	int64_t per = r->per * 1000;
	int64_t level = tally_most(score_tally(s, tables[r->kind]), clock_ms() * 1000);

	/* A level is a time that passes: rounded, it is what it was. */
	return level >= per ? 100 : (unsigned)((level * 100 + per / 2) / per);
}

void
rate_leader(struct score *s, const struct conf_rate *r, struct buf *b)
{
	char name[LEADER_NAME_MAX + 1];

	if (rate_used(s, r) >= 50 &&
	    leader_get(score_leader(s, tables[r->kind]), clock_ms() * 1000, name))
		buf_adds(b, name);
}
