/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * guess -- what wrong passwords and unknown recipients cost.
 *
 * The counts are in the scoreboard, where SMTP and POP3 find the same ones.
 * Each costs a part of the time in which all that lead to a block are
 * forgotten; so a level, divided by that part, is a number of guesses.
 */

#include "policy/guess.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/blocklist.h"
#include "policy/recipient.h"

#define HOUR_US (3600 * INT64_C(1000000))
/* Where nobody is blocked they are forgotten as if it were so many. */
#define FAILURES_USUAL 10
/* Of an unknown recipient. */
#define MARK_US (30 * INT64_C(1000000))
#define MARKS_MOST 6
#define TARPIT_MOST_MS 5000
/* More make no difference. */
#define FAILURES_MOST 1000

int64_t
guess_delay(const struct conf_auth *a, uint64_t failures)
{
	if (failures == 0)
		return 0;
	return failures > 3 ? a->failure_delay * 15 / 2 : a->failure_delay << (failures - 1);
}

/* The time in which one guess is forgotten, in microseconds. */
static int64_t
cost_of(const struct conf_auth *a)
{
	int64_t n = a->failures_to_block > 0 ? (int64_t)a->failures_to_block : FAILURES_USUAL;
	int64_t whole = a->block_time * 1000 > HOUR_US ? a->block_time * 1000 : HOUR_US;

	return whole / n > 0 ? whole / n : 1;
}

/* Counts one more; how many there are. */
static uint64_t
count(const struct conf_auth *a, struct score *s, enum score_tally which, uint64_t key)
{
	int64_t cost = cost_of(a), most = FAILURES_MOST;

	if (a->failures_to_block > FAILURES_MOST)
		most = (int64_t)a->failures_to_block;
	int64_t level = tally_add(score_tally(s, which), key, clock_ms() * 1000, cost, most * cost);
	return (uint64_t)((level + cost - 1) / cost);
}

/* The address is blocked, and when it comes again it begins anew. */
static void
block(const struct conf *c, struct score *s, const struct addr *peer, uint64_t key)
{
	static const struct str why = { "too many wrong passwords", 24 };
	int64_t now = clock_ms();
	struct block b = { .until_ms = now + c->auth.block_time };
	struct buf name;

	if (!blocklist_net_of(peer, &b.net))
		return;
	memcpy(b.why, why.p, why.n);
	buf_init(&name, 128);
	addr_add(&name, peer);
	if (blocks_add(score_blocks(s), &b, now))
		log_warn(NULL, "unknown[%s]: too many wrong passwords: blocked for %lld s",
		    buf_cstr(&name), (long long)c->auth.block_time / 1000);
	else
		log_warn(NULL, "unknown[%s]: too many wrong passwords, but there is no room "
		    "for one more block", buf_cstr(&name));
	buf_free(&name);
	tally_clear(score_tally(s, TALLY_GUESS_ADDRESS), key);
}

struct guess
guess_wrong(const struct conf *c, struct score *s, const struct addr *peer, struct str user,
    unsigned in_session)
{
	const struct conf_auth *a = &c->auth;
	uint64_t most = in_session, n, key;
	bool blocked = false;

	if (s == NULL || access_listed(&c->access.relay, peer))
		return (struct guess){ .delay_ms = guess_delay(a, most) };
	n = count(a, s, TALLY_GUESS_USER, score_key_str(s, TALLY_GUESS_USER, user));
	most = n > most ? n : most;
	if (addr_octets(peer) != NULL) {
		key = score_key(s, TALLY_GUESS_ADDRESS, addr_key(peer));
		n = count(a, s, TALLY_GUESS_ADDRESS, key);
		most = n > most ? n : most;
		blocked = a->failures_to_block > 0 && n >= a->failures_to_block;
		if (blocked)
			block(c, s, peer, key);
	}
	return (struct guess){ .delay_ms = guess_delay(a, most), .blocked = blocked };
}

int64_t
guess_recipient(const struct conf *c, struct score *s, const struct addr *peer)
{
	int64_t delay = c->limits.tarpit_delay, level, marks;

	if (s == NULL || delay == 0 || addr_octets(peer) == NULL ||
	    addr_is_loopback(peer) || access_listed(&c->access.relay, peer))
		return 0;
	level = tally_add(score_tally(s, TALLY_TARPIT), score_key(s, TALLY_TARPIT, addr_key(peer)),
	    clock_ms() * 1000, MARK_US, MARKS_MOST * MARK_US);
	marks = (level + MARK_US - 1) / MARK_US;
	return marks * delay < TARPIT_MOST_MS ? marks * delay : TARPIT_MOST_MS;
}

bool
guess_is_blocked(const struct conf *c, struct score *s, const struct addr *peer)
{
	struct block b;

	return s != NULL && !access_listed(&c->access.relay, peer) &&
	    blocklist_has(score_blocks(s), peer, &b);
}
