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
 */

#include "sealing.h"

#include "check/found.h"
#include "job.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/arc_seal.h"
#include "net/dkim_key.h"
#include "published.h"
#include "runner.h"
#include "signing.h"

/* An RSA key of the largest size. */
#define SIGNATURE_MAX 1024
#define NO_KEY SIZE_MAX

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

/* The number of the key that seals now. */
static size_t
key_of(const struct job *j)
{
	struct signing_numbers keys = { .n = 0 };

	sealing_candidates(j, &keys);
	for (size_t i = 0; i < keys.n; i++)
		if (published_signs(j->r, keys.v[i]))
			return keys.v[i];
	return NO_KEY;
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

void
sealing_add(struct buf *out, const struct job *j, const struct dkim_text *t)
{
	size_t i = key_of(j);
	int sets = arc_sets(dkim_text_header(t));
	const struct conf_dkim *d;
	struct dkim_signer s;
	struct field results;

	/* What was found is of the text that came: lists leave its seals as they are. */
	if (i == NO_KEY || sets < 0 || was_found(j, sets == 0 ? "pass" : "none") ||
	    !found_field(dkim_text_header(t), j->r->conf->check.authserv, &results))
		return;
	d = &j->r->conf->dkim[i];
	s = (struct dkim_signer){ .domain = str_c(d->domain), .selector = str_c(d->selector),
		.algorithm = dkim_key_algorithm(j->r->dkim_keys[i]), .now = clock_wall(),
		.instance = (unsigned)sets + 1 };
	if (add_set(out, t, &s, j->r->dkim_keys[i], results.value))
		log_info(j->id, "ARC set %u added (s=%s, d=%s)", s.instance, d->selector,
		    d->domain);
	else
		log_error(j->id, "cannot seal with %s", d->key);
}
