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
 * The keys are read before the privileges go.  One that cannot be read was
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
	return j->r->conf->dkim_n > 0 && (j->file.env.ours || sealing_wanted(j));
}

/* Adds the signature by key number I; false if that cannot be made. */
static bool
add_field(struct buf *out, const struct job *j, size_t i,
    const struct dkim_text *t)
{
	const struct conf_dkim *d = &j->r->conf->dkim[i];
	const struct dkim_key *key = j->r->dkim_keys[i];
	struct dkim_signer s = { .domain = str_c(d->domain),
		.selector = str_c(d->selector),
		.algorithm = dkim_key_algorithm(key),
		.now = clock_wall(),
		.reports = d->reports,
		.simple_header = (d->forms & CONF_DKIM_SIMPLE_HEADER) != 0,
		.simple_body = (d->forms & CONF_DKIM_SIMPLE_BODY) != 0 };
	unsigned char digest[SHA256_SIZE];
	struct buf field, signature;
	bool ok;

	if (d->expire > 0)
		s.expires = s.now + d->expire / 1000;
	buf_init(&field, DKIM_FIELD_MAX);
	buf_init(&signature, SIGNATURE_MAX);
	ok = dkim_field_begin(t, &s, &field, digest) == 0 &&
	    dkim_key_sign(key, digest, &signature) == 0;
	if (ok)
		dkim_field_end(&field, buf_str(&signature));
	ok = ok && buf_ok(&field);
	if (ok)
		buf_add(out, buf_str(&field));
	buf_free(&signature);
	buf_free(&field);
	return ok;
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
		const struct conf_dkim *d = &c->dkim[keys.v[i]];

		if (j->r->dkim_keys[keys.v[i]] == NULL)
			continue;
		any = true;
		/* What DNS does not have was said when that was found. */
		if (!published_signs(j->r, keys.v[i]))
			continue;
		if (add_field(out, j, keys.v[i], t))
			log_info(j->id, "DKIM-Signature field added (s=%s, d=%s)",
			    d->selector, d->domain);
		else
			log_error(j->id, "cannot sign with %s", d->key);
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
	const char *why = dkim_text_end(t);
	struct str fields;
	struct buf b;

	if (why != NULL) {
		log_warn(j->id, "not signed: %s", why);
		return STR("");
	}
	buf_init(&b, (CONF_DKIM_KEYS_MAX + 3) * DKIM_FIELD_MAX);
	/* A seal is of what it stands above, but for our own signatures. */
	if (sealing_wanted(j))
		sealing_add(&b, j, t);
	if (j->file.env.ours)
		sign_ours(&b, j, t);
	fields = b.n > 0 ? arena_str(&j->arena, buf_str(&b)) : STR("");
	buf_free(&b);
	return fields;
}
