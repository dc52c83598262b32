/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * backend -- from the configuration's URLs to backends, and asking them in
 * their order.
 */

#include "auth.h"

bool
auth_backend_init(struct auth_backend *b, const char *url)
{
	struct str s = str_c(url), service, query;

	*b = (struct auth_backend){ .url = url, .fd = -1 };
	if (str_starts(s, STR("file://"))) {
		b->kind = AUTH_FILE;
		b->path = url + 7;
		return b->path[0] == '/';
	}
	if (!str_starts(s, STR("pam://")))
		return false;
	b->kind = AUTH_PAM;
	/* What is not understood might have been a restriction. */
	if (str_cut(str_skip(s, 6), '?', &service, &query)) {
		if (!str_starts(query, STR("confdir=/")))
			return false;
		b->confdir = query.p + 8;
	}
	if (service.n == 0 || service.n >= sizeof(b->service) || str_find(service, '/') >= 0)
		return false;
	memcpy(b->service, service.p, service.n);
	return true;
}

bool
auth_proof_of(struct str mechanism, enum auth_proof *proof)
{
	static const struct {
		const char *name;
		enum auth_proof proof;
	} t[] = { { "PLAIN", AUTH_BY_PASSWORD }, { "LOGIN", AUTH_BY_PASSWORD },
		{ "USER", AUTH_BY_PASSWORD }, { "APOP", AUTH_BY_APOP },
		{ "CRAM-MD5", AUTH_BY_CRAM_MD5 }, { "SCRAM-SHA-256", AUTH_BY_SCRAM },
		{ "XOAUTH2", AUTH_BY_TOKEN }, { "OAUTHBEARER", AUTH_BY_TOKEN } };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (str_eq(mechanism, str_c(t[i].name))) {
			*proof = t[i].proof;
			return true;
		}
	return false;
}

/* Who does not have the passwords themselves can judge nothing else. */
static bool
can_judge(const struct auth_backend *b, enum auth_proof proof)
{
	return proof == AUTH_BY_PASSWORD || b->kind == AUTH_FILE;
}

enum auth_verdict
auth_ask(const struct auth_backend *b, size_t n, const struct auth_question *q)
{
	enum auth_verdict verdict = AUTH_NO;

	for (size_t i = 0; i < n; i++) {
		if (!can_judge(&b[i], q->proof))
			continue;
		enum auth_verdict v = b[i].kind == AUTH_FILE ? auth_file(&b[i], q)
							     : auth_pam(&b[i], q);
		if (v == AUTH_YES || v == AUTH_MORE)
			return v;
		if (v == AUTH_TEMPORARY)
			verdict = AUTH_TEMPORARY;
	}
	return verdict;
}
