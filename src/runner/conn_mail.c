/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_mail -- messages over a connection, and what becomes of them.
 *
 * Every recipient's outcome comes from the engine.  Those that were lost
 * with the connection before the text was sent may still be tried: on a
 * fresh connection if this one had been used before (the server was tired
 * of it), else at the next host.  Those that the host put off (4xx) go to
 * the next one as well, on a connection of their own, while this one goes on
 * (RFC 5321 5.1: in order, until a delivery succeeds).  A connection that
 * breaks behind the text leaves doubt: that waits for the next attempt.
 */

#include "conn.h"
#include "lib/clock.h"
#include "lib/idn.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "queue/remap.h"
#include "token.h"
#include "wish.h"

/* What a server is logged in to with; a secrets file is read into it. */
#define LOGIN_MAX ((size_t)16 << 20)

/* The whole transaction: the sum of RFC 5321's times, and 500 octets a second. */
#define TRANSACTION_MS 2400000
#define OCTETS_PER_MS_INVERSE 2

/* ---- events: only noted ------------------------------------------------------------- */

static void
on_starttls(void *arg)
{
	struct conn *c = arg;

	c->starttls = true;
}

static void
on_ready(void *arg)
{
	/* conn_settle() asks client_ready(). */
	(void)arg;
}

/* The session's TLS, and how much of it was asked for: for the journal. */
static struct str
tls_facts(const struct conn *c, struct arena *a)
{
	static const char *const levels[] = { [TLS_OFF] = "off",
		[TLS_MAY] = "may", [TLS_REQUIRED] = "required",
		[TLS_VERIFIED] = "verified", [TLS_DANE] = "dane" };

	if (c->tls == NULL)
		return STR("");
	return str_c(arena_printf(a, "%s %s %s", tls_version(c->tls),
	    tls_cipher(c->tls), levels[conn_tls_level(c)]));
}

/* RFC 5321 4.5.3.1.10: 452, or 552 of old, may not be about the recipient. */
static bool
is_too_many(enum outcome o, enum client_step step, const struct reply *r)
{
	return o == TEMPFAIL && step == STEP_RCPT &&
	    (r->code == 452 || r->code == 552) &&
	    (r->enhanced[0] == '\0' || strcmp(r->enhanced + 1, ".5.3") == 0);
}

static void
on_rcpt(void *arg, size_t i, enum outcome o, enum client_step step,
    const struct reply *r, bool relayed_dsn)
{
	struct conn *c = arg;
	struct delivery *v = c->v;
	struct result *res;

	if (v == NULL || i >= v->n)
		panic("an outcome for nobody");
	res = &v->results[i];
	*res = result_reply(&c->txn, str_c(conn_hop(c)->host),
	    buf_str(&c->relay), o, step, r);
	res->relayed_dsn = relayed_dsn;
	res->by_ends = wish_by_ends(&v->job->file.env,
	    client_extensions(c->client));
	res->too_many = is_too_many(o, step, r);
	res->tls = tls_facts(c, &c->txn);
	res->source = arena_str(&c->txn, buf_str(&c->source));
	c->answered = c->answered || (r->code != 0 && r->code != 421);
	/* What was lost behind the text may have been taken. */
	res->elsewhere = o == TEMPFAIL &&
	    (r->code != 0 || step == STEP_RSET || step == STEP_MAIL ||
		step == STEP_RCPT || step == STEP_DATA);
	/* It was not ended by us. */
	if (c->text.stopped && o == TEMPFAIL)
		res->elsewhere = true;
}

static void
on_end(void *arg)
{
	struct conn *c = arg;

	c->ended = true;
}

static void
on_close(void *arg, enum outcome o, enum client_step step,
    const struct reply *r)
{
	struct conn *c = arg;
	struct result res;
	struct arena a;

	c->closed = true;
	c->broke = step == STEP_EHLO && r->code == 0 && c->may_helo &&
	    client_lost(c->client) &&
	    (c->tls == NULL || conn_is_implicit(c));
	c->stale = step == STEP_AUTH && r->code == 535 && !c->renewed &&
	    token_is_given(conn_hop(c)->server);
	if (o == DELIVERED)
		return;
	arena_init(&a, 8192);
	res = result_reply(&a, str_c(conn_hop(c)->host), buf_str(&c->relay),
	    o, step, r);
	cause_set(&c->why, &res);
	arena_free(&a);
}

struct client *
conn_client_new(struct conn *c)
{
	static const struct client_events events = { .on_starttls = on_starttls,
		.on_ready = on_ready, .on_rcpt = on_rcpt, .on_end = on_end,
		.on_close = on_close };
	const struct conf_server *s = conn_hop(c)->server;
	int level = conn_tls_level(c);
	struct client *client = NULL;
	struct arena secrets;
	struct client_options o = { .ehlo_name = conn_ehlo(c),
		.lmtp = s != NULL && s->protocol == PROTOCOL_LMTP &&
		    !conn_is_sunk(c),
		.helo = c->helo,
		.ignore = c->ignore | c->group->ignore |
		    (c->group->no_chunking ? EXT_CHUNKING : 0U),
		.tls = level == TLS_OFF || c->clear    ? CLIENT_TLS_OFF :
		    level == TLS_REQUIRED ||
			    level == TLS_VERIFIED ? CLIENT_TLS_REQUIRED :
						    CLIENT_TLS_MAY,
		.tls_already = c->tls != NULL };

	arena_init(&secrets, LOGIN_MAX);
	if (conn_login(c, &o, &secrets)) {
		/* HELO has neither TLS nor AUTH. */
		c->may_helo = o.tls != CLIENT_TLS_REQUIRED && o.user == NULL;
		client = client_new(&o, &events, c);
	}
	arena_wipe(&secrets);
	return client;
}

/* ---- sending ------------------------------------------------------------------------ */

/*
 * RFC 6531 3.2: a host without SMTPUTF8 gets no address that needs it.  A
 * domain has a form in ASCII (RFC 5890 2.3.2.1); a local part has none.
 */
static struct path
path_for(struct conn *c, const struct path *p)
{
	struct path ascii = *p;
	struct buf b;

	if ((client_extensions(c->client) & EXT_SMTPUTF8) != 0 ||
	    !str_has_8bit(p->domain) || str_has_8bit(p->local))
		return ascii;
	buf_init(&b, 1024);
	if (idn_add(&b, p->domain) == NULL && buf_ok(&b))
		ascii.domain = arena_str(&c->txn, buf_str(&b));
	buf_free(&b);
	return ascii;
}

/* The same of an address that may be another for hosts than it is here. */
static struct path
path_sent(struct conn *c, unsigned what, const struct path *p)
{
	struct remap r = { .conf = c->r->conf, .at = REWRITE_AT_SEND,
		.listener = c->v->job->file.env.listener };
	struct path to = *p;

	(void)remap_path(&r, what, &c->txn, &to);
	return path_for(c, &to);
}

static void
fill_message(struct conn *c, struct delivery *v)
{
	const struct envelope *e = &v->job->file.env;
	struct client_rcpt *rcpts = arena_alloc(&c->txn, v->n * sizeof(*rcpts));

	for (size_t i = 0; i < v->n; i++)
		rcpts[i] = (struct client_rcpt){
			.path = path_sent(c, REWRITE_ENVELOPE_RECIPIENT,
			    &v->paths[i]),
			.notify = e->rcpts[v->rcpts[i]].notify,
			.orcpt = e->rcpts[v->rcpts[i]].orcpt };
	v->message = (struct client_message){
		.from = path_sent(c, REWRITE_ENVELOPE_SENDER,
		    v->from != NULL ? v->from : &e->from),
		.rcpts = rcpts,
		.rcpt_n = v->n,
		.ret = e->ret,
		.envid = e->envid,
		.auth = e->auth,
		.priority = e->priority,
		.only_deliverby = e->by_mode == BY_RETURN,
		.requiretls = e->tls_wish == TLS_WISH_REQUIRED,
		.only_requiretls = c->way->requiretls,
		.read = conn_text_read };
	wish_by(e, clock_wall_us(), v->message.by, sizeof(v->message.by));
	conn_text_fit(c, &v->message);
}

/*
 * The next delivery, or what of it may go in this session; NULL: there is none.
 * What it may not have passes again when another one takes it.
 */
static struct delivery *
next_delivery(struct conn *c)
{
	struct delivery *v = c->carry, *taken = NULL;

	c->carry = NULL;
	if (v == NULL && !c->only)
		v = taken = group_take(c->group);
	if (v == NULL || conn_split(c, v))
		return v;
	if (taken != NULL)
		spare_undo(c->group);
	return NULL;
}

bool
conn_mail_next(struct conn *c)
{
	struct delivery *v;

	if (c->r->stopping || conn_is_spent(c) || (v = next_delivery(c)) == NULL)
		return false;
	c->v = v;
	arena_reset(&c->txn);
	c->resting = false;
	c->messages++;
	c->total++;
	c->sent_ms = clock_ms();
	/* The first pays for the connection. */
	v->begun_ms = c->messages == 1 ? c->begun_ms : c->sent_ms;
	fill_message(c, v);
	c->cap_ms = c->sent_ms + TRANSACTION_MS +
	    (int64_t)(v->message.size * OCTETS_PER_MS_INVERSE);
	client_send(c->client, &v->message);
	return true;
}

/* ---- outcomes ----------------------------------------------------------------------- */

/* The first message was lost, and what the server offers may be why (N-09). */
static bool
may_ignore(const struct conn *c)
{
	return c->ignore == 0 && c->messages == 1 &&
	    (client_extensions(c->client) &
		(EXT_PIPELINING | EXT_CHUNKING)) != 0;
}

bool
conn_try_again(struct conn *c)
{
	if (c->text.stopped)
		return true;
	if (c->stale) {
		/* It may have ended before its time: once more, with another. */
		token_refused(c->r, conn_hop(c)->server);
		c->renewed = true;
		return true;
	}
	if (!c->ready) {
		if (!c->broke || c->helo)
			return false;
		c->helo = true;
		return true;
	}
	if (!may_ignore(c))
		return false;
	c->ignore = EXT_PIPELINING | EXT_CHUNKING;
	return true;
}

/* True if what is left of V is given another chance at once. */
static bool
may_retry(const struct conn *c)
{
	if (!c->closed || c->r->stopping)
		return false;
	return c->messages > 1 || c->text.stopped || may_ignore(c) ||
	    c->hop_at + 1 < c->hop_n;
}

static bool
any_delivered(const struct delivery *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->results[i].outcome == DELIVERED)
			return true;
	return false;
}

void
conn_mail_over(struct conn *c)
{
	struct delivery *v = c->v;
	struct delays d = job_delays(v->job, v->begun_ms, c->sent_ms);
	bool pass = !c->closed && conn_may_pass(c, v);
	bool retry = pass || may_retry(c), worked = false;
	size_t left = 0;

	/* What it did not survive is not tried again here. */
	if (c->closed && c->messages > 1 && v->message.chunk &&
	    !v->results[0].remote)
		c->group->no_chunking = true;
	c->ended = false;
	c->v = NULL;
	/* Each transaction takes some of them: they will not go round for ever. */
	if (!c->closed && !c->r->stopping && any_delivered(v))
		conn_split_many(v);
	conn_text_end(&c->text);
	for (size_t i = 0; i < v->n; i++) {
		const struct result *res = &v->results[i];

		worked = worked || res->outcome == DELIVERED;
		if (!retry || !res->elsewhere) {
			job_result(v->job, v->rcpts[i], res, &d);
			continue;
		}
		v->rcpts[left] = v->rcpts[i];
		v->paths[left++] = v->paths[i];
	}
	if (worked)
		group_worked(c->group);
	if (left == 0) {
		job_delivered(v->job);
		return;
	}
	v->n = left;
	if (pass)
		conn_pass(c, v);
	else
		c->carry = v;
}
