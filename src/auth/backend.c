/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backend -- which backend can judge what, and asking several in their order.
 */

#include "auth.h"

#include "lib/log.h"
#include "mail/cram.h"

static enum auth_verdict (*const ask[])(const struct auth_backend *b,
    const struct auth_question *q) = {
	[BACKEND_FILE] = auth_file,
	[BACKEND_PAM] = auth_pam,
	[BACKEND_USERS] = auth_users,
	[BACKEND_LDAP] = auth_ldap,
	[BACKEND_RADIUS] = auth_radius,
	[BACKEND_HTTP] = auth_http,
	[BACKEND_OAUTH] = auth_oauth,
	[BACKEND_EXEC] = auth_exec,
	[BACKEND_HARDCODED] = auth_hardcoded,
};

enum auth_verdict
auth_cannot(const struct auth_question *q, const char *fmt, ...)
{
	struct buf why;
	va_list ap;

	if (!q->note)
		return AUTH_TEMPORARY;
	buf_init(&why, 4096);
	va_start(ap, fmt);
	buf_vaddf(&why, fmt, ap);
	va_end(ap);
	buf_cut(&why, sizeof(q->note->why) - 1);
	memcpy(q->note->why, buf_cstr(&why), why.n + 1);
	buf_free(&why);
	return AUTH_TEMPORARY;
}

/* Adds those of URLS. */
static bool
load(struct auth *a, const struct conf_strs *urls, struct buf *error)
{
	for (size_t i = 0; i < urls->n && a->backend_n < BACKENDS_MAX; i++) {
		struct auth_backend *b = &a->backends[a->backend_n];

		*b = (struct auth_backend){ .fd = -1, .conf = a->conf,
			.timeout_ms = a->conf->auth.timeout };
		if (!conf_backend_parse(&a->arena, str_c(urls->v[i]), &b->c, error))
			return false;
		a->backend_n++;
	}
	return true;
}

bool
auth_backends_load(struct auth *a, struct buf *error)
{
	arena_init(&a->arena, (size_t)16 << 20);
	if (!load(a, &a->conf->auth.backends, error))
		return false;
	a->mail_n = a->backend_n;
	return load(a, &a->conf->admin.auth, error);
}

void
auth_backends_for(const struct auth *a, struct str service, size_t *from, size_t *end)
{
	bool own = str_eq(service, STR(AUTH_SERVICE_ADMIN)) && a->mail_n < a->backend_n;

	*from = own ? a->mail_n : 0;
	*end = own ? a->backend_n : a->mail_n;
}

/* As it stands in the configuration. */
static const char *
url_of(const struct auth *a, size_t i)
{
	return i < a->mail_n ? a->conf->auth.backends.v[i] : a->conf->admin.auth.v[i - a->mail_n];
}

void
auth_backends_keep(struct auth *a, unsigned place)
{
	enum conf_backend_kind kinds[BACKENDS_MAX];
	struct buf error;

	for (size_t i = 0; i < a->backend_n; i++)
		kinds[i] = a->backends[i].c.kind;
	arena_wipe(&a->arena);
	for (size_t i = 0; i < a->backend_n; i++) {
		struct auth_backend *b = &a->backends[i];

		b->c = (struct conf_backend){ .kind = kinds[i] };
		if (place != i && (place != PLACE_SECRETS || i >= a->mail_n ||
				      !auth_can_judge(b, AUTH_BY_CRAM)))
			continue;
		buf_init(&error, 65536);
		if (!conf_backend_parse(&a->arena, str_c(url_of(a, i)), &b->c, &error))
			panic("auth: a backend that was one is none: %s", buf_cstr(&error));
		buf_free(&error);
	}
	conf_forget_secrets(a->conf);
	conf_forget_proxy(a->conf);
	conf_forget_backends(a->conf);
	for (size_t i = 0; i < a->backend_n; i++)
		a->backends[i].c.show = url_of(a, i);
}

bool
auth_proof_of(struct str mechanism, enum auth_proof *proof)
{
	static const struct {
		const char *name;
		enum auth_proof proof;
	} t[] = { { "PLAIN", AUTH_BY_PASSWORD }, { "LOGIN", AUTH_BY_PASSWORD },
		{ "USER", AUTH_BY_PASSWORD }, { "APOP", AUTH_BY_APOP },
		{ "SCRAM-SHA-256", AUTH_BY_SCRAM },
		{ "XOAUTH2", AUTH_BY_TOKEN }, { "OAUTHBEARER", AUTH_BY_TOKEN },
		{ "EXTERNAL", AUTH_BY_CERTIFICATE } };
	enum hmac_hash hash;

	if (cram_hash(mechanism, &hash)) {
		*proof = AUTH_BY_CRAM;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (str_eq(mechanism, str_c(t[i].name))) {
			*proof = t[i].proof;
			return true;
		}
	return false;
}

/* Who does not have the passwords themselves can judge nothing else. */
bool
auth_can_judge(const struct auth_backend *b, enum auth_proof proof)
{
	bool has_tokens = b->c.kind == BACKEND_OAUTH;

	if (proof == AUTH_BY_TOKEN || has_tokens)
		return proof == AUTH_BY_TOKEN && has_tokens;
	return proof == AUTH_BY_PASSWORD || (proof != AUTH_BY_CERTIFICATE &&
		(b->c.kind == BACKEND_FILE || b->c.kind == BACKEND_HARDCODED));
}

enum auth_verdict
auth_ask(const struct auth_backend *b, size_t n, const struct auth_question *q)
{
	enum auth_verdict verdict = AUTH_NO;

	for (size_t i = 0; i < n; i++) {
		if (!auth_can_judge(&b[i], q->proof))
			continue;
		enum auth_verdict v = ask[b[i].c.kind](&b[i], q);
		if (v == AUTH_YES || v == AUTH_MORE)
			return v;
		if (v == AUTH_TEMPORARY)
			verdict = AUTH_TEMPORARY;
	}
	if (verdict == AUTH_NO && secret_wants_params(q))
		return secret_nobodys_params(q);
	return verdict;
}
