/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * explain_sign -- which keys sign mail that leaves: those of the configuration for its
 * author, with what DNS has of those that need it, and those that a message brings.
 *
 * Of a key that it brings only its name is said.
 */

#include "explain.h"

#include <unistd.h>

#include "check/published.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "mail/dkim.h"
#include "mail/limits.h"
#include "net/dkim_key.h"
#include "queue/own_keys.h"

#define NAME_MAX_OCTETS 512
#define ERROR_MAX 8192
#define ED25519_BITS 256u

/* What becomes of a key that signs only while DNS has it. */
static const char *
why_not(struct explain *x, const struct conf_dkim *d)
{
	struct found_records f;
	struct dkim_key *key;
	struct buf b;
	const char *why;
	bool testing;

	buf_init(&b, ERROR_MAX);
	key = dkim_key_load(d->key, &b);
	buf_reset(&b);
	buf_addf(&b, "%s._domainkey.%s", d->selector, d->domain);
	lookup_txt(x->dns, buf_cstr(&b), &f);
	if (f.status == DNS_TEMPORARY)
		why = "DNS gives no answer";
	else if (key == NULL && f.n > 0)
		why = "its key cannot be read here, to be held against its record";
	else
		why = published_why_not(f.text, f.n, key, &testing);
	dkim_key_free(key);
	buf_free(&b);
	return why;
}

static void
say_key(struct explain *x, const struct conf_dkim *d)
{
	const char *why = d->only_published ? why_not(x, d) : NULL;

	if (why != NULL)
		explain_say(x, "unsigned", d->place, "as %s by %s: %s (only-published)",
		    d->domain, d->selector, why);
	else
		explain_say(x, "signature", d->place, "as %s by %s%s", d->domain, d->selector,
		    d->only_published ? ", which DNS has" : "");
}

void
explain_sign(struct explain *x, const struct path *author)
{
	const struct conf *c = x->conf;
	struct conf_dkim_keys keys;

	if (c->dkim_n == 0 || author->domain.n == 0)
		return;
	conf_dkim_choose(c, author->local, author->domain, clock_wall(), &keys);
	for (size_t i = 0; i < keys.n; i++)
		say_key(x, &c->dkim[keys.v[i]]);
	if (keys.more > 0)
		explain_say(x, "unsigned", CONF_NOWHERE, "by %zu more: %d sign a message at "
		    "most", keys.more, CONF_DKIM_KEYS_MAX);
	if (keys.n == 0 && keys.off != NULL)
		explain_say(x, "unsigned", keys.off->place, "no key of %s signs now",
		    keys.off->domain);
	else if (keys.n == 0)
		explain_say(x, "unsigned", CONF_NOWHERE, "no key is for mail from <" STR_FMT "@"
		    STR_FMT ">", STR_ARG(author->local), STR_ARG(author->domain));
}

/* ---- of a message ----------------------------------------------------------------- */

static void
say_own(struct explain *x, const struct own_keys *own)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct own_key *k = &own->v[i];
		unsigned bits = dkim_key_bits(k->key);

		explain_say(x, "own-key", CONF_NOWHERE, "as " STR_FMT " by " STR_FMT ", %s of %u "
		    "bits: %s", STR_ARG(k->domain), STR_ARG(k->selector),
		    dkim_key_type(k->key), bits > 0 ? bits : ED25519_BITS,
		    !k->seals ? "a signature" : k->signs ? "a signature and a seal" : "a seal");
		if (k->expires != 0 && k->expires <= clock_wall())
			explain_say(x, "unsigned", CONF_NOWHERE, "by " STR_FMT ": its time is "
			    "over", STR_ARG(k->selector));
	}
}

/* The author, as signing goes by it; false: its header cannot be signed. */
static bool
author_of(const struct queue_file *f, struct arena *a, struct path *author)
{
	char *p = mem_alloc(MAIL_HEADER_MAX);
	struct dkim_text *t = dkim_text_new(false, false);
	size_t n = f->size < MAIL_HEADER_MAX ? (size_t)f->size : MAIL_HEADER_MAX;
	ssize_t got = pread(f->fd, p, n, f->text_at);
	bool ok = false;

	if (got > 0) {
		dkim_text_add(t, str_n(p, (size_t)got));
		ok = dkim_text_end(t) == NULL;
	}
	if (ok) {
		author->local = arena_str(a, dkim_text_local(t));
		author->domain = arena_str(a, dkim_text_domain(t));
	}
	dkim_text_free(t);
	mem_free(p);
	return ok;
}

void
explain_sign_message(struct explain *x, const struct queue_file *f, struct arena *a)
{
	struct own_keys *own = mem_alloc(sizeof(*own));
	const struct envelope *e = &f->env;
	const char *why = NULL;
	struct path author;

	*own = (struct own_keys){ .n = 0 };
	if (e->dkim.n > 0)
		why = own_keys_read(e->dkim, clock_wall(), a, own);
	if (why != NULL)
		explain_say(x, "unsigned", CONF_NOWHERE, "%s", why);
	say_own(x, own);
	if (e->ours && !own->alone && x->conf->dkim_n > 0) {
		if (author_of(f, a, &author))
			explain_sign(x, &author);
		else
			explain_say(x, "unsigned", CONF_NOWHERE,
			    "its header is broken, or has no single author");
	}
	own_keys_free(own);
	mem_free(own);
}
