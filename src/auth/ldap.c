/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ldap -- a bind as the user, at a server of LDAP: the only user of libldap.
 *
 * Either the DN is made of the name and the base, or an entry is searched for,
 * of which there must be one.  Each question has a connection of its own.  Of
 * several servers the next one is asked where one has said neither yes nor no,
 * by a handle of its own: libldap would give the first of them all the time, and
 * stay with who takes a connection and says nothing.  A
 * certificate is held against its anchors and the server's name, no referral
 * is followed, nothing is read from ldap.conf, and an empty password, with
 * which a bind succeeds as nobody, is never sent.
 */

#include "auth.h"

#include <lber.h>
#include <ldap.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"

#define DN_MAX 4096
#define ANSWER_MAX 262144
/* Where Debian has them; without it libldap would ask nobody. */
#define SYSTEM_ANCHORS "/etc/ssl/certs/ca-certificates.crt"

struct asking {
	const struct auth_backend *b;
	const struct auth_question *q;
	const char *url;
	LDAP *ld;
	int64_t deadline;	/* of this server */
	struct buf dn;		/* of the user; empty: there is none */
};

static enum auth_verdict
failed(const struct asking *a, const char *what, int rc)
{
	char *words = NULL;
	enum auth_verdict v;

	(void)ldap_get_option(a->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
	v = auth_cannot(a->q, "%s: %s%s%.100s", what, ldap_err2string(rc),
	    words && words[0] ? ": " : "", words ? words : "");
	ldap_memfree(words);
	return v;
}

/* One of PARTS of the time. */
static struct timeval
time_left(const struct asking *a, int parts)
{
	int64_t left = (a->deadline - clock_ms()) / parts;

	if (left < 1)
		left = 1;
	return (struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 };
}

/* ---- the connection ------------------------------------------------------------- */

static bool
set_tls(struct asking *a)
{
	const char *ca = a->b->c.ca ? a->b->c.ca :
	    a->b->conf->tls.ca[0] ? a->b->conf->tls.ca : SYSTEM_ANCHORS;
	int demand = LDAP_OPT_X_TLS_DEMAND, min = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;

	return ldap_set_option(a->ld, LDAP_OPT_X_TLS_CACERTFILE, ca) == 0 &&
	    ldap_set_option(a->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) == 0 &&
	    ldap_set_option(a->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &min) == 0 &&
	    ldap_set_option(a->ld, LDAP_OPT_X_TLS_NEWCTX, &client) == 0;
}

static bool
set_options(struct asking *a)
{
	/* A name may have an address that does not answer, and one that does. */
	struct timeval left = time_left(a, 1), connect = time_left(a, 2);
	int version = LDAP_VERSION3, limit = 2;
	ber_len_t max = ANSWER_MAX;
	Sockbuf *sb = NULL;

	if (ldap_set_option(a->ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    ldap_set_option(a->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(a->ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0 ||
	    ldap_set_option(a->ld, LDAP_OPT_SIZELIMIT, &limit) != 0 ||
	    ldap_set_option(a->ld, LDAP_OPT_NETWORK_TIMEOUT, &connect) != 0 ||
	    ldap_set_option(a->ld, LDAP_OPT_TIMEOUT, &left) != 0)
		return false;
	if (ldap_get_option(a->ld, LDAP_OPT_SOCKBUF, &sb) == 0 && sb)
		(void)ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	return true;
}

/* AUTH_YES: there is a connection, and it is as safe as it should be. */
static enum auth_verdict
begin(struct asking *a)
{
	int rc = ldap_initialize(&a->ld, a->url);

	if (rc != LDAP_SUCCESS)
		return auth_cannot(a->q, "%s", ldap_err2string(rc));
	if (!set_options(a))
		return auth_cannot(a->q, "libldap does not take an option");
	if ((a->b->c.starttls || str_starts(str_c(a->url), STR("ldaps://"))) && !set_tls(a))
		return auth_cannot(a->q, "the trust anchors cannot be read");
	if (a->b->c.starttls && (rc = ldap_start_tls_s(a->ld, NULL, NULL)) != LDAP_SUCCESS)
		return failed(a, "StartTLS", rc);
	return AUTH_YES;
}

/* ---- bind and search --------------------------------------------------------------- */

/* The result of the bind that was sent as MSGID. */
static int
bind_result(const struct asking *a, int msgid)
{
	struct timeval left = time_left(a, 1);
	LDAPMessage *result = NULL;
	int code = LDAP_OTHER, rc = ldap_result(a->ld, msgid, LDAP_MSG_ALL, &left, &result);

	if (rc == 0)
		code = LDAP_TIMEOUT;
	else if (rc < 0)
		(void)ldap_get_option(a->ld, LDAP_OPT_RESULT_CODE, &code);
	/* For libldap any result would do, also that of a search. */
	else if (ldap_msgtype(result) != LDAP_RES_BIND)
		code = LDAP_PROTOCOL_ERROR;
	else if ((rc = ldap_parse_result(a->ld, result, &code, NULL, NULL, NULL, NULL, 0)) !=
	    LDAP_SUCCESS)
		code = rc;
	ldap_msgfree(result);
	/* Nothing that went wrong is a success. */
	return rc < 0 && code == LDAP_SUCCESS ? LDAP_OTHER : code;
}

static int
bind_as(const struct asking *a, const char *dn, const char *password)
{
	struct berval cred = { .bv_len = strlen(password) };
	int rc, msgid = -1;

	cred.bv_val = mem_dup(str_c(password));
	rc = ldap_sasl_bind(a->ld, dn, LDAP_SASL_SIMPLE, &cred, NULL, NULL, &msgid);
	mem_wipe(cred.bv_val, cred.bv_len);
	mem_free(cred.bv_val);
	return rc == LDAP_SUCCESS ? bind_result(a, msgid) : rc;
}

/* The DN of the only entry in RESULT; AUTH_NO and an empty one: there is none. */
static enum auth_verdict
take_entry(struct asking *a, LDAPMessage *result)
{
	LDAPMessage *entry = ldap_first_entry(a->ld, result);
	char *dn;

	if (!entry)
		return AUTH_NO;
	if (ldap_next_entry(a->ld, entry))
		return auth_cannot(a->q, "the filter finds more than one entry");
	dn = ldap_get_dn(a->ld, entry);
	buf_adds(&a->dn, dn ? dn : "");
	ldap_memfree(dn);
	/* A bind with an empty DN would be anybody's. */
	return a->dn.n > 0 && buf_ok(&a->dn) ? AUTH_YES :
	    auth_cannot(a->q, "the entry has no name that could be used");
}

static enum auth_verdict
search(struct asking *a)
{
	const struct conf_backend *c = &a->b->c;
	char none[] = LDAP_NO_ATTRS;
	char *attributes[] = { none, NULL };
	struct timeval left;
	LDAPMessage *result = NULL;
	enum auth_verdict v;
	struct buf filter;
	int rc;

	if (c->bind_dn && (rc = bind_as(a, c->bind_dn, c->bind_password)) != LDAP_SUCCESS)
		return failed(a, "bindname cannot log in", rc);
	buf_init(&filter, 65536);
	auth_ldap_filter(&filter, c->filter, str_c(a->q->user));
	left = time_left(a, 1);
	rc = ldap_search_ext_s(a->ld, c->base, (int)c->scope, buf_cstr(&filter), attributes, 1,
	    NULL, NULL, &left, 2, &result);
	buf_free(&filter);
	if (rc == LDAP_SUCCESS || rc == LDAP_SIZELIMIT_EXCEEDED)
		v = take_entry(a, result);
	else
		v = rc == LDAP_NO_SUCH_OBJECT && !c->base[0] ? AUTH_NO : failed(a, "search", rc);
	ldap_msgfree(result);
	return v;
}

/* In DN: ATTRIBUTE=NAME,BASE. */
static void
make_dn(struct asking *a, const char *name)
{
	buf_reset(&a->dn);
	buf_addf(&a->dn, "%s=", a->b->c.attribute);
	auth_ldap_escape(&a->dn, str_c(name));
	if (a->b->c.base[0])
		buf_addf(&a->dn, ",%s", a->b->c.base);
}

static enum auth_verdict
verdict_of(const struct asking *a, int rc)
{
	switch (rc) {
	case LDAP_SUCCESS:
		return AUTH_YES;
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_NO_SUCH_OBJECT:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_CONSTRAINT_VIOLATION:
		return AUTH_NO;
	default:
		return failed(a, "bind", rc);
	}
}

static enum auth_verdict
ask(struct asking *a)
{
	enum auth_verdict v = begin(a);
	bool found = true;

	if (v != AUTH_YES)
		return v;
	if (a->b->c.filter) {
		v = search(a);
		if (v == AUTH_TEMPORARY)
			return v;
		found = v == AUTH_YES;
	}
	/* Nobody is asked for, too, so that it costs as much as somebody (S-38). */
	if (!found || !a->b->c.filter)
		make_dn(a, found ? a->q->user : "barid-nobody");
	if (!buf_ok(&a->dn))
		return AUTH_NO;
	v = verdict_of(a, bind_as(a, buf_cstr(&a->dn), a->q->password));
	return v == AUTH_YES && !found ? AUTH_NO : v;
}

/* The server at URL, which has until DEADLINE. */
static enum auth_verdict
ask_server(const struct auth_backend *b, const struct auth_question *q, const char *url,
    int64_t deadline)
{
	struct asking a = { .b = b, .q = q, .url = url, .deadline = deadline };
	enum auth_verdict v;

	buf_init(&a.dn, DN_MAX);
	v = ask(&a);
	if (a.ld)
		(void)ldap_unbind_ext_s(a.ld, NULL, NULL);
	buf_free(&a.dn);
	return v;
}

enum auth_verdict
auth_ldap(const struct auth_backend *b, const struct auth_question *q)
{
	const struct conf_strs *list = &b->c.list;
	int64_t now = clock_ms(), end = now + b->timeout_ms;
	enum auth_verdict v = AUTH_TEMPORARY;

	/* RFC 4513 5.1.2: a bind with a name and no password succeeds, and proves nothing. */
	if (q->password[0] == '\0' || q->user[0] == '\0')
		return AUTH_NO;
	/* What counts by the name, as quotas do, would count for each form of it. */
	if (!auth_ldap_is_own_name(str_c(q->user)))
		return AUTH_NO;
	/* ldap.conf is for people's tools. */
	(void)setenv("LDAPNOINIT", "1", 1);
	for (size_t i = 0; i < list->n && v == AUTH_TEMPORARY; i++) {
		v = ask_server(b, q, list->v[i], now + (end - now) / (int64_t)(list->n - i));
		now = clock_ms();
	}
	return v;
}
