/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * scram -- the client's side of SCRAM-SHA-256 and its PLUS (RFC 5802,
 * RFC 7677), by libgsasl: the only file that knows it.
 *
 * Promises that the password is never sent, that no server makes us count
 * for ever or so little that the password could be guessed from what was
 * said, and that success is the server's proof, not its word.  Does not
 * say "y" (RFC 5802 6: the client could have bound the session) to a server
 * without PLUS: the library makes an invalid message of that.
 */

#include <gsasl.h>

#include "engine.h"

#include "lib/mem.h"
#include "mail/text.h"

/* RFC 7677 4 asks for 4096 at least.  A million take a second. */
#define ITERATIONS_MIN 4096
#define ITERATIONS_MAX 1000000

enum scram_at { AT_START, AT_SERVER_FIRST, AT_SERVER_FINAL, AT_END };

struct scram {
	Gsasl *gsasl;
	Gsasl_session *session;
	enum scram_at at;
	bool proved;
};

/* Everything that it may know was set before. */
static int
no_more(Gsasl *g, Gsasl_session *s, Gsasl_property p)
{
	(void)g;
	(void)s;
	(void)p;
	return GSASL_NO_CALLBACK;
}

static bool
set_binding(Gsasl_session *s, struct str binding)
{
	struct buf b;
	bool ok;

	buf_init(&b, 1024);
	base64_add(&b, binding);
	ok = gsasl_property_set(s, GSASL_CB_TLS_EXPORTER, buf_cstr(&b)) ==
	    GSASL_OK;
	buf_free(&b);
	return ok;
}

static bool
begin(struct scram *s, const struct scram_options *o)
{
	const char *name = o->binding.n > 0 ? "SCRAM-SHA-256-PLUS" :
	    "SCRAM-SHA-256";

	if (gsasl_init(&s->gsasl) != GSASL_OK)
		return false;
	gsasl_callback_set(s->gsasl, no_more);
	return gsasl_client_start(s->gsasl, name, &s->session) == GSASL_OK &&
	    gsasl_property_set(s->session, GSASL_AUTHID, o->user) ==
	    GSASL_OK &&
	    gsasl_property_set(s->session, GSASL_PASSWORD, o->password) ==
	    GSASL_OK &&
	    (o->binding.n == 0 || set_binding(s->session, o->binding));
}

struct scram *
scram_new(const struct scram_options *o)
{
	struct scram *s = mem_alloc(sizeof(*s));

	if (!begin(s, o))
		s->at = AT_END;
	return s;
}

void
scram_free(struct scram *s)
{
	if (s == NULL)
		return;
	if (s->session != NULL)
		gsasl_finish(s->session);
	if (s->gsasl != NULL)
		gsasl_done(s->gsasl);
	mem_free(s);
}

/* RFC 5802 7: server-first-message is "r=...,s=...,i=NUMBER", and what may come. */
static bool
count_is_fair(struct str message)
{
	struct str part;
	uint64_t n = 0;
	bool more = true, found = false;

	while (more) {
		more = str_cut(message, ',', &part, &message);
		if (!str_starts(part, STR("i=")))
			continue;
		if (found ||
		    str_u64(str_skip(part, 2), ITERATIONS_MAX, &n) < 0)
			return false;
		found = true;
	}
	return n >= ITERATIONS_MIN;
}

/* One step of the library's; what it says goes to OUT. */
static int
step(struct scram *s, struct str challenge, struct buf *out)
{
	char *p = NULL;
	size_t n = 0;
	int rc = gsasl_step(s->session, challenge.n ? challenge.p : NULL,
	    challenge.n, &p, &n);

	if ((rc == GSASL_OK || rc == GSASL_NEEDS_MORE) && n > 0)
		buf_add(out, str_n(p, n));
	gsasl_free(p);
	return rc;
}

enum mech_answer
scram_step(struct scram *s, struct str challenge, struct buf *out)
{
	enum scram_at at = s->at;
	int rc;

	if (at == AT_END || (at == AT_START && challenge.n > 0) ||
	    (at == AT_SERVER_FIRST && !count_is_fair(challenge)))
		return MECH_STRANGE;
	s->at++;
	rc = step(s, challenge, out);
	if (at == AT_SERVER_FINAL) {
		s->proved = rc == GSASL_OK;
		return s->proved ? MECH_SAY : MECH_FALSE;
	}
	return rc == GSASL_NEEDS_MORE ? MECH_SAY : MECH_STRANGE;
}

bool
scram_proved(const struct scram *s)
{
	return s->proved;
}
