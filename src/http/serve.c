/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * serve -- requests of the runners, and what came of them.
 *
 * Who asks for what is being fetched already waits for the same worker; what
 * was just fetched is answered from what is kept, and what failed a while ago
 * fails again.
 */

#include "http.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/policies.h"
#include "keep.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/sts.h"

#define POLICIES_MAX 10000
/* The directory is looked at after so many new ones. */
#define TRIM_EVERY 100
/* Runners ask one after the other: what was just fetched is not fetched again. */
#define FRESH_S 60

/* ---- answers ------------------------------------------------------------------ */

static void
answer(int fd, struct str packet)
{
	if (channel_send(fd, packet, -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	close(fd);
}

static void
answer_sts(int fd, bool ok, struct str text)
{
	struct msg_sts_result r = { .ok = ok, .id = STR(""), .text = text };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_sts_result_put(&b, &r);
	answer(fd, buf_str(&b));
	buf_free(&b);
}

static void
answer_token(int fd, bool ok, uint64_t seconds, struct str text)
{
	struct msg_token_result r = { ok, seconds, text };
	struct buf b;

	buf_init(&b, FRAME_MAX);
	msg_token_result_put(&b, &r);
	answer(fd, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
}

/* ---- what came of it ------------------------------------------------------------- */

static void
keep_policy(struct http *h, const struct work *w, struct str id,
    struct str text)
{
	struct policy_file f = { .fetched = clock_wall() }, old;
	struct sts_policy p;
	struct arena a;

	arena_init(&a, ARENA_MAX);
	if (id.n < sizeof(f.id))
		memcpy(f.id, id.p, id.n);
	/* To fetch it anew is no use of it, where nobody asked. */
	if (w->waiter_n == 0 && h->policies >= 0) {
		if (policies_look(h->policies, str_c(w->key), &old) == 0)
			f.used = old.used;
		buf_free(&old.text);
	}
	buf_init(&f.text, POLICIES_TEXT_MAX);
	/* A worker may have been taken over: what it says is foreign, too. */
	if (sts_policy_parse(text, &a, &p) == NULL) {
		sts_policy_add(&f.text, &p);
		log_info(NULL, "MTA-STS policy of %s: mode %s, max_age %lld, id %s",
		    w->key, sts_mode_name(p.mode), (long long)p.max_age, f.id);
		if (h->policies < 0 ||
		    policies_put(h->policies, str_c(w->key), &f) < 0)
			log_warn(NULL, "MTA-STS policy of %s cannot be kept: %s",
			    w->key, strerror(errno));
		if (h->policies >= 0 && ++h->puts % TRIM_EVERY == 0 &&
		    policies_trim(h->policies, POLICIES_MAX) < 0)
			log_warn(NULL, "cannot forget old policies: %s",
			    strerror(errno));
	}
	buf_free(&f.text);
	arena_free(&a);
}

static void
sts_done(struct http *h, struct work *w, struct str packet)
{
	struct msg_sts_result r = { .text = STR("the worker was lost") };
	struct msg_sts_result got;

	if (msg_sts_result_get(packet, &got))
		r = got;
	if (r.ok)
		keep_policy(h, w, w->refreshes ? r.id : str_c(w->id), r.text);
	else
		keep_failure(h->keep, w->key, r.text);
	if (!r.ok && w->refreshes)
		log_warn(NULL, "MTA-STS policy of %s: cannot be fetched anew: "
		    STR_FMT ": the one that is kept holds until it is over",
		    w->key, STR_ARG(r.text));
	for (size_t i = 0; i < w->waiter_n; i++)
		answer_sts(w->waiters[i], r.ok, r.text);
}

static void
token_done(struct http *h, struct work *w, struct str packet)
{
	struct msg_token_result r = { .text = STR("the worker was lost") };
	struct msg_token_result got;

	if (msg_token_result_get(packet, &got))
		r = got;
	if (r.ok)
		keep_token(h->keep, w->key, r.text, r.seconds);
	for (size_t i = 0; i < w->waiter_n; i++)
		answer_token(w->waiters[i], r.ok, r.seconds, r.text);
}

/* W has an answer, or has ended without one. */
void
serve_result(struct http *h, struct work *w)
{
	struct buf packet;
	int pass, n;

	buf_init(&packet, FRAME_MAX);
	n = channel_recv(w->fd, &packet, &pass);
	if (pass >= 0)
		close(pass);
	if (n != 0) {
		if (n < 0)
			buf_reset(&packet);
		if (w->id)
			sts_done(h, w, buf_str(&packet));
		else
			token_done(h, w, buf_str(&packet));
		h->refresh_n -= w->refreshes;
		close(w->fd);
		mem_free(w->key);
		mem_free(w->id);
		*w = (struct work){ .pid = 0 };
		h->work_n--;
	}
	buf_wipe(&packet);
	buf_free(&packet);
}

/* ---- requests -------------------------------------------------------------------- */

/* True if what is kept will do: asked for a moment ago, by another runner. */
static bool
is_fresh(struct http *h, const struct msg_sts *m, int reply)
{
	struct policy_file f = { .fetched = 0 };
	int64_t age;
	bool ok;

	ok = h->policies >= 0 && policies_get(h->policies, m->domain, &f) == 0;
	age = clock_wall() - f.fetched;
	ok = ok && age >= 0 && age <= FRESH_S && str_eq(m->id, str_c(f.id));
	if (ok)
		answer_sts(reply, true, buf_str(&f.text));
	buf_free(&f.text);
	return ok;
}

/* Whoever is served by W, too; false: there is no place. */
static bool
wait_too(struct work *w, int reply)
{
	if (w->waiter_n == WAITERS_MAX) {
		errno = EAGAIN;
		return false;
	}
	w->waiters[w->waiter_n++] = reply;
	return true;
}

static void
take_sts(struct http *h, const struct msg_sts *m, struct str packet, int reply)
{
	struct arena a;
	const char *key, *id, *failed;
	struct work *w;

	arena_init(&a, ARENA_MAX);
	key = arena_cstr(&a, m->domain);
	id = arena_cstr(&a, m->id);
	w = worker_of(h, key);
	failed = keep_has_failed(h->keep, key);
	if (m->id.n == 0 || m->id.n > POLICIES_ID_MAX ||
	    !policies_can_have(m->domain))
		answer_sts(reply, false, STR("a broken request"));
	else if (is_fresh(h, m, reply))
		;
	else if (failed)
		answer_sts(reply, false, str_c(arena_printf(&a,
		    "%s (tried a while ago)", failed)));
	else if (w ? !wait_too(w, reply) : !worker_start(h, key, id, packet, reply))
		answer_sts(reply, false, str_c(strerror(errno)));
	arena_free(&a);
}

static void
take_token(struct http *h, const struct msg_token *m, struct str packet,
    int reply)
{
	const struct conf_server *s = token_server(h->conf, m);
	struct arena a;
	const char *key, *token, *why;
	uint64_t seconds;
	struct work *w;

	arena_init(&a, ARENA_MAX);
	key = arena_printf(&a, "token %.*s %llu", STR_ARG(m->upstream),
	    (unsigned long long)m->server);
	w = worker_of(h, key);
	why = keep_refused(h->keep, key, m->refused);
	token = keep_get_token(h->keep, key, &seconds);
	if (!s || strncmp(s->token, "refresh:", 8) != 0)
		answer_token(reply, false, 0, STR("a broken request"));
	else if (why)
		answer_token(reply, false, 0, str_c(why));
	else if (token)
		answer_token(reply, true, seconds, str_c(token));
	else if (w ? !wait_too(w, reply) : !worker_start(h, key, NULL, packet, reply))
		answer_token(reply, false, 0, str_c(strerror(errno)));
	arena_free(&a);
}

void
serve_request(struct http *h, struct str packet, int reply)
{
	struct msg_sts sts;
	struct msg_token token;

	if (msg_sts_get(packet, &sts)) {
		take_sts(h, &sts, packet, reply);
	} else if (msg_token_get(packet, &token)) {
		take_token(h, &token, packet, reply);
	} else {
		log_error(NULL, "a request is broken");
		close(reply);
	}
}
