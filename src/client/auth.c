/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * auth -- the client's side of AUTH (RFC 4954): CRAM-MD5, PLAIN, LOGIN.
 *
 * A password goes out in clear only under TLS, or where the configuration
 * says so.  A refusal is a temporary failure of the session, whatever its
 * code: it says something of our configuration, not of a message.  A
 * mechanism that the server does not know after all (504) gives way to the
 * next one.
 */

#include "engine.h"

#include "mail/text.h"

/* RFC 4954 4: with the initial response the line must keep to 512 octets. */
#define PLAIN_INITIAL_MAX (512 - 2 - 11)

static void
refuse(struct client *c, const char *why)
{
	struct reply r = client_words(c, "4.7.0", "%s", why);

	client_refused(c, TEMPFAIL, STEP_AUTH, &r);
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd, in base64. */
static void
add_plain(struct client *c)
{
	struct buf b;

	buf_init(&b, SMTP_AUTH_LINE_MAX);
	buf_addc(&b, '\0');
	buf_adds(&b, c->user);
	buf_addc(&b, '\0');
	buf_adds(&b, c->password);
	base64_add(&c->out, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
}

static size_t
plain_length(const struct client *c)
{
	size_t n = 2 + strlen(c->user) + strlen(c->password);

	return (n + 2) / 3 * 4;
}

static void
say_auth(struct client *c)
{
	c->auth_turn = 0;
	c->secret = true;
	switch (c->mech) {
	case MECH_CRAM_MD5:
		buf_add(&c->out, STR("AUTH CRAM-MD5"));
		break;
	case MECH_LOGIN:
		buf_add(&c->out, STR("AUTH LOGIN"));
		break;
	default:
		buf_add(&c->out, STR("AUTH PLAIN"));
		if (plain_length(c) > PLAIN_INITIAL_MAX)
			break;
		buf_addc(&c->out, ' ');
		add_plain(c);
		c->auth_turn = 1;
	}
	client_command(c, V_AUTH, RCPT_NONE);
}

/* Tries the best mechanism that is left; false: there is none. */
static bool
try_next(struct client *c)
{
	unsigned usable = c->mechs;

	if (!c->tls && !c->o.auth_in_clear)
		usable &= MECH_CRAM_MD5;
	if (usable == 0)
		return false;
	c->mech = usable & (~usable + 1);
	c->mechs &= ~c->mech;
	say_auth(c);
	return true;
}

void
client_auth_start(struct client *c)
{
	unsigned offered = c->mechs;

	if (!c->user)
		client_become_ready(c);
	else if (plain_length(c) > SMTP_AUTH_LINE_MAX - 2)
		refuse(c, "user name and password are too long for AUTH");
	else if (try_next(c))
		return;
	else if (!(c->ext & EXT_AUTH))
		refuse(c, "a login is wanted, but the server does not offer AUTH");
	else if (offered == 0)
		refuse(c, "the server offers no AUTH mechanism that we know");
	else
		refuse(c, "the server wants the password in clear text");
}

/* RFC 2195 2: base64 of user, space, digest of the challenge. */
static bool
answer_cram(struct client *c, const struct reply *r)
{
	struct buf challenge, answer;
	bool ok;

	buf_init(&challenge, SMTP_AUTH_LINE_MAX);
	buf_init(&answer, SMTP_AUTH_LINE_MAX);
	ok = base64_decode(r->text, &challenge) == 0 &&
	    cram_md5_add(&answer, str_c(c->user), str_c(c->password),
		buf_str(&challenge)) == 0 && buf_ok(&answer);
	if (ok)
		base64_add(&c->out, buf_str(&answer));
	buf_free(&challenge);
	buf_free(&answer);
	return ok;
}

/* Answers a challenge; false if none, or not this one, was to come. */
static bool
answer(struct client *c, const struct reply *r)
{
	unsigned turn = c->auth_turn++;

	switch (c->mech) {
	case MECH_CRAM_MD5:
		if (turn > 0 || !answer_cram(c, r))
			return false;
		break;
	case MECH_LOGIN:
		if (turn > 1)
			return false;
		base64_add(&c->out, turn == 0 ? str_c(c->user) :
		    str_c(c->password));
		break;
	default:
		if (turn > 0)
			return false;
		add_plain(c);
	}
	c->secret = true;
	client_command(c, V_AUTH, RCPT_NONE);
	return true;
}

void
client_on_auth(struct client *c, const struct reply *r)
{
	if (r->code / 100 == 2)
		client_become_ready(c);
	else if (r->code / 100 == 3 && !answer(c, r))
		client_protocol_error(c, STEP_AUTH, "a strange challenge");
	else if (r->code / 100 == 3 || (r->code == 504 && try_next(c)))
		return;
	else
		client_refused(c, TEMPFAIL, STEP_AUTH, r);
}
