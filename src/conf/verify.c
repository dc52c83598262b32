/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verify -- who is asked for recipients, as recipients.verify says it.
 */

#include "conf/verify.h"

#include "conf/program.h"

#include "private.h"

#define UID_LAST 4294967294u
#define SMTP_PORT 25

static const char *
read_program(struct str text, struct arena *a, struct conf_verify *v)
{
	bool all;
	const char *why = program_read(text, a, &v->words, &all);

	for (size_t i = 0; why == NULL && i < v->words.n; i++)
		if (strchr(v->words.v[i], '$') != NULL)
			why = "expected a command without \"$\": the recipient "
			      "is put behind it";
	return why;
}

static const char *
read_range(struct str text, struct conf_verify *v)
{
	struct str first = text, last = text;

	if (!str_cut(text, '-', &first, &last))
		last = first;
	if (str_u64(first, UID_LAST, &v->uid_min) < 0 ||
	    str_u64(last, UID_LAST, &v->uid_max) < 0 || v->uid_min > v->uid_max)
		return "expected numbers of users such as 1000-32767";
	return NULL;
}

/* True if WORD is NAME, or its beginning. */
static bool
is_short_for(struct str word, const char *name)
{
	return word.n > 0 && str_starts(str_c(name), word);
}

static const char *
read_accounts(struct str text, struct conf_verify *v)
{
	const char *why = NULL;
	struct str word;
	bool more = text.n > 0;

	v->uid_min = 1000;
	v->uid_max = 32767;
	while (more && why == NULL) {
		more = str_cut(text, ';', &word, &text);
		if (is_short_for(word, "lowercase"))
			v->lower = true;
		else if (is_short_for(word, "check"))
			v->check = true;
		else if (word.n > 0 && word.p[0] >= '0' && word.p[0] <= '9')
			why = read_range(word, v);
		else
			why = "expected numbers of users, \"lowercase\" or "
			      "\"check\", with semicolons between";
	}
	return why;
}

const char *
conf_verify_read(struct str text, struct arena *a, struct conf_verify *v)
{
	static const struct {
		const char *word;
		enum conf_verify_kind kind;
	} kinds[] = { { "exec", VERIFY_EXEC }, { "file", VERIFY_EXEC },
		{ "net", VERIFY_NET }, { "smtp", VERIFY_SMTP },
		{ "account", VERIFY_ACCOUNT } };
	struct str kind, rest = STR("");

	*v = (struct conf_verify){ .kind = VERIFY_NOBODY, .host = "" };
	if (text.n == 0)
		return NULL;
	(void)str_cut(text, ':', &kind, &rest);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_eq(kind, str_c(kinds[i].word)))
			v->kind = kinds[i].kind;
	switch (v->kind) {
	case VERIFY_EXEC:
		return read_program(rest, a, v);
	case VERIFY_NET:
		return conf_host_read(rest, 0, a, &v->host, &v->port);
	case VERIFY_SMTP:
		return conf_host_read(rest, SMTP_PORT, a, &v->host, &v->port);
	case VERIFY_ACCOUNT:
		return read_accounts(rest, v);
	case VERIFY_NOBODY:
		break;
	}
	return "expected \"exec:/path\", \"net:host:port\", \"smtp:host:port\" or "
	       "\"account:1000-32767\"";
}
