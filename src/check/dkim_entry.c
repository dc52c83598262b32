/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dkim_entry -- one signature, from its field to its result (RFC 6376 6.1).
 *
 * The first reason against it settles it, the cheap ones first: what its field
 * says, the time, the hash of the body, and its key at last.  Everything that
 * it keeps of the field is a copy, clean for a header and a log.
 *
 * One that signs only a part of the body (l=) never passes, be it right or not:
 * whoever passed it on could have put anything behind it (RFC 6376 8.2).
 */

#include "dkim_private.h"

#include "lib/idn.h"
#include "mail/dkim_record.h"
#include "mail/path.h"
#include "net/dkim_public.h"

/* A sender's clock may be ahead of ours by so many seconds. */
#define AHEAD_MAX 3600
/* Records of a name that are tried (RFC 6376 6.1.2 leaves it to us). */
#define RECORDS_MAX 3
/* RFC 6008 4: at least eight of them; more where others begin so. */
#define B_KEPT 64
#define IDENTITY_MAX 320
#define ALGORITHM_MAX 32
/* A domain in UTF-8 may become longer; one that is this long is none. */
#define NAME_FORM_MAX 1024

static void
settle(struct dkim_entry *e, enum dkim_result result, const char *reason)
{
	e->settled = true;
	e->result = result;
	e->reason = reason;
}

/* ---- its texts ------------------------------------------------------------------- */

static bool
is_clean(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

/* NAME in lower case and ASCII, or empty: nothing that DNS could have (RFC 8616 4). */
static struct str
take_name(struct dkim_check *c, struct str name)
{
	struct buf b, probe;
	struct str kept = STR("");

	buf_init(&b, NAME_FORM_MAX);
	buf_init(&probe, 2 * NAME_FORM_MAX);
	if (name.n <= NAME_FORM_MAX && idn_add(&b, name) == NULL && buf_ok(&b)) {
		buf_adds(&probe, "_dmarc.");
		buf_add(&probe, buf_str(&b));
		if (msg_txt_may_ask(buf_str(&probe)))
			kept = arena_lower(&c->arena, buf_str(&b));
	}
	buf_free(&probe);
	buf_free(&b);
	return kept;
}

/* True if NAME is DOMAIN, or *BELOW: a subdomain of it. */
static bool
is_within(struct str name, struct str domain, bool *below)
{
	*below = domain_is_below(name, domain);
	return *below || str_eq(name, domain);
}

/* "local@domain", where white space may stand (RFC 6376 3.5); false: it is none of the domain. */
static bool
take_identity(struct dkim_check *c, struct dkim_entry *e, struct str text)
{
	struct str whole, domain;
	struct buf b;
	ptrdiff_t at;

	if (text.n == 0 || text.n > IDENTITY_MAX) {
		e->identity = str_c(arena_printf(&c->arena, "@" STR_FMT, STR_ARG(e->domain)));
		return text.n == 0;
	}
	buf_init(&b, IDENTITY_MAX);
	for (size_t i = 0; i < text.n; i++)
		if (strchr(" \t\r\n", text.p[i]) == NULL)
			buf_addc(&b, text.p[i]);
	whole = arena_str(&c->arena, buf_str(&b));
	buf_free(&b);
	at = str_rfind(whole, '@');
	if (at < 0)
		return false;
	domain = take_name(c, str_skip(whole, (size_t)at + 1));
	e->identity = is_clean(whole) ? whole :
	    str_c(arena_printf(&c->arena, "@" STR_FMT, STR_ARG(domain)));
	return is_within(domain, e->domain, &e->below);
}

/* The first characters of "b=", as far as they are base64. */
static struct str
take_b(struct dkim_check *c, struct str text)
{
	char kept[B_KEPT];
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < sizeof(kept); i++) {
		char l = char_lower(text.p[i]);

		if (strchr(" \t\r\n", l) != NULL)
			continue;
		if (!(l >= 'a' && l <= 'z') && !(l >= '0' && l <= '9') && l != '+' && l != '/' &&
		    l != '=')
			break;
		kept[n++] = text.p[i];
	}
	return arena_str(&c->arena, str_n(kept, n));
}

/* The octets of "b=", of which there are as many as some key makes. */
static bool
take_proof(struct dkim_check *c, struct dkim_entry *e, struct str text)
{
	struct buf b;
	bool ok;

	buf_init(&b, DKIM_PROOF_MAX);
	ok = dkim_base64_add(&b, text) == 0 && b.n > 0;
	if (ok)
		e->proof = arena_str(&c->arena, buf_str(&b));
	buf_free(&b);
	return ok;
}

/* The name of its key; DKIM_KEYS_MAX: it is none. */
static size_t
take_key(struct dkim_check *c, const struct dkim_entry *e)
{
	struct str name = str_c(arena_printf(&c->arena, STR_FMT "._domainkey." STR_FMT,
	    STR_ARG(e->selector), STR_ARG(e->domain)));

	if (e->selector.n == 0 || e->domain.n == 0 || !msg_txt_may_ask(name))
		return DKIM_KEYS_MAX;
	for (size_t i = 0; i < c->key_n; i++)
		if (str_eq(c->keys[i], name))
			return i;
	c->keys[c->key_n] = name;
	return c->key_n++;
}

/* ---- what its field says ------------------------------------------------------------ */

static const char *
time_flaw(const struct dkim_check *c, const struct dkim_signature *s)
{
	uint64_t now = c->now > 0 ? (uint64_t)c->now : 0;

	if (s->expires > 0 && s->expires < now)
		return "the signature has expired";
	return s->made > now + AHEAD_MAX ? "the signature is from the future" : NULL;
}

void
dkim_entry_init(struct dkim_check *c, struct dkim_entry *e, const struct dkim_signature *s,
    const char *why)
{
	const char *late = time_flaw(c, s);
	bool whose;

	*e = (struct dkim_entry){ .kind = s->kind, .algorithm = s->algorithm,
		.reason = "DNS has no answer about the key now", .result = DKIM_TEMPERROR,
		.domain = take_name(c, s->domain), .selector = take_name(c, s->selector),
		.algorithm_name = STR(""), .reports = s->reports, .body = DKIM_BODY_NONE,
		.relaxed_body = s->relaxed_body, .has_length = s->has_length,
		.length = s->has_length ? s->length : UINT64_MAX };
	memcpy(e->body_hash, s->body_hash, sizeof(e->body_hash));
	if (is_clean(s->algorithm_name) && s->algorithm_name.n <= ALGORITHM_MAX)
		e->algorithm_name = arena_lower(&c->arena, s->algorithm_name);
	e->b = take_b(c, s->proof);
	whose = take_identity(c, e, s->identity);
	if (why != NULL)
		settle(e, DKIM_NEUTRAL, why);
	else if (!take_proof(c, e, s->proof))
		settle(e, DKIM_NEUTRAL, "its b= is no base64 of a signature");
	else if ((why = dkim_signature_flaw(s)) != NULL || (why = c->flaw) != NULL)
		settle(e, DKIM_PERMERROR, why);
	else if (!whose)
		settle(e, DKIM_PERMERROR, "its i= is not in its d=");
	else if (late != NULL)
		settle(e, DKIM_POLICY, late);
}

void
dkim_entry_want(struct dkim_check *c, struct dkim_entry *e, bool has_digest)
{
	if (e->settled)
		return;
	if (!has_digest) {
		settle(e, DKIM_TEMPERROR, "no digest can be made");
		return;
	}
	if (e->kind != DKIM_ARC_SEAL) {
		e->body = dkim_bodies_want(c->bodies, e->relaxed_body, e->length);
		if (e->body == DKIM_BODY_NONE) {
			settle(e, DKIM_POLICY, "there are too many hashes of the body");
			return;
		}
	}
	e->key = take_key(c, e);
	if (e->key == DKIM_KEYS_MAX)
		settle(e, DKIM_PERMERROR, "its s= and d= are no name of a key");
}

/* ---- the body -------------------------------------------------------------------------- */

void
dkim_entry_end(const struct dkim_check *c, struct dkim_entry *e)
{
	const unsigned char *hash;
	uint64_t length;

	if (e->settled || e->body == DKIM_BODY_NONE)
		return;
	hash = dkim_bodies_hash(c->bodies, e->body);
	length = dkim_bodies_length(c->bodies, e->relaxed_body);
	if (hash == NULL)
		settle(e, DKIM_TEMPERROR, "no digest can be made");
	else if (e->has_length && e->length > length)
		settle(e, DKIM_FAIL, "the body is shorter than its l=");
	else if (memcmp(hash, e->body_hash, SHA256_SIZE) != 0)
		settle(e, DKIM_FAIL, "the body hash does not match");
	e->partial = e->length < length;
}

/* ---- the key --------------------------------------------------------------------------- */

static void
check_proof(struct dkim_entry *e, const struct dkim_record *r)
{
	bool rsa = e->algorithm == DKIM_RSA_SHA256;
	const char *why = NULL;

	e->testing = r->testing;
	if (!str_eq(r->type, rsa ? STR("rsa") : STR("ed25519"))) {
		settle(e, DKIM_PERMERROR, "the key is for another algorithm");
		return;
	}
	if (r->strict && e->below) {
		settle(e, DKIM_PERMERROR, "the key is not for subdomains (t=s)");
		return;
	}
	switch (dkim_public_check(rsa, buf_str(&r->key), e->digest, e->proof, &why)) {
	case DKIM_PROOF_NO_KEY:
		settle(e, DKIM_PERMERROR, why);
		return;
	case DKIM_PROOF_BAD:
		settle(e, DKIM_FAIL, why);
		return;
	case DKIM_PROOF_GOOD:
		break;
	}
	if (e->partial)
		settle(e, DKIM_POLICY, "it signs only a part of the body (l=)");
	else
		settle(e, DKIM_PASS, "");
}

/* In words: the record says only what is wrong with it. */
static const char *
record_flaw(const char *why)
{
	static const char *const said[][2] = {
		{ "the key is revoked (p= is empty)", "the key is revoked" },
		{ "it has no key (p=)", "the record of the key has no key" },
		{ "it is not for mail (s=)", "the key is not for mail" },
		{ "it does not allow sha256 (h=)", "the key is not for sha256" },
	};

	for (size_t i = 0; i < ARRAY_LEN(said); i++)
		if (strcmp(why, said[i][0]) == 0)
			return said[i][1];
	return "the record of the key is broken";
}

static void
try_record(struct dkim_entry *e, struct str text)
{
	struct dkim_record r;
	const char *why = dkim_record_parse(text, &r);

	if (why != NULL)
		settle(e, DKIM_PERMERROR, record_flaw(why));
	else
		check_proof(e, &r);
	dkim_record_free(&r);
}

/* The first record that makes something of it, or what the last makes of it. */
static void
try_records(struct dkim_entry *e, const struct txt_answer *a)
{
	size_t n = a->text_n < RECORDS_MAX ? a->text_n : RECORDS_MAX;

	for (size_t i = 0; i < n; i++) {
		try_record(e, a->texts[i]);
		if (e->result == DKIM_PASS || e->result == DKIM_POLICY)
			return;
	}
}

/* RFC 6376 3.6.1: whether its failure means nothing, as the key is under test. */
static bool
is_under_test(const struct txt_answer *a)
{
	bool testing = false;

	for (size_t i = 0; i < a->text_n && i < RECORDS_MAX && !testing; i++) {
		struct dkim_record r;

		testing = dkim_record_parse(a->texts[i], &r) == NULL && r.testing;
		dkim_record_free(&r);
	}
	return testing;
}

void
dkim_entry_key(struct dkim_entry *e, const struct txt_answer *a)
{
	if (e->settled) {
		if (e->result == DKIM_FAIL)
			e->testing = is_under_test(a);
		return;
	}
	switch (a->status) {
	case TXT_OK:
		try_records(e, a);
		break;
	case TXT_NO_NAME:
	case TXT_NO_DATA:
		settle(e, DKIM_PERMERROR, "there is no such key");
		break;
	case TXT_LARGE:
		settle(e, DKIM_PERMERROR, "the record of the key is too large");
		break;
	case TXT_TEMPORARY:
		break;
	}
}
