/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * signing -- which mail is signed by DKIM, and with which keys; mail of others
 * may be sealed (sealing.c).
 *
 * Only what came from who may send anywhere, and our own reports: to sign
 * what a stranger hands in with an address of ours in From would be to vouch
 * for the forgery.  The keys are those that the configuration has for that From
 * (RFC 6376 6.3, DMARC), each of which makes a field of its own.
 *
 * A message may bring keys of its own (queue/own_keys.h), which sign besides, whoever
 * it is from: who brings a key could have signed with it himself.
 *
 * Those of the configuration are read before the privileges go.  One that cannot be read was
 * complained of when the configuration came into force; mail leaves without
 * its signature then.
 */

#include "signing.h"

#include "job.h"
#include "list.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/dkim.h"
#include "net/dkim_key.h"
#include "published.h"
#include "queue/own_keys.h"
#include "runner.h"
#include "sealing.h"

/* An RSA key of the largest size. */
#define SIGNATURE_MAX 1024

void
signing_load(struct runner *r)
{
	const struct conf *c = r->conf;
	struct buf error;

	r->dkim_keys = mem_array(c->dkim_n + 1, sizeof(struct dkim_key *));
	buf_init(&error, 8192);
	for (size_t i = 0; i < c->dkim_n; i++) {
		buf_reset(&error);
		r->dkim_keys[i] = dkim_key_load(c->dkim[i].key, &error);
		if (r->dkim_keys[i] == NULL)
			log_error(NULL, "the key of dkim-sign \"%s\" cannot be "
			    "used: %s", c->dkim[i].domain, buf_cstr(&error));
	}
	buf_free(&error);
	published_load(r);
}

void
signing_free(struct runner *r)
{
	for (size_t i = 0; i < r->conf->dkim_n; i++)
		dkim_key_free(r->dkim_keys[i]);
	mem_free(r->dkim_keys);
	published_free(r);
}

bool
signing_wanted(const struct job *j)
{
	return j->file.env.dkim.n > 0 ||
	    (j->r->conf->dkim_n > 0 && (j->file.env.ours || sealing_wanted(j)));
}

/* ---- the keys of a message ---------------------------------------------- */

const struct own_keys *
signing_own(struct job *j)
{
	const char *why;

	if (j->file.env.dkim.n == 0 || j->own != NULL)
		return j->own;
	j->own = arena_alloc(&j->arena, sizeof(*j->own));
	/* They were looked at when it came; a time may be too far away by now. */
	why = own_keys_read(j->file.env.dkim, clock_wall(), &j->arena, j->own);
	if (why != NULL)
		log_error(j->id, "not signed with its own keys: %s", why);
	return j->own;
}

void
signing_forget(struct job *j)
{
	if (j->own != NULL)
		own_keys_free(j->own);
	j->own = NULL;
}

bool
signing_simple(struct job *j)
{
	const struct own_keys *own = signing_own(j);

	for (size_t i = 0; own != NULL && i < own->n; i++)
		if ((own->v[i].forms & CONF_DKIM_SIMPLE_BODY) != 0)
			return true;
	return conf_dkim_any_simple(j->r->conf);
}

/* ---- fields ------------------------------------------------------------- */

/* Adds the signature of S by KEY, and says so. */
static void
add_field(struct buf *out, const struct job *j, const struct dkim_text *t,
    const struct dkim_signer *s, const struct dkim_key *key)
{
	unsigned char digest[SHA256_SIZE];
	struct buf field, signature;
	bool ok;

	buf_init(&field, DKIM_FIELD_MAX);
	buf_init(&signature, SIGNATURE_MAX);
	ok = dkim_field_begin(t, s, &field, digest) == 0 &&
	    dkim_key_sign(key, digest, &signature) == 0;
	if (ok)
		dkim_field_end(&field, buf_str(&signature));
	ok = ok && buf_ok(&field);
	if (ok) {
		buf_add(out, buf_str(&field));
		log_info(j->id, "DKIM-Signature field added (s=" STR_FMT ", d=" STR_FMT ")",
		    STR_ARG(s->selector), STR_ARG(s->domain));
	} else
		log_error(j->id, "cannot sign (s=" STR_FMT ", d=" STR_FMT ")",
		    STR_ARG(s->selector), STR_ARG(s->domain));
	buf_free(&signature);
	buf_free(&field);
}

static struct dkim_signer
signer(struct str domain, struct str selector, const struct dkim_key *key, int forms)
{
	return (struct dkim_signer){ .domain = domain, .selector = selector,
		.algorithm = dkim_key_algorithm(key), .now = clock_wall(),
		.simple_header = (forms & CONF_DKIM_SIMPLE_HEADER) != 0,
		.simple_body = (forms & CONF_DKIM_SIMPLE_BODY) != 0 };
}

/* By key number I of the configuration. */
static void
sign_by(struct buf *out, const struct job *j, const struct dkim_text *t, size_t i)
{
	const struct conf_dkim *d = &j->r->conf->dkim[i];
	const struct dkim_key *key = j->r->dkim_keys[i];
	struct dkim_signer s = signer(str_c(d->domain), str_c(d->selector), key, d->forms);

	s.reports = d->reports;
	s.more = d->more;
	s.more_n = d->headers.n;
	if (d->expire > 0)
		s.expires = s.now + d->expire / 1000;
	add_field(out, j, t, &s, key);
}

static void
sign_own(struct buf *out, const struct job *j, const struct dkim_text *t,
    const struct own_keys *own)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct own_key *k = &own->v[i];
		struct dkim_signer s = signer(k->domain, k->selector, k->key, k->forms);

		if (!k->signs)
			continue;
		s.reports = k->reports;
		s.more = k->more;
		s.more_n = k->more_n;
		s.expires = k->expires;
		if (k->expires == 0 || k->expires > s.now)
			add_field(out, j, t, &s, k->key);
		else
			log_warn(j->id, "not signed (s=" STR_FMT ", d=" STR_FMT "): its time "
			    "is over", STR_ARG(k->selector), STR_ARG(k->domain));
	}
}

/*
 * By the author, or a list of ours, which signs what it changed, whoever that is;
 * false: there is no key for it.
 */
static bool
choose(const struct job *j, const struct dkim_text *t, struct conf_dkim_keys *keys)
{
	const struct envelope *e = &j->file.env;
	int64_t now = clock_wall();

	conf_dkim_choose(j->r->conf, dkim_text_local(t), dkim_text_domain(t), now, keys);
	if (keys->n == 0 && keys->off == NULL && str_eq(e->proto, STR(LIST_PROTO)))
		conf_dkim_choose(j->r->conf, e->from.local, e->from.domain, now, keys);
	return keys->n > 0 || keys->off != NULL;
}

void
signing_candidates(const struct job *j, const struct dkim_text *t,
    struct signing_numbers *keys)
{
	struct conf_dkim_keys own;

	keys->n = 0;
	if (j->file.env.ours && choose(j, t, &own))
		for (size_t i = 0; i < own.n; i++)
			keys->v[keys->n++] = own.v[i];
	if (sealing_wanted(j))
		sealing_candidates(j, keys);
}

static void
sign_ours(struct buf *out, const struct job *j, const struct dkim_text *t)
{
	const struct conf *c = j->r->conf;
	struct conf_dkim_keys keys;
	bool any = false;

	if (!choose(j, t, &keys))
		return;
	for (size_t i = 0; i < keys.n; i++) {
		if (j->r->dkim_keys[keys.v[i]] == NULL)
			continue;
		any = true;
		/* What DNS does not have was said when that was found. */
		if (!published_signs(j->r, keys.v[i]))
			continue;
		sign_by(out, j, t, keys.v[i]);
	}
	if (keys.more > 0)
		log_warn(j->id, "%zu keys that are for it do not sign: there are %d "
		    "before them", keys.more, CONF_DKIM_KEYS_MAX);
	if (!any)
		log_warn(j->id, "not signed: no key of %s signs now",
		    keys.n > 0 ? c->dkim[keys.v[0]].domain : keys.off->domain);
}

void
signing_read(void *text, struct str piece)
{
	dkim_text_add(text, piece);
}

struct str
signing_fields(struct job *j, struct dkim_text *t)
{
	const struct own_keys *own = signing_own(j);
	const char *why = dkim_text_end(t);
	struct str fields;
	struct buf b;

	if (why != NULL) {
		log_warn(j->id, "not signed: %s", why);
		return STR("");
	}
	buf_init(&b, (2 * CONF_DKIM_KEYS_MAX + 3) * DKIM_FIELD_MAX);
	/* A seal is of what it stands above, but for our own signatures. */
	sealing_add(&b, j, t);
	if (own != NULL)
		sign_own(&b, j, t, own);
	if (j->file.env.ours && (own == NULL || !own->alone))
		sign_ours(&b, j, t);
	fields = b.n > 0 ? arena_str(&j->arena, buf_str(&b)) : STR("");
	buf_free(&b);
	return fields;
}
