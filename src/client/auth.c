/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * auth -- the client's side of AUTH (RFC 4954): which mechanism, and the
 * exchange; mech.c has what is said.
 *
 * A secret goes out in clear only under TLS, or where the configuration
 * says so.  A refusal is a temporary failure of the session, whatever its
 * code: it says something of our configuration, not of a message.  It is
 * not followed by another mechanism, so that nobody who stands between can
 * make us say more by refusing; only one that the server does not know
 * after all (504) gives way to the next.
 */

#include "engine.h"

#include "mail/cram.h"
#include "mail/text.h"

/* RFC 4954 4: with the initial response the line must keep to 512 octets. */
#define COMMAND_MAX 512

void
client_binding(struct client *c, struct str exporter)
{
	buf_reset(&c->binding);
	buf_add(&c->binding, exporter);
}

static void
refuse(struct client *c, const char *why)
{
	struct reply r = client_words(c, "4.7.0", "%s", why);

	client_refused(c, TEMPFAIL, STEP_AUTH, &r);
}

/* Adds the answer to CHALLENGE in base64. */
static enum mech_answer
add_answer(struct client *c, struct str challenge, size_t max, struct buf *out)
{
	enum mech_answer a;
	struct buf b;

	buf_init(&b, SMTP_AUTH_LINE_MAX);
	a = c->mech->answer(c, c->auth_turn, challenge, &b);
	if (a == MECH_SAY && !buf_ok(&b))
		a = MECH_STRANGE;
	if (a == MECH_SAY && (b.n + 2) / 3 * 4 <= max) {
		base64_add(out, buf_str(&b));
		c->auth_turn++;
	}
	buf_wipe(&b);
	buf_free(&b);
	return a;
}

static void
say_auth(struct client *c)
{
	size_t n = strlen("AUTH ") + c->mech->name.n;
	size_t before;

	c->auth_turn = 0;
	c->secret = true;
	buf_add(&c->out, STR("AUTH "));
	buf_add(&c->out, c->mech->name);
	if (c->mech->first) {
		before = c->out.n;
		buf_addc(&c->out, ' ');
		(void)add_answer(c, STR(""), COMMAND_MAX - 2 - n - 1, &c->out);
		/* What does not fit waits to be asked for. */
		if (c->auth_turn == 0)
			buf_cut(&c->out, before);
	}
	client_command(c, V_AUTH, RCPT_NONE);
}

/* What a mechanism could prove, we have. */
static bool
has_proof(const struct client *c, const struct mech *m)
{
	enum hmac_hash hash;

	if (m->bit == MECH_SCRAM_SHA_256_PLUS && c->binding.n == 0)
		return false;
	if (cram_hash(m->name, &hash) && c->o.cram[hash] != NULL)
		return true;
	if (m->bit == MECH_XOAUTH2 && c->prepared != NULL)
		return true;
	return m->token ? c->token != NULL : c->password != NULL;
}

/* Which mechanisms could be used if CLEAR were allowed. */
static unsigned
usable(const struct client *c, bool clear)
{
	unsigned bits = c->mechs & ~c->tried, found = 0;

	if (c->o.mechanisms != 0)
		bits &= c->o.mechanisms;
	for (size_t i = 0; i < client_mech_n; i++) {
		const struct mech *m = &client_mechs[i];

		if (bits & m->bit && has_proof(c, m) && (clear || !m->clear))
			found |= m->bit;
	}
	return found;
}

/* Tries the best mechanism that is left; false: there is none. */
static bool
try_next(struct client *c)
{
	unsigned bits = usable(c, c->tls || c->o.auth_in_clear);

	if (bits == 0)
		return false;
	for (size_t i = 0; i < client_mech_n; i++)
		if (client_mechs[i].bit == (bits & (~bits + 1)))
			c->mech = &client_mechs[i];
	c->tried |= c->mech->bit;
	say_auth(c);
	return true;
}

/* RFC 4954 4: longer than a line of the exchange may be. */
static bool
is_too_long(const struct client *c)
{
	size_t n = 64 + strlen(c->user), proof = 0;

	if (c->password)
		proof = strlen(c->password);
	if (c->token && strlen(c->token) > proof)
		proof = strlen(c->token);
	if (c->prepared && strlen(c->prepared) > proof)
		proof = strlen(c->prepared);
	return (n + proof + 2) / 3 * 4 > SMTP_AUTH_LINE_MAX - 2;
}

void
client_auth_start(struct client *c)
{
	c->tried = 0;
	if (!c->user)
		client_become_ready(c);
	else if (is_too_long(c))
		refuse(c, "user name and password are too long for AUTH");
	else if (try_next(c))
		return;
	else if (!(c->ext & EXT_AUTH))
		refuse(c, "a login is wanted, but the server does not offer AUTH");
	else if (usable(c, true) != 0)
		refuse(c, "the server wants the password in clear text");
	else
		refuse(c, "the server offers no AUTH mechanism that we can use");
}

static void
on_challenge(struct client *c, const struct reply *r)
{
	struct reply own;

	c->secret = true;
	switch (add_answer(c, r->text, SMTP_AUTH_LINE_MAX - 2, &c->out)) {
	case MECH_SAY:
		client_command(c, V_AUTH, RCPT_NONE);
		break;
	case MECH_STRANGE:
		client_protocol_error(c, STEP_AUTH, "a strange challenge");
		break;
	case MECH_FALSE:
		own = client_words(c, "4.7.0",
		    "the server does not know the password itself");
		client_give_up(c, TEMPFAIL, STEP_AUTH, &own);
	}
}

/* A refusal, with what was said of the token before. */
static void
refused(struct client *c, const struct reply *r)
{
	struct reply own;

	if (c->auth_error.n == 0) {
		client_refused(c, TEMPFAIL, STEP_AUTH, r);
		return;
	}
	own = client_words(c, r->enhanced, STR_FMT " (" STR_FMT ")",
	    STR_ARG(str_head(r->text, 500)),
	    STR_ARG(str_head(buf_str(&c->auth_error), 500)));
	own.code = r->code;
	client_refused(c, TEMPFAIL, STEP_AUTH, &own);
}

/* RFC 5802 5: without the server's proof anybody could have said yes. */
static bool
is_unproved(const struct client *c)
{
	return c->scram != NULL && !scram_proved(c->scram);
}

void
client_on_auth(struct client *c, const struct reply *r)
{
	if (r->code / 100 == 3) {
		on_challenge(c, r);
		return;
	}
	if (r->code / 100 == 2 && is_unproved(c)) {
		client_protocol_error(c, STEP_AUTH,
		    "a login without the server's proof");
		return;
	}
	scram_free(c->scram);
	c->scram = NULL;
	if (r->code / 100 == 2)
		client_become_ready(c);
	else if (r->code != 504 || !try_next(c))
		refused(c, r);
}
