/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sealing -- which mail of others is sealed by ARC as it is passed on.
 *
 * A seal vouches for what was found of a message when it came in, and for the
 * seals before it.  So only mail is sealed of which our own check of ARC is in
 * the envelope, where no stranger writes; and none whose chain had failed, to
 * which nobody can add anything that would be believed (RFC 8617 5.1.2).  What
 * was found is in the field that we put on it then: those of others that
 * claimed to be ours were taken out.
 *
 * A message that brings a key for it is sealed with that, though nobody looked at it,
 * as long as there are no seals before.
 */

#include "sealing.h"

#include "check/found.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/arc_seal.h"
#include "net/dkim_key.h"
#include "published.h"
#include "queue/own_keys.h"
#include "runner.h"
#include "signing.h"

/* An RSA key of the largest size. */
#define SIGNATURE_MAX 1024

static bool
may_seal(const struct runner *r, size_t i)
{
	return r->conf->dkim[i].arc && r->dkim_keys[i] != NULL &&
	    conf_dkim_is_on(&r->conf->dkim[i], clock_wall());
}

void
sealing_candidates(const struct job *j, struct signing_numbers *keys)
{
	for (size_t i = 0; i < j->r->conf->dkim_n && keys->n < ARRAY_LEN(keys->v); i++)
		if (may_seal(j->r, i))
			keys->v[keys->n++] = i;
}

static bool
was_found(const struct job *j, const char *result)
{
	return found_result(j->file.env.checks, "arc", result);
}

bool
sealing_wanted(const struct job *j)
{
	const struct conf *c = j->r->conf;
	bool any = false;

	for (size_t i = 0; i < c->dkim_n; i++)
		any = any || c->dkim[i].arc;
	return any && (was_found(j, "none") || was_found(j, "pass"));
}

/* Signs DIGEST by KEY and adds what is to stand behind "b=". */
static bool
end_field(struct buf *field, const struct dkim_key *key, const unsigned char *digest)
{
	struct buf signature;
	bool ok;

	buf_init(&signature, SIGNATURE_MAX);
	ok = dkim_key_sign(key, digest, &signature) == 0;
	if (ok)
		dkim_field_end(field, buf_str(&signature));
	buf_free(&signature);
	return ok && buf_ok(field);
}

/* Writes the set into OUT, the seal first. */
static bool
add_set(struct buf *out, const struct dkim_text *t, const struct dkim_signer *s,
    const struct dkim_key *key, struct str results)
{
	unsigned char digest[SHA256_SIZE];
	struct buf seal, message, new;
	bool ok;

	buf_init(&seal, DKIM_FIELD_MAX);
	buf_init(&message, DKIM_FIELD_MAX);
	buf_init(&new, 2 * DKIM_FIELD_MAX);
	ok = dkim_field_begin(t, s, &message, digest) == 0 && end_field(&message, key, digest);
	buf_add(&new, buf_str(&message));
	arc_results_add(&new, s->instance, results);
	ok = ok && buf_ok(&new) &&
	    arc_seal_begin(dkim_text_header(t), buf_str(&new), s, &seal, digest) == 0 &&
	    end_field(&seal, key, digest);
	if (ok) {
		buf_add(out, buf_str(&seal));
		buf_add(out, buf_str(&new));
	}
	buf_free(&seal);
	buf_free(&message);
	buf_free(&new);
	return ok;
}

/* ---- who seals ---------------------------------------------------------- */

struct sealer {
	struct dkim_signer s;
	const struct dkim_key *key;	/* NULL: nobody seals */
	bool own;		/* it came with the message */
};

static struct sealer
sealer(struct str domain, struct str selector, const struct dkim_key *key)
{
	return (struct sealer){ .key = key, .s = { .domain = domain, .selector = selector,
		.algorithm = dkim_key_algorithm(key), .now = clock_wall() } };
}

/* The first that the message brings for it, else the first of ours. */
static struct sealer
choose(struct job *j)
{
	const struct own_keys *own = signing_own(j);
	struct signing_numbers keys = { .n = 0 };
	struct sealer by;

	for (size_t i = 0; own != NULL && i < own->n; i++) {
		const struct own_key *k = &own->v[i];

		if (!k->seals || (k->expires != 0 && k->expires <= clock_wall()))
			continue;
		by = sealer(k->domain, k->selector, k->key);
		by.s.more = k->more;
		by.s.more_n = k->more_n;
		by.own = true;
		return by;
	}
	if (sealing_wanted(j) && (own == NULL || !own->alone))
		sealing_candidates(j, &keys);
	for (size_t i = 0; i < keys.n; i++) {
		const struct conf_dkim *d = &j->r->conf->dkim[keys.v[i]];

		if (published_signs(j->r, keys.v[i]))
			return sealer(str_c(d->domain), str_c(d->selector),
			    j->r->dkim_keys[keys.v[i]]);
	}
	return (struct sealer){ .key = NULL };
}

/* What the set says was found: our field, or nothing of what nobody looked at. */
static bool
results_of(struct job *j, const struct dkim_text *t, bool own, struct str *results)
{
	const char *authserv = j->r->conf->check.authserv;
	struct field f;

	if (j->file.env.checks.n > 0 && found_field(dkim_text_header(t), authserv, &f)) {
		*results = f.value;
		return true;
	}
	*results = str_c(arena_printf(&j->arena, "%s; none", authserv));
	return own;
}

void
sealing_add(struct buf *out, struct job *j, const struct dkim_text *t)
{
	struct sealer by = choose(j);
	int sets = arc_sets(dkim_text_header(t));
	struct str results;

	/* What was found is of the text that came: lists leave its seals as they are. */
	if (by.key == NULL || (sets == 0 && was_found(j, "pass")))
		return;
	/* Whether those before are good is what a seal says. */
	if (sets < 0 || (sets > 0 && !was_found(j, "pass"))) {
		if (by.own)
			log_warn(j->id, "not sealed: nobody here found its seals good");
		return;
	}
	if (!results_of(j, t, by.own, &results))
		return;
	by.s.instance = (unsigned)sets + 1;
	if (add_set(out, t, &by.s, by.key, results))
		log_info(j->id, "ARC set %u added (s=" STR_FMT ", d=" STR_FMT ")", by.s.instance,
		    STR_ARG(by.s.selector), STR_ARG(by.s.domain));
	else
		log_error(j->id, "cannot seal (s=" STR_FMT ", d=" STR_FMT ")",
		    STR_ARG(by.s.selector), STR_ARG(by.s.domain));
}
