/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * login -- which mechanisms are on offer.
 *
 * Clients take the strongest that they see and try no other, so one by which
 * nobody can log in is not offered: CRAM and SCRAM need what is stored of a
 * password to be more than a hash, and a token somebody who knows it.
 */

#include "policy/login.h"

#include "mail/sasl.h"

struct str
login_account(const struct conf *c, struct str user)
{
	ptrdiff_t at = str_rfind(user, '@');

	if (at > 0 && conf_is_local(c, str_skip(user, (size_t)at + 1)))
		return str_head(user, (size_t)at);
	return user;
}

static bool
has_name(const struct conf_strs *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_ieq(str_c(names->v[i]), name))
			return true;
	return false;
}

bool
login_is_wanted(const struct conf *c, struct str name)
{
	return has_name(&c->auth.mechanisms, name);
}

bool
login_is_safe(const struct conf *c, const struct login_facts *f,
    struct str mechanism)
{
	return f->tls ||
	    (!f->tls_demanded && has_name(&c->auth.without_tls, mechanism));
}

/* Whether a backend knows tokens, or passwords. */
static bool
has_backend(const struct conf *c, bool tokens)
{
	for (size_t i = 0; i < c->auth.backends.n; i++)
		if (str_starts(str_c(c->auth.backends.v[i]), STR("oauth://")) == tokens)
			return true;
	return false;
}

/* Whether there is anybody who could log in by MECHANISM. */
static bool
is_of_use(const struct conf *c, const struct login_facts *f, unsigned mechanism)
{
	if (!has_backend(c, (mechanism & SASL_TOKEN) != 0))
		return false;
	if (mechanism & SASL_CRAM)
		return (f->digests & 1u << sasl_hash(mechanism)) != 0;
	switch (mechanism) {
	case SASL_SCRAM_SHA_256:
		return f->scram;
	case SASL_SCRAM_SHA_256_PLUS:
		return f->scram && f->tls;
	case SASL_EXTERNAL:
		return false;
	default:
		return true;
	}
}

unsigned
login_offers(const struct conf *c, const struct login_facts *f)
{
	unsigned bits = f->certified && f->tls ? SASL_EXTERNAL : 0;

	for (size_t i = 0; i < c->auth.mechanisms.n; i++) {
		struct str name = str_c(c->auth.mechanisms.v[i]);
		unsigned m = sasl_mechanism(name);

		if (m != 0 && is_of_use(c, f, m) && login_is_safe(c, f, name))
			bits |= m;
	}
	return bits;
}

unsigned
login_offers_in_tls(const struct conf *c, const struct login_facts *f)
{
	struct login_facts in_tls = *f;

	in_tls.tls = true;
	return login_offers(c, &in_tls);
}

void
login_list(const struct conf *c, unsigned bits, struct buf *b)
{
	if (bits & SASL_EXTERNAL)
		buf_adds(b, " EXTERNAL");
	bits &= ~(unsigned)SASL_EXTERNAL;
	for (size_t i = 0; i < c->auth.mechanisms.n; i++) {
		unsigned m = sasl_mechanism(str_c(c->auth.mechanisms.v[i]));

		if ((m & bits) == 0)
			continue;
		bits &= ~m;
		buf_addc(b, ' ');
		buf_adds(b, sasl_name(m));
	}
}
