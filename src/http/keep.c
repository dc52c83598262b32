/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * keep -- what barid-http remembers while it runs.
 *
 * A failure is kept for five minutes (RFC 8461 3.3), and only so many of
 * them: an attacker's thousand domains cost some fetches more.  A token is
 * given out until a minute before its end; one that a server refuses is
 * forgotten, but one that is new is not exchanged again and again.
 */

#include "keep.h"

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/mem.h"

#define FAILURE_MS 300000
#define FAILURES_MAX 10000
#define WORDS_MAX 500
/* A session takes its time until it logs in. */
#define MARGIN_S 60
#define TOKEN_NEW_MS 60000
/* No token is good for longer, whatever its server says. */
#define TOKEN_MAX_S 86400

struct failure {
	int64_t until;
	char why[WORDS_MAX + 1];
};

struct token {
	char *text;
	int64_t since, until;
};

struct keep {
	struct map *failures;
	struct map *tokens;
};

struct keep *
keep_new(void)
{
	struct keep *k = mem_alloc(sizeof(*k));

	k->failures = map_new();
	k->tokens = map_new();
	return k;
}

static void
token_free(struct token *t)
{
	if (!t)
		return;
	mem_wipe(t->text, strlen(t->text));
	mem_free(t->text);
	mem_free(t);
}

/* Forgets the failures that are over at NOW; all with INT64_MAX. */
static void
sweep(struct keep *k, int64_t now)
{
	size_t at = 0;
	struct str key;
	void *v;

	while (map_next(k->failures, &at, &key, &v)) {
		struct failure *f = v;

		if (f->until > now)
			continue;
		map_del(k->failures, key);
		mem_free(f);
	}
}

void
keep_free(struct keep *k)
{
	size_t at = 0;
	struct str key;
	void *v;

	if (!k)
		return;
	sweep(k, INT64_MAX);
	while (map_next(k->tokens, &at, &key, &v))
		token_free(v);
	map_free(k->failures);
	map_free(k->tokens);
	mem_free(k);
}

/* ---- failures ---------------------------------------------------------------- */

void
keep_failure(struct keep *k, const char *key, struct str why)
{
	struct failure *f;
	int64_t now = clock_ms();

	if (map_count(k->failures) >= FAILURES_MAX)
		sweep(k, now);
	if (map_count(k->failures) >= FAILURES_MAX)
		return;
	f = mem_alloc(sizeof(*f));
	f->until = now + FAILURE_MS;
	why = str_head(why, WORDS_MAX);
	memcpy(f->why, why.p, why.n);
	mem_free(map_put(k->failures, str_c(key), f));
}

const char *
keep_has_failed(struct keep *k, const char *key)
{
	const struct failure *f = map_get(k->failures, str_c(key));

	return f && f->until > clock_ms() ? f->why : NULL;
}

/* ---- tokens ------------------------------------------------------------------- */

void
keep_token(struct keep *k, const char *key, struct str token, uint64_t seconds)
{
	struct token *t = mem_alloc(sizeof(*t));

	if (seconds > TOKEN_MAX_S)
		seconds = TOKEN_MAX_S;
	t->text = mem_dup(token);
	t->since = clock_ms();
	t->until = t->since + (int64_t)seconds * 1000;
	token_free(map_put(k->tokens, str_c(key), t));
}

const char *
keep_get_token(struct keep *k, const char *key, uint64_t *seconds)
{
	const struct token *t = map_get(k->tokens, str_c(key));
	int64_t left = t ? (t->until - clock_ms()) / 1000 : 0;

	if (left <= MARGIN_S)
		return NULL;
	*seconds = (uint64_t)left;
	return t->text;
}

const char *
keep_refused(struct keep *k, const char *key, struct str token)
{
	const struct token *t = map_get(k->tokens, str_c(key));

	if (!t || token.n == 0 || !str_eq(token, str_c(t->text)))
		return NULL;
	if (clock_ms() - t->since < TOKEN_NEW_MS)
		return "the server does not take the token that was just given";
	token_free(map_del(k->tokens, str_c(key)));
	return NULL;
}
