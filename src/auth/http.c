/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * http -- a server that is asked with the client's name and password (RFC 7617).
 *
 * A whole answer with a code of 200 to 299 is yes, 401 and 403 are no, and
 * with anything else nobody can say: a redirect, too, is not followed.  What
 * the answer holds does not matter, but it has to end.
 */

#include "auth.h"

#include "fetch/fetch.h"

#define ANSWER_MAX 65536

enum auth_verdict
auth_http(const struct auth_backend *b, const struct auth_question *q)
{
	struct fetch f = { .url = b->c.url, .ca = b->conf->tls.ca, .user = q->user,
		.password = q->password, .clear = true, .anywhere = true, .any_code = true,
		.max = ANSWER_MAX, .timeout_ms = b->timeout_ms };
	enum auth_verdict verdict;
	struct buf body, error;
	long code;

	/* RFC 7617 2: the name ends at the first colon. */
	if (strchr(q->user, ':'))
		return AUTH_NO;
	buf_init(&body, ANSWER_MAX);
	buf_init(&error, 1024);
	if (!fetch_get(b->conf, &f, &body, &code, &error))
		verdict = auth_cannot(q, "%s", buf_cstr(&error));
	else if (code >= 200 && code < 300)
		verdict = AUTH_YES;
	else if (code == 401 || code == 403)
		verdict = AUTH_NO;
	else
		verdict = auth_cannot(q, "HTTP status %ld", code);
	buf_free(&body);
	buf_free(&error);
	return verdict;
}
