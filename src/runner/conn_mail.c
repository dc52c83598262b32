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

#include <errno.h>
#include <unistd.h>

#include "conn.h"
#include "lib/clock.h"
#include "lib/log.h"

/* The whole transaction: the sum of RFC 5321's times, and 500 octets a second. */
#define TRANSACTION_MS 2400000
#define OCTETS_PER_MS_INVERSE 2
#define SCAN_CHUNK 16384

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
	*res = result_reply(&v->job->arena, str_c(conn_hop(c)->host),
	    buf_str(&c->relay), o, step, r);
	res->relayed_dsn = relayed_dsn;
	/* What was lost behind the text may have been taken. */
	res->elsewhere = o == TEMPFAIL &&
	    (r->code != 0 || step == STEP_RSET || step == STEP_MAIL ||
		step == STEP_RCPT || step == STEP_DATA);
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
	if (o == DELIVERED)
		return;
	arena_init(&a, 8192);
	res = result_reply(&a, str_c(conn_hop(c)->host), buf_str(&c->relay),
	    o, step, r);
	cause_set(&c->why, &res);
	arena_free(&a);
}

static ssize_t
on_read(void *arg, uint64_t at, char *p, size_t n)
{
	const struct conn *c = arg;
	const struct queue_file *f = &c->v->job->file;
	ssize_t got;

	if (at >= f->size)
		return 0;
	if (n > f->size - at)
		n = (size_t)(f->size - at);
	do
		got = pread(f->fd, p, n, f->text_at + (off_t)at);
	while (got < 0 && errno == EINTR);
	return got;
}

struct client *
conn_client_new(struct conn *c)
{
	static const struct client_events events = { .on_starttls = on_starttls,
		.on_ready = on_ready, .on_rcpt = on_rcpt, .on_end = on_end,
		.on_close = on_close };
	const struct conf_server *s = conn_hop(c)->server;
	int level = conn_tls_level(c);
	struct client_options o = { .ehlo_name = conn_ehlo(c),
		.lmtp = s != NULL && s->protocol == PROTOCOL_LMTP,
		.ignore = c->ignore,
		.tls = level == TLS_OFF || c->clear    ? CLIENT_TLS_OFF :
		    level == TLS_REQUIRED ||
			    level == TLS_VERIFIED ? CLIENT_TLS_REQUIRED :
						    CLIENT_TLS_MAY,
		.tls_already = c->tls != NULL };

	if (s != NULL && s->user[0] != '\0') {
		o.user = s->user;
		o.password = s->password;
		/* Whoever writes tls = "off" beside a password means it. */
		o.auth_in_clear = level == TLS_OFF;
	}
	return client_new(&o, &events, c);
}

/* ---- sending ------------------------------------------------------------------------ */

/* True if the text has octets above 127. */
static bool
has_8bit(const struct queue_file *f)
{
	char p[SCAN_CHUNK];
	uint64_t at = 0;

	while (at < f->size) {
		ssize_t n = pread(f->fd, p, sizeof(p), f->text_at + (off_t)at);

		if (n <= 0)
			break;
		if ((uint64_t)n > f->size - at)
			n = (ssize_t)(f->size - at);
		if (str_has_8bit(str_n(p, (size_t)n)))
			return true;
		at += (uint64_t)n;
	}
	return false;
}

/* What is said of the text; a peer without 8BITMIME makes it worth a look. */
static bool
is_8bit(const struct conn *c, const struct queue_file *f)
{
	if (f->env.body == BODY_7BIT)
		return false;
	if ((client_extensions(c->client) & EXT_8BITMIME) != 0)
		return true;
	return has_8bit(f);
}

static void
fill_message(struct conn *c, struct delivery *v)
{
	const struct envelope *e = &v->job->file.env;

	if (v->client_rcpts == NULL)
		v->client_rcpts = arena_alloc(&v->job->arena,
		    v->n * sizeof(*v->client_rcpts));
	for (size_t i = 0; i < v->n; i++)
		v->client_rcpts[i] = (struct client_rcpt){
			.path = v->paths[i],
			.notify = e->rcpts[v->rcpts[i]].notify,
			.orcpt = e->rcpts[v->rcpts[i]].orcpt };
	v->message = (struct client_message){ .from = e->from,
		.rcpts = v->client_rcpts,
		.rcpt_n = v->n,
		.size = v->job->file.size,
		.eight_bit = is_8bit(c, &v->job->file),
		.smtputf8 = e->smtputf8,
		.ret = e->ret,
		.envid = e->envid,
		.read = on_read };
}

bool
conn_mail_next(struct conn *c)
{
	struct delivery *v = c->carry;

	if (c->r->stopping ||
	    c->messages >= c->r->conf->queue.per_connection)
		return false;
	c->carry = NULL;
	if (v == NULL && !c->only)
		v = dest_take(c->dest);
	if (v == NULL)
		return false;
	c->v = v;
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

bool
conn_may_ignore(const struct conn *c)
{
	return c->ignore == 0 && c->messages == 1 &&
	    (client_extensions(c->client) & EXT_PIPELINING) != 0;
}

/* True if what is left of V is given another chance at once. */
static bool
may_retry(const struct conn *c)
{
	if (!c->closed || c->r->stopping)
		return false;
	return c->messages > 1 || conn_may_ignore(c) ||
	    c->hop_at + 1 < c->hop_n;
}

void
conn_mail_over(struct conn *c)
{
	struct delivery *v = c->v;
	struct delays d = job_delays(v->job, v->begun_ms, c->sent_ms);
	bool pass = !c->closed && conn_may_pass(c, v);
	bool retry = pass || may_retry(c), worked = false;
	size_t left = 0;

	c->ended = false;
	c->v = NULL;
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
		dest_worked(c->dest);
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
