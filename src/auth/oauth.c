/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * oauth -- access tokens, held against the server that knows them (RFC 7662).
 *
 * A token is good if that server says that it is active, and what it says of
 * it is what the configuration demands: the time, the scope, who it is for,
 * and whose it is.  The name that the client said must be that one; a client
 * that said none is it.  The answer comes over verified TLS, and is asked for
 * anew with each login.
 */

#include "auth.h"

#include "fetch/fetch.h"
#include "introspection.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "policy/login.h"

#define ANSWER_MAX 65536
#define FORM_MAX 65536

/* RFC 6749 3.3: words with a space between; all of WANTED are among them. */
static bool
has_scope(struct str scope, struct str wanted)
{
	struct str one, word, rest;

	while ((one = str_word(&wanted)).n > 0) {
		rest = scope;
		while ((word = str_word(&rest)).n > 0 && !str_eq(word, one))
			;
		if (word.n == 0)
			return false;
	}
	return true;
}

/* What is wrong with a token that the server knows; NULL: nothing. */
static const char *
fault(const struct auth_backend *b, const struct auth_question *q,
    const struct introspection *i)
{
	int64_t now = clock_wall();

	if (!i->active || (i->expires > 0 && i->expires <= now))
		return "it is not active";
	if (i->not_before > now)
		return "its time has not come";
	if (b->c.token_scope && !has_scope(i->scope, str_c(b->c.token_scope)))
		return "it has another scope";
	if (!i->for_audience)
		return "it is for somebody else";
	if (i->user.n == 0 || i->user.n >= sizeof(q->note->user) || str_has_ctl(i->user))
		return "it is nobody's";
	if (q->user[0] != '\0' && !str_ieq(login_account(b->conf, i->user), str_c(q->user)))
		return "it is another user's";
	return NULL;
}

static enum auth_verdict
judge(const struct auth_backend *b, const struct auth_question *q, struct str answer)
{
	enum auth_verdict verdict = AUTH_YES;
	struct introspection i;
	const char *why;
	struct arena a;

	arena_init(&a, (size_t)1 << 20);
	if (!introspection_read(answer, b->c.claim, b->c.audience, &a, &i)) {
		verdict = auth_cannot(q, "its answer is no introspection (RFC 7662)");
	} else if ((why = fault(b, q, &i)) != NULL) {
		log_info(NULL, "a token of %s: %s", q->client, why);
		verdict = AUTH_NO;
	} else {
		memcpy(q->note->user, i.user.p, i.user.n);
		q->note->user[i.user.n] = '\0';
	}
	arena_free(&a);
	return verdict;
}

enum auth_verdict
auth_oauth(const struct auth_backend *b, const struct auth_question *q)
{
	struct buf form, client, secret, body, error;
	enum auth_verdict verdict;
	long code;

	buf_init(&form, FORM_MAX);
	buf_init(&client, 4096);
	buf_init(&secret, 4096);
	buf_init(&body, ANSWER_MAX);
	buf_init(&error, 1024);
	form_add(&form, "token", q->password);
	form_add(&form, "token_type_hint", "access_token");
	/* RFC 6749 2.3.1: in the form of a form, too. */
	form_add_value(&client, b->c.identifier);
	form_add_value(&secret, b->c.secret);
	struct fetch f = { .url = b->c.url, .post = buf_cstr(&form), .type = "application/json",
		.ca = b->conf->tls.ca, .anywhere = true, .max = ANSWER_MAX,
		.user = client.n > 0 ? buf_cstr(&client) : NULL, .password = buf_cstr(&secret),
		.timeout_ms = b->timeout_ms };
	if (!buf_ok(&form))
		verdict = AUTH_NO;
	else if (!fetch_get(b->conf, &f, &body, &code, &error))
		verdict = auth_cannot(q, "%s", buf_cstr(&error));
	else
		verdict = judge(b, q, buf_str(&body));
	buf_wipe(&form);
	buf_wipe(&secret);
	buf_free(&form);
	buf_free(&client);
	buf_free(&secret);
	buf_free(&body);
	buf_free(&error);
	return verdict;
}
