/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn -- the life of a connection: from the first host to the last QUIT.
 *
 * A connection belongs to its group.  It goes through the addresses
 * of a choice of its own until one greets it (RFC 5321 5.1: each is given
 * its time), then takes deliveries from the line until there are none.  What
 * says no before any message costs that host, not the mail; only when all
 * hosts say 5xx, and have not taken mail lately, has the domain spoken.  A
 * message that was lost before its text went out is carried to the next host
 * by the same connection.
 */

#include <stdarg.h>

#include "conn.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

/* Of MX hosts, so many are asked of those that put a message off. */
#define PUT_OFF_MX_MAX 2
/* A greeting has RFC 5321's five minutes, unless others wait for the place. */
#define PATIENCE_MS 30000
/* Addresses and outcomes of DELIVERY_RCPT_MAX, and what stands before a text. */
#define TXN_MAX ((size_t)64 << 20)

const struct hop *
conn_hop(const struct conn *c)
{
	return &c->hops[c->hop_at];
}

bool
conn_is_sunk(const struct conn *c)
{
	return c->r->sink.len > 0;
}

void
conn_fail(struct conn *c, const char *status, const char *fmt, ...)
{
	struct result res;
	struct buf words;
	va_list ap;

	buf_init(&words, 2048);
	va_start(ap, fmt);
	buf_vaddf(&words, fmt, ap);
	va_end(ap);
	res = result_words(TEMPFAIL, status, buf_str(&words));
	cause_set(&c->why, &res);
	buf_free(&words);
}

/* ---- the end ------------------------------------------------------------------------ */

static void
unlink_conn(struct conn *c)
{
	conn_session_end(c);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->group->conn_n--;
	slot_give(c->group, c->place);
	*c->all_at = c->all_next;
	if (c->all_next != NULL)
		c->all_next->all_at = c->all_at;
	c->r->conn_n--;
	c->state = CONN_OVER;
	c->all_next = c->r->graves;
	c->r->graves = c;
	/* It is freed, and its place given on, when all have returned. */
	runner_wake(c->r);
}

void
conn_reap(struct runner *r)
{
	while (r->graves != NULL) {
		struct conn *c = r->graves;

		r->graves = c->all_next;
		loop_timer_free(c->timer);
		mem_free(c->hops);
		hosts_free(c->hosts);
		conn_text_free(&c->text);
		conn_split_end(&c->split);
		way_drop(c->way);
		cause_free(&c->why);
		arena_free(&c->txn);
		buf_free(&c->relay);
		buf_free(&c->source);
		mem_free(c);
	}
}

/* Its hosts are strangers, and none of them wants anything to do with us. */
static bool
has_spoken(const struct conn *c)
{
	return c->total == 0 && c->all_refused &&
	    c->group->way->kind == DEST_MX && !group_lives(c->group);
}

void
conn_over(struct conn *c)
{
	struct group *g = c->group;
	/* One that was answered on, or not needed, or ended by us, is no failure. */
	bool bad = !c->answered && !c->quitting && !c->only &&
	    (c->total > 0 || !c->ready);
	struct result *why = &c->why.result;

	/* Smarthosts are our own configuration: mended, it frees the mail. */
	why->outcome = bad && has_spoken(c) ? PERMFAIL : TEMPFAIL;
	/* A host's 5xx that is not the domain's is temporary. */
	if (why->outcome == TEMPFAIL && why->status[0] == '5')
		why->status[0] = '4';
	unlink_conn(c);
	if (c->carry != NULL) {
		struct delivery *v = c->carry;

		c->carry = NULL;
		job_fail(v, why);
	}
	group_closed(g, bad ? why : NULL);
}

/* ---- hosts -------------------------------------------------------------------------- */

/* The domain has spoken, so that no fallback is asked. */
static bool
is_refused(const struct conn *c)
{
	return conn_hop(c)->fallback && c->all_refused;
}

/* Goes through the hops from HOP_AT on until one does not fail at once. */
static void
try_hops(struct conn *c)
{
	for (; c->hop_at < c->hop_n && !is_refused(c); c->hop_at++)
		if (!conn_hop(c)->tried && (conn_waits(c) || conn_connect(c)))
			return;
	conn_over(c);
}

void
conn_next_hop(struct conn *c)
{
	conn_session_end(c);
	c->clear = false;
	c->ignore = 0;
	c->helo = c->renewed = false;
	c->hop_at++;
	try_hops(c);
}

void
conn_same_hop(struct conn *c)
{
	conn_session_end(c);
	try_hops(c);
}

static void
begin(struct conn *c)
{
	struct hop hops[HOP_MAX];

	c->hosts = hosts_hold(c->group->hosts);
	c->hop_n = hosts_choose(c->group, hops);
	c->hop_at = 0;
	c->hops = mem_array(c->hop_n, sizeof(*hops));
	memcpy(c->hops, hops, c->hop_n * sizeof(*hops));
	if (c->hop_n == 0)
		conn_fail(c, "4.4.4", "no address of %s that a source address "
		    "can reach", c->group->name);
	/* No MX host has said anything; or those that could not be found have not. */
	if (c->hop_n == 0 || hops[0].fallback || hosts_unsure(c->hosts))
		c->all_refused = false;
	try_hops(c);
}

static struct conn *
conn_new(struct group *g, struct share_place place)
{
	struct runner *r = g->r;
	struct conn *c = mem_alloc(sizeof(*c));

	c->r = r;
	c->group = g;
	c->fd = -1;
	c->state = CONN_CONNECTING;
	c->all_refused = true;
	c->begun_ms = clock_ms();
	c->way = way_take(g->way);
	c->place = place;
	cause_init(&c->why);
	arena_init(&c->txn, TXN_MAX);
	conn_fail(c, "4.4.0", "no host of %s could be reached", g->name);
	buf_init(&c->relay, 512);
	buf_init(&c->source, 128);
	conn_text_init(&c->text);
	c->next = g->conns;
	c->at = &g->conns;
	if (c->next != NULL)
		c->next->at = &c->next;
	g->conns = c;
	g->conn_n++;
	c->all_next = r->conns;
	c->all_at = &r->conns;
	if (c->all_next != NULL)
		c->all_next->all_at = &c->all_next;
	r->conns = c;
	r->conn_n++;
	return c;
}

/* The next hop of another host than C's, of those that V may still try. */
static size_t
next_host(const struct conn *c, const struct delivery *v)
{
	bool enough = c->group->way->kind == DEST_MX &&
	    v->put_off + 1 >= PUT_OFF_MX_MAX;
	const struct hop *own = conn_hop(c);
	size_t i = c->hop_at + 1;

	while (i < c->hop_n &&
	    (c->hops[i].tried || (enough && !c->hops[i].fallback) ||
		(c->hops[i].server == own->server &&
		    strcmp(c->hops[i].host, own->host) == 0)))
		i++;
	return i;
}

bool
conn_may_pass(const struct conn *c, const struct delivery *v)
{
	return next_host(c, v) < c->hop_n && !c->r->stopping;
}

void
conn_pass(struct conn *c, struct delivery *v)
{
	size_t at = next_host(c, v);
	struct conn *n;

	v->put_off++;
	if (!slot_may_force(c->group)) {
		/* There may be no other connection: this one goes there. */
		c->carry = v;
		c->only = true;
		c->move_to = at;
		return;
	}
	n = conn_new(c->group, slot_force(c->group));
	n->hosts = hosts_hold(c->hosts);
	n->hop_n = c->hop_n - at;
	n->hops = mem_array(n->hop_n, sizeof(*n->hops));
	memcpy(n->hops, &c->hops[at], n->hop_n * sizeof(*n->hops));
	n->carry = v;
	n->only = true;
	n->state = CONN_NEW;
	way_drop(n->way);
	n->way = way_take(c->way);
	n->all_refused = false;
	/* Not from inside: it may be over at once. */
	conn_timer(n, 0);
}

void
conn_open(struct group *g, struct share_place place)
{
	begin(conn_new(g, place));
}

/* ---- sessions ------------------------------------------------------------------------ */

/* The engine ended the session, or the line broke. */
static void
session_over(struct conn *c)
{
	if (c->ready && c->carry == NULL) {
		conn_over(c);
		return;
	}
	if (c->ready) {
		/* It was tired of a used connection: the same host afresh. */
		if (c->messages > 1 || conn_try_again(c)) {
			c->begun_ms = clock_ms();
			conn_same_hop(c);
		} else
			conn_next_hop(c);
		return;
	}
	/* RFC 7435: where TLS is only better than nothing, nothing it is. */
	if (c->tls_failed && !c->clear && conn_tls_level(c) != TLS_REQUIRED &&
	    conn_tls_level(c) != TLS_VERIFIED && !conn_is_implicit(c)) {
		log_info(NULL, "TLS with %s failed: trying without",
		    buf_cstr(&c->relay));
		c->clear = true;
		conn_same_hop(c);
		return;
	}
	if (conn_try_again(c)) {
		conn_same_hop(c);
		return;
	}
	bad_add(c->r, &conn_hop(c)->addr);
	c->all_refused = c->all_refused &&
	    c->why.result.outcome == PERMFAIL;
	conn_next_hop(c);
}

static bool
is_idle(const struct conn *c)
{
	return c->state == CONN_TALKING && c->v == NULL && !c->closed &&
	    client_ready(c->client);
}

/* It takes the next message of its group. */
static bool
is_waiting(const struct conn *c)
{
	return is_idle(c) && !c->quitting && !c->only;
}

static void
became_ready(struct conn *c)
{
	if (conn_hop(c)->tls.tell && c->tls == NULL)
		log_warn(NULL, "MTA-STS policy in testing: %s would not be "
		    "used: there is no TLS", buf_cstr(&c->relay));
	c->ready = true;
	bad_del(c->r, &conn_hop(c)->addr);
	group_ready(c->group);
}

/* From now on: what the server says meanwhile, or what may not go yet, gives no more time. */
static void
rest(struct conn *c)
{
	if (!c->resting)
		c->cap_ms = clock_ms() + c->group->idle_ms;
	c->resting = true;
}

/* Takes its leave here, and goes on to another host. */
static void
move(struct conn *c)
{
	size_t to = c->move_to;

	c->move_to = 0;
	client_quit(c->client);
	conn_flush(c);
	c->hop_at = to - 1;
	conn_next_hop(c);
}

void
conn_settle(struct conn *c)
{
	while (c->state == CONN_TALKING) {
		if (c->ended)
			conn_mail_over(c);
		if (c->closed) {
			session_over(c);
			return;
		}
		if (c->starttls) {
			conn_tls_begin(c);
			return;
		}
		if (c->move_to > 0) {
			move(c);
			return;
		}
		if (!is_idle(c) || c->quitting)
			break;
		if (!c->ready)
			became_ready(c);
		if (slot_owed(c->group, c->place, c->messages) ||
		    !conn_mail_next(c)) {
			/* Others may wait for its place. */
			if (!c->r->stopping && !c->only && !slot_wanted(c->r) &&
			    !slot_owed(c->group, c->place, c->messages) &&
			    !conn_is_spent(c)) {
				rest(c);
				break;
			}
			conn_quit(c);
			continue;
		}
		conn_flush(c);
	}
	if (c->state == CONN_TALKING)
		conn_watch(c);
}

bool
conn_is_idle(const struct group *g)
{
	for (const struct conn *c = g->conns; c != NULL; c = c->next)
		if (is_waiting(c))
			return true;
	return false;
}

bool
conn_wake(struct group *g)
{
	for (struct conn *c = g->conns; c != NULL; c = c->next)
		if (is_waiting(c)) {
			conn_settle(c);
			/* If it still waits, nothing may go now. */
			return !is_waiting(c);
		}
	return false;
}

bool
conn_yield(struct runner *r)
{
	for (struct conn *c = r->conns; c != NULL; c = c->all_next)
		if (is_waiting(c) && c->ready) {
			conn_quit(c);
			conn_settle(c);
			return true;
		}
	return false;
}

void
conn_hurry(struct runner *r, size_t n)
{
	int64_t since = clock_ms() - PATIENCE_MS;
	struct conn *next;

	for (struct conn *c = r->conns; c != NULL && n > 0; c = next) {
		next = c->all_next;
		if (c->state != CONN_TALKING || c->ready || c->talk_ms > since)
			continue;
		conn_fail(c, "4.4.2", "%s takes too long to greet while "
		    "others wait for the connection", buf_cstr(&c->relay));
		c->all_refused = false;
		bad_add(r, &conn_hop(c)->addr);
		conn_next_hop(c);
		n--;
	}
}

void
conn_stop_all(struct runner *r, bool now)
{
	struct conn *next;

	for (struct conn *c = r->conns; c != NULL; c = next) {
		next = c->all_next;
		/* A message under way is given its time. */
		if (!now && c->v != NULL)
			continue;
		if (!now && is_idle(c))
			conn_quit(c);
		unlink_conn(c);
	}
}
