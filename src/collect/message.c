/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * message -- a message that was fetched, on its way into the spool.
 *
 * It comes in as what it is: mail of strangers, by the way of a mailbox that is
 * ours.  So it is not signed, may not steer its delivery, what is rewritten in
 * strangers' mail is rewritten in it, and what claims to be found by our checks is
 * taken out.  Its sender is the Return-Path that the
 * other server wrote; nobody there is told if it cannot be delivered here
 * (envelope_tells_nobody()), for that would be backscatter.
 *
 * It is staged (queue/stage.h), then remembered, then accepted, and deleted at
 * the server after that.
 */

#include "collect.h"

#include <errno.h>

#include "check/result.h"
#include "lib/clock.h"
#include "lib/digest.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/limits.h"
#include "mail/path.h"
#include "policy/recipient.h"
#include "queue/archive.h"
#include "queue/remap.h"
#include "queue/stage.h"

#define ARENA_MAX_OCTETS (ENVELOPE_ARENA * 2)
#define RECEIVED_MAX 4096
/* As often may one come by the same mailbox: somebody may have sent it on by hand. */
#define TIMES_MAX 3

struct message {
	struct collector *k;
	const char *mark;	/* empty: that of its text */
	struct arena arena;
	struct envelope env;
	struct envelope_rcpt rcpt;
	struct buf head;	/* until its header has ended */
	struct queue_msg *msg;	/* from then on */
	struct sha256 *sum;	/* of its text, if that is its mark */
	uint64_t octets;
	const char *why;	/* it is refused; NULL: it is not */
	int error;		/* errno; 0: none */
};

struct message *
message_begin(struct collector *k, const char *mark)
{
	struct message *m = mem_alloc(sizeof(*m));

	m->k = k;
	m->mark = mark;
	arena_init(&m->arena, ARENA_MAX_OCTETS);
	buf_init(&m->head, 4 * MAIL_HEADER_MAX);
	if (mark[0] == '\0')
		m->sum = sha256_new();
	return m;
}

void
message_abort(struct message *m)
{
	queue_abort(m->msg);
	sha256_free(m->sum);
	buf_free(&m->head);
	arena_free(&m->arena);
	mem_free(m);
}

/* ---- whose it is ------------------------------------------------------------------- */

/* The address that the first field NAME has; false: it has none. */
static bool
address_in(struct message *m, const char *name, unsigned flags, struct path *p)
{
	struct field f;
	struct str value;

	if (!header_find(buf_str(&m->head), str_c(name), &f))
		return false;
	value = field_unfold(&m->arena, &f);
	return path_parse(value, flags | PATH_NO_ANGLE, &m->arena, p, NULL) == NULL;
}

static bool
is_ours(const struct collector *k, struct arena *a, const struct path *p)
{
	const struct mail_facts facts = { .arena = a, .listener = STR(CONF_LISTEN_COLLECT) };
	enum target_kind kind;

	if (!conf_is_local(k->conf, p->domain))
		return false;
	kind = target_of(k->conf, k->users, &facts, p).kind;
	return kind != TARGET_UNKNOWN && kind != TARGET_ERROR &&
	    kind != TARGET_NO_ROUTE;
}

/*
 * Only the uppermost field counts, which the last server wrote: what stands below
 * may be the sender's.
 */
static struct path
recipient(struct message *m)
{
	const char *name = m->k->of->by_header;
	struct path p;

	if (name[0] != '\0' && address_in(m, name, 0, &p) && is_ours(m->k, &m->arena, &p))
		return p;
	return m->k->to;
}

/* ---- what is wrong with it --------------------------------------------------------- */

/* Fields Received in all, and those that a run of this section has put there. */
static void
count_hops(struct message *m, uint64_t *all, unsigned *own)
{
	const char *mark = arena_printf(&m->arena, "(collect %s)", m->k->of->name);
	const char *by = arena_printf(&m->arena, "by %s (barid) with POP3", m->k->conf->hostname);
	struct str rest = buf_str(&m->head);
	struct field f;

	*all = *own = 0;
	while (field_next(&rest, &f) == 1) {
		struct arena a;

		if (!str_ieq(f.name, STR("Received")))
			continue;
		++*all;
		arena_init(&a, 8 * MAIL_HEADER_MAX);
		const char *value = arena_cstr(&a, field_unfold(&a, &f));
		*own += strstr(value, mark) != NULL && strstr(value, by) != NULL;
		arena_free(&a);
	}
}

static const char *
why_not(struct message *m)
{
	uint64_t all;
	unsigned own;

	if (!buf_ok(&m->head) || m->head.n > MAIL_HEADER_MAX)
		return "its header is too large";
	count_hops(m, &all, &own);
	if (all > m->k->conf->limits.received_hops)
		return "it has too many hops: it goes in circles";
	return own >= TIMES_MAX ? "it came by this mailbox before: it goes in circles" : NULL;
}

/* ---- what it becomes ----------------------------------------------------------------- */

static void
fill_envelope(struct message *m)
{
	struct envelope *e = &m->env;

	m->rcpt = (struct envelope_rcpt){ .state = RCPT_QUEUED, .path = recipient(m) };
	*e = (struct envelope){ .arrival_us = clock_wall_us(),
		.client = buf_str(&m->k->client), .proto = STR("POP3"),
		.listener = STR(CONF_LISTEN_COLLECT), .tls = buf_str(&m->k->facts),
		.rcpts = &m->rcpt, .rcpt_n = 1 };
	queue_id_new(e->id);
	/* What is none is as good as <>. */
	if (!address_in(m, "Return-Path", PATH_NULL, &e->from))
		e->from = (struct path){ .local = STR("") };
}

static void
add_received(const struct message *m, struct buf *b)
{
	const struct collector *k = m->k;

	buf_addf(b, "Received: from " STR_FMT " (collect %s)\r\n", STR_ARG(buf_str(&k->from)),
	    k->of->name);
	if (k->facts.n > 0)
		buf_addf(b, "\t(using " STR_FMT ")\r\n", STR_ARG(buf_str(&k->facts)));
	buf_addf(b, "\tby %s (barid) with POP3 id %s\r\n\tfor <", k->conf->hostname, m->env.id);
	path_add(b, &m->rcpt.path);
	buf_adds(b, ">;\r\n\t");
	date_add(b, m->env.arrival_us / 1000000);
	buf_adds(b, "\r\n");
}

/* The header as it was, or with addresses made others. */
static int
write_head(struct message *m)
{
	const struct remap r = { .conf = m->k->conf, .at = REWRITE_AT_RECEIVE,
		.listener = STR(CONF_LISTEN_COLLECT), .stranger = true };
	struct str rest = buf_str(&m->head);
	struct field f;
	struct buf b;
	size_t was;
	int result;

	buf_init(&b, RECEIVED_MAX);
	add_received(m, &b);
	/* Else the first lines of the body would be taken for header. */
	if (field_next(&rest, &f) < 0)
		buf_adds(&b, "\r\n");
	result = buf_ok(&b) ? queue_write(m->msg, buf_str(&b)) : -1;
	buf_free(&b);
	buf_init(&b, 8 * MAIL_HEADER_MAX);
	was = remap_header(&r, buf_str(&m->head), &b);
	if (was > 0 && buf_ok(&b) && result == 0)
		result = queue_write(m->msg, buf_str(&b));
	else
		was = 0;
	buf_free(&b);
	if (result == 0)
		result = queue_write(m->msg, str_skip(buf_str(&m->head), was));
	return result;
}

/* header_strip(): of a collector. */
static bool
is_claimed(void *arg, const struct field *f)
{
	const struct collector *k = arg;

	return result_is_ours(f, &k->conf->check);
}

/* RFC 8601 5: nothing that a stranger wrote is said in our name. */
static void
strip_head(struct message *m)
{
	struct str text = buf_str(&m->head);
	struct field f;
	struct buf rest;

	/* What begins with a line that is no field has no header. */
	if (field_next(&text, &f) != 1)
		return;
	buf_init(&rest, m->head.max);
	if (header_strip(&rest, buf_str(&m->head), is_claimed, m->k) > 0) {
		buf_free(&m->head);
		m->head = rest;
	} else {
		buf_free(&rest);
	}
}

/* The header is there: decides, and begins.  False: m->error. */
static bool
begin(struct message *m)
{
	const struct remap r = { .conf = m->k->conf, .at = REWRITE_AT_RECEIVE,
		.listener = STR(CONF_LISTEN_COLLECT), .stranger = true };

	if ((m->why = why_not(m)) != NULL)
		return true;
	strip_head(m);
	fill_envelope(m);
	remap_all(&r, &m->arena, &m->env);
	archive_add(m->k->conf, &m->arena, &m->env);
	m->msg = queue_begin(m->k->queue, &m->env, false);
	if (m->msg == NULL || write_head(m) < 0)
		m->error = errno;
	return m->error == 0;
}

/* True if HEAD has all of the header, or more than one may have. */
static bool
has_header(const struct message *m, size_t new)
{
	const struct buf *h = &m->head;
	size_t from = h->n > new + 3 ? h->n - new - 3 : 0;

	return !buf_ok(h) || h->n > MAIL_HEADER_MAX ||
	    str_starts(buf_str(h), STR("\r\n")) ||
	    memmem(h->p + from, h->n - from, "\r\n\r\n", 4) != NULL;
}

bool
message_add(void *arg, struct str piece)
{
	struct message *m = arg;

	m->octets += piece.n;
	if (m->sum != NULL)
		sha256_add(m->sum, piece);
	if (m->why != NULL)
		return true;
	if (m->msg != NULL) {
		if (queue_write(m->msg, piece) < 0)
			m->error = errno;
		return m->error == 0;
	}
	buf_add(&m->head, piece);
	return !has_header(m, piece.n) || begin(m);
}

/* ---- the end ------------------------------------------------------------------------- */

/* Its mark, in MARK.  False: there is none (OpenSSL has no SHA-256). */
static bool
find_mark(struct message *m, char mark[SEEN_MARK_LEN + 1])
{
	unsigned char sum[SHA256_SIZE];

	if (m->sum == NULL) {
		memcpy(mark, m->mark, SEEN_MARK_LEN + 1);
		return true;
	}
	return sha256_end(m->sum, sum) == 0 &&
	    seen_mark("text", m->k->of->server, m->k->of->user,
		str_n((const char *)sum, sizeof(sum)), mark);
}

/* The one place where a message becomes ours; in this order (src/README). */
static int
accept_it(struct message *m, const char *mark)
{
	struct collector *k = m->k;
	char name[STAGED_NAME_SIZE];
	struct queue_msg *msg = m->msg;

	m->msg = NULL;
	staged_name(m->env.id, mark, name);
	if (queue_stage(msg, k->dir, name) < 0)
		return -1;
	/* Where this fails the mark may be there or not: who recovers sees which. */
	if (seen_add(k->seen, mark, SEEN_TAKEN, clock_wall()) < 0)
		return -1;
	/* It is ours: what fails here is made good at the end of this process. */
	return queue_unstage(k->queue, k->dir, name, m->env.id);
}

static void
log_taken(const struct message *m)
{
	struct buf from, to;

	buf_init(&from, 1024);
	buf_init(&to, 1024);
	path_add(&from, &m->env.from);
	path_add(&to, &m->rcpt.path);
	log_info(m->env.id, "client=" STR_FMT ", collect=%s, from=<%s>, to=<%s>, size=%llu",
	    STR_ARG(buf_str(&m->k->client)), m->k->of->name, buf_cstr(&from), buf_cstr(&to),
	    (unsigned long long)m->octets);
	buf_free(&from);
	buf_free(&to);
}

static enum message_end
finish(struct message *m, struct buf *why)
{
	const struct collector *k = m->k;
	char mark[SEEN_MARK_LEN + 1];

	if (m->error == 0 && m->why == NULL && m->msg == NULL)
		(void)begin(m);
	if (m->error != 0) {
		errno = m->error;
		return MESSAGE_ERROR;
	}
	if (m->why != NULL) {
		buf_adds(why, m->why);
		return MESSAGE_REFUSED;
	}
	if (!find_mark(m, mark)) {
		errno = ENOSYS;
		return MESSAGE_ERROR;
	}
	struct seen_entry *known = m->sum != NULL ? seen_find(k->seen, mark) : NULL;
	if (known != NULL && known->kind == SEEN_TAKEN) {
		known->listed = true;
		return MESSAGE_KNOWN;
	}
	if (accept_it(m, mark) < 0) {
		int e = errno;

		/* It may be there all the same. */
		hint(k->runners, k->runner_n, k->score, m->env.id);
		errno = e;
		return MESSAGE_ERROR;
	}
	log_taken(m);
	hint(k->runners, k->runner_n, k->score, m->env.id);
	return MESSAGE_TAKEN;
}

enum message_end
message_end(struct message *m, uint64_t *octets, struct buf *why)
{
	enum message_end end = finish(m, why);
	int e = errno;

	*octets = m->octets;
	message_abort(m);
	errno = e;
	return end;
}
