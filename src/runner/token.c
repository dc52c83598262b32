/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * token -- access tokens (RFC 6749 6), asked of barid-http.
 *
 * One that is good is used until shortly before its end, by all connections
 * to its server.  What the server refused is told when the next one is asked
 * for, so that the helper does not give the same one again.  The secrets
 * for which tokens are given are not here.
 */

#include "token.h"

#include "ask.h"
#include "conn.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "runner.h"

/* The helper gives up after sixty seconds, and may have had to wait. */
#define ANSWER_MS 75000
/* A login takes its time; and clocks differ. */
#define MARGIN_MS 60000
#define SECONDS_MAX 86400
#define LIFE_MIN_MS 5000

struct token {
	struct runner *r;
	struct token *next;
	const struct conf_server *server;
	char *text;		/* NULL: none */
	char *refused;		/* what the server did not take, or NULL */
	int64_t good_until;	/* clock_ms() */
	bool asking;
};

bool
token_is_given(const struct conf_server *s)
{
	return str_starts(str_c(s->token), STR("refresh:"));
}

static struct token *
token_of(struct runner *r, const struct conf_server *s)
{
	struct token *t = r->tokens;

	while (t != NULL && t->server != s)
		t = t->next;
	if (t != NULL)
		return t;
	t = mem_alloc(sizeof(*t));
	t->r = r;
	t->server = s;
	t->next = r->tokens;
	r->tokens = t;
	return t;
}

static void
forget(char **text)
{
	if (*text != NULL)
		mem_wipe(*text, strlen(*text));
	mem_free(*text);
	*text = NULL;
}

const char *
token_get(struct runner *r, const struct conf_server *s)
{
	struct token *t = token_of(r, s);

	return t->text != NULL && clock_ms() < t->good_until ? t->text : NULL;
}

/* Half of a short life, and all but the end of a long one. */
static int64_t
good_for(uint64_t seconds)
{
	int64_t ms = (int64_t)(seconds < SECONDS_MAX ? seconds : SECONDS_MAX) *
	    1000;

	ms = ms > 2 * MARGIN_MS ? ms - MARGIN_MS : ms / 2;
	/* Whoever waited for it has to find it good. */
	return ms > LIFE_MIN_MS ? ms : LIFE_MIN_MS;
}

static void
on_answer(void *arg, struct str answer)
{
	struct token *t = arg;
	struct msg_token_result m;
	struct buf why;

	t->asking = false;
	buf_init(&why, 2048);
	forget(&t->text);
	if (!msg_token_result_get(answer, &m)) {
		buf_adds(&why, "barid-http does not answer");
	} else if (!m.ok) {
		buf_add(&why, str_head(m.text, 1000));
	} else {
		t->text = mem_dup(m.text);
		t->good_until = clock_ms() + good_for(m.seconds);
		forget(&t->refused);
	}
	conn_token(t->r, t->server, why.n > 0 ? buf_cstr(&why) : NULL);
	buf_free(&why);
}

/* A server is said by its place in the configuration; false: it has none. */
static bool
place_of(const struct conf *c, const struct conf_server *s,
    struct msg_token *m)
{
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t k = 0; k < c->upstreams[i].server_n; k++)
			if (&c->upstreams[i].servers[k] == s) {
				m->upstream = str_c(c->upstreams[i].name);
				m->server = k;
				return true;
			}
	return false;
}

void
token_ask(struct runner *r, const struct conf_server *s)
{
	struct token *t = token_of(r, s);
	struct msg_token m = { .refused = str_c(t->refused) };
	struct buf b;

	if (t->asking)
		return;
	t->asking = true;
	buf_init(&b, FRAME_MAX);
	/* One without a place gets no answer, as one without a helper. */
	if (place_of(r->conf, s, &m))
		msg_token_put(&b, &m);
	ask_start(r, r->http, buf_str(&b), ANSWER_MS, on_answer, t);
	buf_wipe(&b);
	buf_free(&b);
}

void
token_refused(struct runner *r, const struct conf_server *s)
{
	struct token *t = token_of(r, s);

	if (t->text == NULL)
		return;
	forget(&t->refused);
	t->refused = t->text;
	t->text = NULL;
}

void
token_free_all(struct runner *r)
{
	struct token *t;

	while ((t = r->tokens) != NULL) {
		r->tokens = t->next;
		forget(&t->text);
		forget(&t->refused);
		mem_free(t);
	}
}
