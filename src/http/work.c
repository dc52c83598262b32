/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * work -- what a worker fetches: a policy, or a token.
 *
 * A worker is a process for one request.  It alone reads what the network
 * sends, and one that fetches a policy has no secret to lose; what it found
 * goes to its parent in a form that the parent parses again.
 */

#include "http.h"

#include "fetch/fetch.h"
#include "lib/loop.h"
#include "mail/sts.h"
#include "policy/override.h"
#include "token_answer.h"

/* RFC 8461 3.3: a minute. */
#define TIMEOUT_MS 60000
#define ANSWER_MAX 65536
/* A token without a time is good for so many seconds. */
#define TOKEN_SECONDS 300
#define FORM_MAX 16384

static const struct conf_proxy *
proxy_of(const struct conf *c)
{
	return c->http_way.version != 0 ? &c->http_way : NULL;
}

/* ---- a policy ------------------------------------------------------------------- */

struct look_txt {
	struct arena *a;
	bool done;
	struct str id;		/* empty: there is no policy */
};

static void
on_txt(void *arg, const struct dns_txt_answer *answer)
{
	struct look_txt *l = arg;

	l->done = true;
	if (answer->status == DNS_OK)
		l->id = arena_str(l->a,
		    sts_record_id(answer->text, answer->text_n));
}

/* The id that DNS has for the policy of DOMAIN, in A; empty: none. */
static struct str
look_up_id(const struct conf *c, struct str domain, struct arena *a)
{
	struct look_txt l = { .a = a, .id = STR("") };
	struct loop *loop = loop_new();
	struct dns *dns = resolver_new(c, loop);

	if (dns != NULL) {
		dns_txt(dns, arena_printf(a, "_mta-sts.%.*s", STR_ARG(domain)),
		    on_txt, &l);
		while (!l.done)
			loop_once(loop, true);
		dns_free(dns);
	}
	loop_free(loop);
	return l.id;
}

void
work_sts(struct conf *c, const struct msg_sts *m, struct msg_sts_result *r,
    struct arena *a)
{
	struct fetch f = { .type = "text/plain", .ca = c->tls.ca, .proxy = proxy_of(c),
		.max = STS_POLICY_MAX, .timeout_ms = TIMEOUT_MS };
	struct buf body, error, text;
	struct sts_policy p;
	const char *why;
	long code;

	r->id = m->id.n > 0 ? m->id : look_up_id(c, m->domain, a);
	if (r->id.n == 0) {
		/* RFC 8461 3.3: what is kept goes on until it is over. */
		r->text = STR("there is no TXT record of it now");
		return;
	}
	f.url = arena_printf(a, "https://mta-sts.%.*s/.well-known/mta-sts.txt",
	    STR_ARG(m->domain));
	buf_init(&body, STS_POLICY_MAX);
	buf_init(&error, 1024);
	buf_init(&text, STS_NORMAL_MAX);
	if (fetch_get(c, &f, &body, &code, &error)) {
		why = sts_policy_parse(buf_str(&body), a, &p);
		r->ok = why == NULL;
		if (r->ok)
			sts_policy_add(&text, &p);
		else
			buf_addf(&text, "the policy is broken: %s", why);
	} else {
		buf_addf(&text, "%s: %s", f.url, buf_cstr(&error));
	}
	r->text = arena_str(a, buf_str(&text));
	buf_free(&body);
	buf_free(&error);
	buf_free(&text);
}

/* ---- a token --------------------------------------------------------------------- */

/* RFC 6749 6: client and secret in the body, as all servers take them. */
static void
add_form(struct buf *b, const struct conf_server *s)
{
	form_add(b, "grant_type", "refresh_token");
	form_add(b, "refresh_token", s->refresh_token);
	form_add(b, "client_id", s->client_id);
	if (s->client_secret[0])
		form_add(b, "client_secret", s->client_secret);
}

/* RFC 6750 2.1, and it goes into a line of AUTH. */
static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= 8192;
}

/* What the server's JSON says. */
static void
take_token(struct str body, const char *why, struct msg_token_result *r,
    struct arena *a)
{
	struct token_answer t;

	r->ok = false;
	if (!token_answer_read(body, a, &t)) {
		r->text = why ? str_c(why) : STR("the answer is no JSON");
	} else if (why || t.error.n > 0) {
		/* RFC 6749 5.2: it says why in the body. */
		r->text = str_c(arena_printf(a, "%s%s%.*s%s%.*s",
		    why ? why : "", why && t.error.n ? ": " : "",
		    STR_ARG(str_head(t.error, 100)), t.words.n ? ": " : "",
		    STR_ARG(str_head(t.words, 300))));
	} else if (!is_token(t.token)) {
		r->text = STR("the answer holds no token");
	} else {
		r->ok = true;
		r->text = t.token;
		r->seconds = t.seconds > 0 ? (uint64_t)t.seconds : TOKEN_SECONDS;
	}
}

void
work_token(struct conf *c, const struct conf_server *s,
    struct msg_token_result *r, struct arena *a)
{
	/* Where the administrator wrote it, it may be in our own network. */
	struct fetch f = { .url = strchr(s->token, ':') + 1, .ca = c->tls.ca,
		.max = ANSWER_MAX, .anywhere = true, .proxy = proxy_of(c),
		.timeout_ms = TIMEOUT_MS };
	struct buf body, error, form;
	bool ok;
	long code;

	buf_init(&body, ANSWER_MAX);
	buf_init(&error, 1024);
	buf_init(&form, FORM_MAX);
	add_form(&form, s);
	f.post = buf_cstr(&form);
	ok = buf_ok(&form) && fetch_get(c, &f, &body, &code, &error);
	take_token(buf_str(&body), ok ? NULL :
	    arena_cstr(a, buf_str(&error)), r, a);
	buf_wipe(&form);
	buf_wipe(&body);
	buf_free(&form);
	buf_free(&body);
	buf_free(&error);
}
