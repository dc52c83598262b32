/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * mech -- what is said in the exchange of each AUTH mechanism.
 *
 * In the order in which they are tried: a token where there is one, then
 * what never shows the password, the strongest first.  CRAM comes after SCRAM,
 * since its server is not proved, and a guess is soon tried; PLAIN and LOGIN
 * (which has no RFC, only a draft that everybody knows) trust in TLS alone.
 */

#include "engine.h"

#include "mail/cram.h"
#include "mail/text.h"

/* RFC 4616 2: [authzid] NUL authcid NUL passwd. */
static enum mech_answer
plain(struct client *c, unsigned turn, struct str challenge, struct buf *out)
{
	(void)challenge;
	if (turn > 0)
		return MECH_STRANGE;
	buf_addc(out, '\0');
	buf_adds(out, c->user);
	buf_addc(out, '\0');
	buf_adds(out, c->password);
	return MECH_SAY;
}

/* What the challenges say does not matter: the user, then the password. */
static enum mech_answer
login(struct client *c, unsigned turn, struct str challenge, struct buf *out)
{
	(void)challenge;
	if (turn > 1)
		return MECH_STRANGE;
	buf_adds(out, turn == 0 ? c->user : c->password);
	return MECH_SAY;
}

/* RFC 2195 2. */
static enum mech_answer
cram(struct client *c, unsigned turn, struct str challenge, struct buf *out)
{
	enum hmac_hash hash;
	struct buf b;
	bool ok;

	if (turn > 0 || !cram_hash(c->mech->name, &hash))
		return MECH_STRANGE;
	buf_init(&b, SMTP_AUTH_LINE_MAX);
	ok = base64_decode(challenge, &b) == 0;
	if (ok && c->password == NULL)
		cram_add_of(out, &c->cram[hash], str_c(c->user), buf_str(&b));
	else if (ok)
		ok = cram_add(out, hash, str_c(c->user), str_c(c->password),
		    buf_str(&b)) == 0;
	buf_free(&b);
	return ok ? MECH_SAY : MECH_STRANGE;
}

static void
scram_begin(struct client *c)
{
	bool plus = c->mech->bit == MECH_SCRAM_SHA_256_PLUS;
	struct scram_options o = { .user = c->user, .password = c->password,
		.binding = plus ? buf_str(&c->binding) : STR("") };

	scram_free(c->scram);
	c->scram = scram_new(&o);
}

static enum mech_answer
scram(struct client *c, unsigned turn, struct str challenge, struct buf *out)
{
	enum mech_answer a = MECH_STRANGE;
	struct buf b;

	if (turn == 0)
		scram_begin(c);
	buf_init(&b, SMTP_AUTH_LINE_MAX);
	if (base64_decode(challenge, &b) == 0)
		a = scram_step(c->scram, buf_str(&b), out);
	buf_free(&b);
	return a;
}

/* What the server says of a token that it refuses: JSON. */
static void
note_error(struct client *c, struct str challenge)
{
	buf_reset(&c->auth_error);
	if (base64_decode(challenge, &c->auth_error) < 0)
		buf_reset(&c->auth_error);
}

/* Google's and Microsoft's, older than the RFC. */
static enum mech_answer
xoauth2(struct client *c, unsigned turn, struct str challenge,
    struct buf *out)
{
	if (turn > 1)
		return MECH_STRANGE;
	if (turn == 1) {
		/* An empty answer makes it say 535. */
		note_error(c, challenge);
		return MECH_SAY;
	}
	if (c->prepared != NULL) {
		buf_adds(out, c->prepared);
		return MECH_SAY;
	}
	buf_adds(out, "user=");
	buf_adds(out, c->user);
	buf_adds(out, "\001auth=Bearer ");
	buf_adds(out, c->token);
	buf_adds(out, "\001\001");
	return MECH_SAY;
}

/* RFC 5801 4: a saslname. */
static void
add_saslname(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			buf_adds(b, "=2C");
		else if (*name == '=')
			buf_adds(b, "=3D");
		else
			buf_addc(b, *name);
	}
}

/* RFC 7628 3.1; 3.2.3: a refusal is acknowledged with a control-A. */
static enum mech_answer
oauthbearer(struct client *c, unsigned turn, struct str challenge,
    struct buf *out)
{
	if (turn > 1)
		return MECH_STRANGE;
	if (turn == 1) {
		note_error(c, challenge);
		buf_addc(out, '\001');
		return MECH_SAY;
	}
	buf_adds(out, "n,a=");
	add_saslname(out, c->user);
	buf_adds(out, ",\001auth=Bearer ");
	buf_adds(out, c->token);
	buf_adds(out, "\001\001");
	return MECH_SAY;
}

#define NAME(s) { s, sizeof(s) - 1 }
/* clang-format off */
const struct mech client_mechs[] = {
	/* bit			   name			    token  clear  first  answer */
	{ MECH_OAUTHBEARER,	   NAME("OAUTHBEARER"),	    true,  true,  true,  oauthbearer },
	{ MECH_XOAUTH2,		   NAME("XOAUTH2"),	    true,  true,  true,  xoauth2 },
	{ MECH_SCRAM_SHA_256_PLUS, NAME("SCRAM-SHA-256-PLUS"), false, false, true,  scram },
	{ MECH_SCRAM_SHA_256,	   NAME("SCRAM-SHA-256"),   false, false, true,  scram },
	{ MECH_CRAM_SHA512,	   NAME("CRAM-SHA512"),	    false, false, false, cram },
	{ MECH_CRAM_SHA256,	   NAME("CRAM-SHA256"),	    false, false, false, cram },
	{ MECH_CRAM_SHA1,	   NAME("CRAM-SHA1"),	    false, false, false, cram },
	{ MECH_CRAM_MD5,	   NAME("CRAM-MD5"),	    false, false, false, cram },
	{ MECH_PLAIN,		   NAME("PLAIN"),	    false, true,  true,  plain },
	{ MECH_LOGIN,		   NAME("LOGIN"),	    false, true,  false, login },
};
/* clang-format on */
const size_t client_mech_n = ARRAY_LEN(client_mechs);

unsigned
client_mechanism(struct str name)
{
	for (size_t i = 0; i < client_mech_n; i++)
		if (str_ieq(name, client_mechs[i].name))
			return client_mechs[i].bit;
	return 0;
}
