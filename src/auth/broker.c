/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * broker -- the questions of the sessions: which places they go to, and what
 * is answered.
 *
 * A password goes to the backends in their order until one says yes.  One that
 * does not answer soon, or is known not to, holds nobody up: the next is asked
 * beside it, since a yes counts whoever says it.  A no takes all of them, and
 * one that could not say makes it "try again later".  What can be judged only
 * with the stored password goes to one place that has them all.
 *
 * This process is the mail user with the calls of a session; it has no password
 * of the configuration and opens no file.  It does see what clients send, so
 * nothing here is kept longer than its question, but for what cache.c says.
 */

#include "broker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "answer.h"
#include "ipc/channel.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "policy/certified.h"
#include "policy/login.h"

/* So many wait for one place; it cannot say for who comes then. */
#define QUEUE_MAX 128
/* A backend that has said nothing for so long is not waited for alone. */
#define HEDGE_MS 1000
/* On SIGTERM who is under way has so long: the next barid-auth waits for our end. */
#define DRAIN_MS 3000
#define FDS_MAX 512

static volatile int got_term, got_usr1;

/* ---- places ---------------------------------------------------------------------------- */

/* Whether what R says, and M, has the password file of the backend I. */
static bool
needs_file(const struct broker *b, unsigned place, size_t i)
{
	return b->a->backends[i].c.kind == BACKEND_FILE &&
	    (place == i || (place == PLACE_SECRETS && i < b->a->mail_n));
}

static void
cannot(struct request *r, unsigned place, const char *why)
{
	r->steps[place] = STEP_CANNOT;
	r->why[place] = arena_cstr(&r->arena, str_head(str_c(why), 200));
}

/* What PLACE is told of R: who only opens a mailbox, no more than whose. */
static void
add_question(const struct request *r, unsigned place, struct buf *out)
{
	const struct msg_auth box = { .service = r->m->service, .user = str_c(r->user) };

	if (place == PLACE_MAILBOX || place == PLACE_HOME)
		msg_auth_put(out, &box);
	else
		buf_add(out, buf_str(&r->packet));
}

static void
give(struct broker *b, struct request *r, unsigned place)
{
	int files[BACKENDS_MAX];
	struct buf packet;
	const char *why;

	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		files[i] = -1;
		if (i >= b->a->backend_n || !needs_file(b, place, i))
			continue;
		files[i] = keeper_file(b->keeper, (unsigned)i);
		cache_version(&r->version[i], files[i]);
		if (files[i] < 0)
			log_error(NULL, "%s: %s", b->a->backends[i].c.show, strerror(errno));
	}
	r->steps[place] = STEP_ASKED;
	buf_init(&packet, FRAME_MAX);
	add_question(r, place, &packet);
	if (!pool_give(b->pool, place, r->number, buf_str(&packet), files, &why))
		cannot(r, place, why);
	buf_wipe(&packet);
	buf_free(&packet);
}

static size_t
queue_length(const struct broker *b, unsigned place)
{
	size_t n = 0;

	for (size_t i = 0; i < REQUESTS_MAX; i++)
		n += b->requests[i].number != 0 && b->requests[i].steps[place] == STEP_QUEUED;
	return n;
}

static void
enqueue(struct broker *b, struct request *r, unsigned place)
{
	r->steps[place] = STEP_QUEUED;
	r->queued_ms[place] = clock_ms();
	if (queue_length(b, place) > QUEUE_MAX)
		cannot(r, place, "too many wait for it");
}

/* Who waits longest for PLACE. */
static struct request *
first_queued(struct broker *b, unsigned place)
{
	struct request *first = NULL;

	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		struct request *r = &b->requests[i];

		if (r->number != 0 && r->steps[place] == STEP_QUEUED &&
		    (!first || r->number < first->number))
			first = r;
	}
	return first;
}

static void settle(struct broker *b, struct request *r);

/* Gives to all places what they can take now. */
static void
dispatch(struct broker *b)
{
	for (unsigned place = 0; place < PLACES; place++) {
		struct request *r;

		while ((r = first_queued(b, place)) && pool_has_room(b->pool, place)) {
			give(b, r, place);
			if (r->steps[place] == STEP_CANNOT)
				settle(b, r);
		}
	}
}

/* ---- verdicts ---------------------------------------------------------------------------- */

/* Asks the next backend; false: there is none. */
static bool
ask_next(struct broker *b, struct request *r)
{
	unsigned place;

	if (r->proof != AUTH_BY_PASSWORD && r->proof != AUTH_BY_TOKEN)
		return false;
	while (r->next < r->end &&
	    !auth_can_judge(&b->a->backends[r->next], r->proof))
		r->next++;
	if (r->next >= r->end)
		return false;
	place = (unsigned)r->next++;
	/* Whose answer would be late is asked, and so is the next one. */
	r->hedge_ms = clock_ms() + (pool_is_slow(b->pool, place, clock_ms()) ? 0 : HEDGE_MS);
	enqueue(b, r, place);
	return true;
}

static bool
is_open(const struct request *r)
{
	for (size_t i = 0; i < PLACES; i++)
		if (r->steps[i] == STEP_QUEUED || r->steps[i] == STEP_ASKED)
			return true;
	return false;
}

/* Of the places from FROM on, before END. */
static bool
has_step(const struct request *r, size_t from, size_t end, enum step s)
{
	for (size_t i = from; i < end; i++)
		if (r->steps[i] == s)
			return true;
	return false;
}

/* There is a yes, and the mailbox is being opened. */
static bool
is_let_in(const struct request *r)
{
	return r->steps[PLACE_MAILBOX] != STEP_NONE;
}

/* The next backend is asked at R's hedge_ms, though another has yet to answer. */
static bool
is_hedged(const struct request *r)
{
	return (r->proof == AUTH_BY_PASSWORD || r->proof == AUTH_BY_TOKEN) &&
	    r->next < r->end && !is_let_in(r);
}

/* Who is let in has to wait for PLACE yet; if that cannot be, he has no mailbox. */
static void
fetch_box(struct broker *b, struct request *r, unsigned place)
{
	enqueue(b, r, place);
	if (r->steps[place] == STEP_CANNOT)
		verdict_send(b, r, AUTH_YES, -1);
}

/* R is let in: that is kept, and where its mail is. */
static void
let_in(struct broker *b, struct request *r)
{
	if (b->a->logins)
		logins_note(b->a->logins, str_c(r->user), str_c(r->app), clock_wall());
	if (!str_eq(r->m->service, STR("pop3"))) {
		verdict_send(b, r, AUTH_YES, -1);
		return;
	}
	/* The others are not waited for any more. */
	for (size_t i = 0; i < PLACE_MAILBOX; i++)
		if (r->steps[i] == STEP_QUEUED || r->steps[i] == STEP_ASKED)
			r->steps[i] = STEP_NONE;
	fetch_box(b, r, PLACE_MAILBOX);
}

static void
accepted(struct broker *b, struct request *r, unsigned place)
{
	struct cache_entry e = { .place = place };

	r->place = place;
	verdict_log(b, r, AUTH_YES, false);
	if (r->keyed && place < b->a->backend_n) {
		e.version = r->version[place];
		memcpy(e.app, r->app, str_head(str_c(r->app), sizeof(e.app) - 1).n);
		cache_put(b->cache, r->key, &e);
	}
	let_in(b, r);
}

/* What R has come to, if anything: asks on, or answers. */
static void
settle(struct broker *b, struct request *r)
{
	if (is_let_in(r)) {
		/* Nobody could be asked for the mailbox. */
		if (has_step(r, PLACE_MAILBOX, PLACES, STEP_CANNOT))
			verdict_send(b, r, AUTH_YES, -1);
		return;
	}
	for (unsigned i = 0; i < PLACE_MAILBOX && !r->test; i++)
		if (r->steps[i] == STEP_YES) {
			accepted(b, r, i);
			return;
		}
	while (!is_open(r) && ask_next(b, r))
		;
	if (is_open(r))
		return;
	enum auth_verdict v = has_step(r, 0, PLACE_MAILBOX, STEP_YES) ? AUTH_YES :
	    has_step(r, 0, PLACE_MAILBOX, STEP_CANNOT) ? AUTH_TEMPORARY : AUTH_NO;
	verdict_log(b, r, v, false);
	verdict_send(b, r, v, -1);
}

/* ---- what workers say ---------------------------------------------------------------------- */

static struct request *
request_of(struct broker *b, uint64_t number)
{
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (b->requests[i].number == number)
			return &b->requests[i];
	return NULL;
}

static bool
is_name(struct str s, size_t max)
{
	return s.n > 0 && s.n <= max && !str_has_ctl(s) && str_is_utf8(s);
}

/* A worker may have been taken over: what it says is looked at. */
static void
said(struct broker *b, struct request *r, unsigned place, const struct msg_auth_result *m)
{
	if (is_name(m->app, 64))
		r->app = arena_cstr(&r->arena, m->app);
	/* Only a token says itself whose it is. */
	if (r->proof == AUTH_BY_TOKEN && m->verdict == AUTH_YES && is_name(m->user, 255))
		r->user = arena_cstr(&r->arena, login_account(b->a->conf, m->user));
	r->said = arena_str(&r->arena, m->said);
	switch (m->verdict) {
	case AUTH_YES:
		r->steps[place] = STEP_YES;
		break;
	case AUTH_NO:
		r->steps[place] = STEP_NO;
		break;
	case AUTH_TEMPORARY:
		cannot(r, place, m->why.n > 0 ? arena_cstr(&r->arena, m->why) : "it cannot say");
		break;
	case AUTH_MORE:
		if (r->proof == AUTH_BY_SCRAM)
			verdict_send(b, r, AUTH_MORE, -1);
		else
			cannot(r, place, "it wants more");
		break;
	}
}

/* Where R has his mailbox: with the answer, at home, or not to be had now. */
static void
on_box(struct broker *b, struct request *r, const struct pool_event *e)
{
	struct msg_auth_result m;

	if (e->lost || !msg_auth_result_get(buf_str(&e->answer), &m)) {
		verdict_send(b, r, AUTH_YES, -1);
	} else if (e->place == PLACE_MAILBOX && m.verdict == AUTH_MORE) {
		r->steps[PLACE_MAILBOX] = STEP_NO;
		fetch_box(b, r, PLACE_HOME);
	} else {
		verdict_send(b, r, AUTH_YES, e->pass);
	}
}

static void
on_event(struct broker *b, const struct pool_event *e)
{
	struct request *r = request_of(b, e->ticket);
	struct msg_auth_result m;

	/* Who was answered meanwhile wants to know no more. */
	if (!r || r->steps[e->place] != STEP_ASKED)
		return;
	if (e->place == PLACE_MAILBOX || e->place == PLACE_HOME) {
		on_box(b, r, e);
		return;
	}
	if (e->lost)
		cannot(r, e->place, e->why);
	else if (!msg_auth_result_get(buf_str(&e->answer), &m))
		cannot(r, e->place, "its worker gave a broken answer");
	else
		said(b, r, e->place, &m);
	if (r->number == e->ticket)
		settle(b, r);
}

/* ---- questions ------------------------------------------------------------------------------ */

/* False: whatever it is, nobody's name and password are these. */
static bool
is_askable(const struct msg_auth *m, struct str user, enum auth_proof *proof)
{
	if (!auth_proof_of(m->mechanism, proof))
		return false;
	if (m->password.n == 0 && *proof != AUTH_BY_SCRAM)
		return false;
	/* A token may say itself whose it is. */
	if (user.n == 0 && *proof != AUTH_BY_TOKEN)
		return false;
	return user.n <= 255 && !str_has_ctl(user) && str_find(m->password, '\0') < 0 &&
	    str_find(m->challenge, '\0') < 0 && str_find(m->listener, '\0') < 0;
}

/* True: R has been answered from the cache, or soon will. */
static bool
is_cached(struct broker *b, struct request *r)
{
	struct cache_version now;
	struct cache_entry e;
	int fd;

	r->keyed = r->proof == AUTH_BY_PASSWORD && !r->test && cache_key(b->cache, r->m, r->key);
	if (!r->keyed || !cache_get(b->cache, r->key, &e))
		return false;
	if (b->a->backends[e.place].c.kind == BACKEND_FILE) {
		fd = keeper_file(b->keeper, e.place);
		cache_version(&now, fd);
		if (fd >= 0)
			close(fd);
		if (!cache_is_current(&e, &now))
			return false;
	}
	r->place = e.place;
	r->app = arena_cstr(&r->arena, str_c(e.app));
	verdict_log(b, r, AUTH_YES, true);
	let_in(b, r);
	return true;
}

/* EXTERNAL asks no backend: the configuration says whose a certificate is. */
static void
by_certificate(struct broker *b, struct request *r)
{
	struct str rest = r->m->password, print = str_word(&rest), key = str_trim(rest);
	struct tls_client t = { .verified = false };
	enum auth_verdict v = AUTH_NO;
	const char *user;

	if (print.n < sizeof(t.fingerprint) && key.n < sizeof(t.key)) {
		memcpy(t.fingerprint, print.p, print.n);
		memcpy(t.key, key.p, key.n);
		user = certified_user(b->a->conf, &t);
		if (user && str_eq(str_c(user), str_c(r->user)))
			v = AUTH_YES;
	}
	verdict_log(b, r, v, false);
	if (v == AUTH_YES)
		let_in(b, r);
	else
		verdict_send(b, r, v, -1);
}

/* A question that can be asked: M, with the name of its account. */
static void
begin(struct broker *b, const struct msg_auth *m, enum auth_proof proof, int reply)
{
	struct request *r = request_of(b, 0);
	struct msg_auth *own;

	*r = (struct request){ .number = ++b->number, .reply = reply, .proof = proof,
		.begun_ms = clock_ms(), .app = "",
		.test = str_eq(m->service, STR(AUTH_SERVICE_TEST)) };
	b->request_n++;
	arena_init(&r->arena, (size_t)1 << 20);
	buf_init(&r->packet, FRAME_MAX);
	msg_auth_put(&r->packet, m);
	own = arena_alloc(&r->arena, sizeof(*own));
	r->m = own;
	if (!msg_auth_get(buf_str(&r->packet), own))
		panic("auth: a question that was put cannot be got");
	r->user = arena_cstr(&r->arena, own->user);
	auth_backends_for(b->a, own->service, &r->next, &r->end);
	if (proof == AUTH_BY_CERTIFICATE) {
		by_certificate(b, r);
		return;
	}
	if (is_cached(b, r))
		return;
	if (proof != AUTH_BY_PASSWORD && proof != AUTH_BY_TOKEN)
		enqueue(b, r, PLACE_SECRETS);
	settle(b, r);
}

static void
take(struct broker *b, struct str packet, int reply)
{
	struct msg_auth_result no = { .verdict = AUTH_NO };
	enum auth_proof proof;
	struct msg_auth m;

	if (!msg_auth_get(packet, &m)) {
		channel_complain("a request");
		close(reply);
		return;
	}
	m.user = login_account(b->a->conf, m.user);
	/* Pages know passwords only. */
	if (is_askable(&m, m.user, &proof) &&
	    (proof == AUTH_BY_PASSWORD || !str_eq(m.service, STR(AUTH_SERVICE_ADMIN)))) {
		begin(b, &m, proof, reply);
		return;
	}
	no.user = m.user;
	auth_answer(reply, &no, -1);
	close(reply);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Who waits too long for somebody. */
static void
tick_one(struct broker *b, struct request *r, int64_t now)
{
	bool changed = false;

	for (unsigned i = 0; i < PLACES; i++) {
		if (r->steps[i] != STEP_QUEUED ||
		    now - r->queued_ms[i] < b->a->conf->auth.timeout)
			continue;
		if (i == PLACE_MAILBOX || i == PLACE_HOME) {
			verdict_send(b, r, AUTH_YES, -1);
			return;
		}
		cannot(r, i, "too many wait for it");
		changed = true;
	}
	while (is_hedged(r) && is_open(r) && now >= r->hedge_ms && ask_next(b, r))
		;
	if (changed && !is_let_in(r))
		settle(b, r);
}

static void
tick(struct broker *b)
{
	int64_t now = clock_ms();

	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (b->requests[i].number != 0)
			tick_one(b, &b->requests[i], now);
	dispatch(b);
}

/* How long nothing need be done, in ms. */
static int
wait_ms(const struct broker *b)
{
	int64_t due = pool_due(b->pool), now = clock_ms();

	if (b->drain_ms && b->drain_ms < due)
		due = b->drain_ms;
	for (size_t i = 0; i < REQUESTS_MAX; i++) {
		const struct request *r = &b->requests[i];

		if (r->number == 0)
			continue;
		if (is_hedged(r) && r->hedge_ms < due)
			due = r->hedge_ms;
		for (unsigned k = 0; k < PLACES; k++)
			if (r->steps[k] == STEP_QUEUED &&
			    r->queued_ms[k] + b->a->conf->auth.timeout < due)
				due = r->queued_ms[k] + b->a->conf->auth.timeout;
	}
	return due <= now ? 0 : due - now > 60000 ? 60000 : (int)(due - now);
}

/* False: nobody will ask any more. */
static bool
receive(struct broker *b)
{
	struct buf packet;
	int reply, n;

	buf_init(&packet, FRAME_MAX);
	n = channel_recv(b->channel, &packet, &reply);
	if (n > 0 && reply >= 0)
		take(b, buf_str(&packet), reply);
	buf_wipe(&packet);
	buf_free(&packet);
	return n >= 0;
}

static void
take_signals(struct broker *b)
{
	if (got_usr1) {
		got_usr1 = 0;
		log_reopen();
		pool_renew(b->pool);
	}
	if (got_term && !b->drain_ms)
		b->drain_ms = clock_ms() + DRAIN_MS;
}

static void
loop(struct broker *b)
{
	struct pollfd fds[FDS_MAX];
	struct pool_event e = { .pass = -1 };
	sigset_t none;
	bool open = true;

	sigemptyset(&none);
	buf_init(&e.answer, FRAME_MAX);
	while (open && (!b->drain_ms || (b->request_n > 0 && clock_ms() < b->drain_ms))) {
		bool takes = b->request_n < REQUESTS_MAX && !b->drain_ms;
		int ms = wait_ms(b);
		struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

		/* Of the keeper, only its end. */
		fds[0] = (struct pollfd){ .fd = b->keeper };
		fds[1] = (struct pollfd){ .fd = takes ? b->channel : -1, .events = POLLIN };
		size_t n = pool_poll(b->pool, fds + 2, FDS_MAX - 2);
		int ready = ppoll(fds, n + 2, &ts, &none);
		take_signals(b);
		if (ready < 0)
			n = 0;
		while (pool_next(b->pool, fds + 2, n, clock_ms(), &e)) {
			on_event(b, &e);
			if (e.pass >= 0)
				close(e.pass);
			buf_wipe(&e.answer);
		}
		if (ready > 0 && fds[0].revents)
			break;
		if (ready > 0 && fds[1].revents)
			open = receive(b);
		tick(b);
	}
	buf_free(&e.answer);
}

void
broker_run(struct auth *a, int channel, int keeper)
{
	struct broker *b = mem_alloc(sizeof(*b));

	b->a = a;
	b->channel = channel;
	b->keeper = keeper;
	b->pool = pool_new(a, keeper);
	b->cache = cache_new(a->conf->auth.cache);
	auth_backends_keep(a, PLACES);
	proc_on_signal(SIGTERM, &got_term);
	proc_on_signal(SIGUSR1, &got_usr1);
	(void)proc_files_max();
	proc_confine(&a->user, NULL);
	proc_alone((uint64_t)1 << 30);
	confine_calls(a->session);
	loop(b);
	/* Whoever is not answered by now is told so. */
	for (size_t i = 0; i < REQUESTS_MAX; i++)
		if (b->requests[i].number != 0)
			verdict_send(b, &b->requests[i], AUTH_TEMPORARY, -1);
	pool_free(b->pool);
	cache_free(b->cache);
	mem_free(b);
}
