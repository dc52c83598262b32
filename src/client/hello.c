/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * hello -- greeting, EHLO and STARTTLS.
 *
 * What a server offered in clear text is forgotten when TLS starts, and
 * nothing that it said before the handshake is used after it (RFC 3207 4.2,
 * CVE-2021-38371).  Where TLS is required, neither a server that does not
 * offer it nor one that falls back to HELO gets anything but QUIT.
 */

#include "engine.h"

static const struct keyword {
	struct str name;
	unsigned bit;
} keywords[] = {
	{ { "PIPELINING", 10 }, EXT_PIPELINING },
	{ { "SIZE", 4 }, EXT_SIZE },
	{ { "8BITMIME", 8 }, EXT_8BITMIME },
	{ { "DSN", 3 }, EXT_DSN },
	{ { "STARTTLS", 8 }, EXT_STARTTLS },
	{ { "AUTH", 4 }, EXT_AUTH },
	{ { "CHUNKING", 8 }, EXT_CHUNKING },
	{ { "SMTPUTF8", 8 }, EXT_SMTPUTF8 },
	{ { "ENHANCEDSTATUSCODES", 19 }, EXT_ENHANCED },
	{ { "BINARYMIME", 10 }, EXT_BINARYMIME },
	{ { "LIMITS", 6 }, EXT_LIMITS },
	{ { "REQUIRETLS", 10 }, EXT_REQUIRETLS },
	{ { "MT-PRIORITY", 11 }, EXT_MT_PRIORITY },
	{ { "DELIVERBY", 9 }, EXT_DELIVERBY },
};

unsigned
client_extension(struct str keyword)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (str_ieq(keyword, keywords[i].name))
			return keywords[i].bit;
	return 0;
}

static void
forget_server(struct client *c)
{
	c->ext = 0;
	c->mechs = 0;
	c->size_max = 0;
	c->limits = (struct client_limits){ 0 };
}

static void
say_hello(struct client *c, struct str verb, enum verb v)
{
	forget_server(c);
	buf_add(&c->out, verb);
	buf_adds(&c->out, c->o.ehlo_name);
	client_command(c, v, RCPT_NONE);
}

void
client_say_ehlo(struct client *c)
{
	/* RFC 2033 4.1: LHLO instead of HELO and EHLO. */
	say_hello(c, c->o.lmtp ? STR("LHLO ") : STR("EHLO "), V_EHLO);
}

void
client_on_greeting(struct client *c, const struct reply *r)
{
	if (r->code / 100 == 2 && c->o.helo && !c->o.lmtp)
		say_hello(c, STR("HELO "), V_HELO);
	else if (r->code / 100 == 2)
		client_say_ehlo(c);
	else if (r->code / 100 == 3)
		client_protocol_error(c, STEP_GREETING,
		    "a greeting with code 3xx");
	else
		client_refused(c, reply_outcome(r->code), STEP_GREETING, r);
}

static void
take_mechs(struct client *c, struct str rest)
{
	struct str word;

	while ((word = str_word(&rest)).n > 0)
		c->mechs |= client_mechanism(word);
}

/* RFC 1870 3: no number, or 0, means that no limit is known. */
static void
take_size(struct client *c, struct str rest)
{
	uint64_t n;

	if (str_u64(str_word(&rest), UINT64_MAX, &n) == 0)
		c->size_max = n;
}

/* RFC 9422 4: what is no number, or 0, limits nothing. */
static void
take_limits(struct client *c, struct str rest)
{
	const struct {
		struct str name;
		uint32_t *max;
	} limits[] = {
		{ STR("MAILMAX"), &c->limits.mail_max },
		{ STR("RCPTMAX"), &c->limits.rcpt_max },
		{ STR("RCPTDOMAINMAX"), &c->limits.rcpt_domain_max },
	};
	struct str word, value;
	uint64_t n;

	while ((word = str_word(&rest)).n > 0) {
		str_cut(word, '=', &word, &value);
		for (size_t i = 0; i < ARRAY_LEN(limits); i++)
			if (str_ieq(word, limits[i].name) &&
			    str_u64(value, UINT32_MAX, &n) == 0)
				*limits[i].max = (uint32_t)n;
	}
}

static void
take_keyword(struct client *c, struct str line)
{
	struct str word = str_word(&line);
	struct str tail;

	/* "AUTH=PLAIN LOGIN": how it was written before RFC 2554. */
	if (str_istarts(word, STR("AUTH="))) {
		str_cut(word, '=', &word, &tail);
		line = str_n(tail.p, (size_t)(line.p + line.n - tail.p));
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (!str_ieq(word, keywords[i].name) ||
		    keywords[i].bit & c->o.ignore)
			continue;
		c->ext |= keywords[i].bit;
		if (keywords[i].bit == EXT_SIZE)
			take_size(c, line);
		if (keywords[i].bit == EXT_AUTH)
			take_mechs(c, line);
		if (keywords[i].bit == EXT_LIMITS)
			take_limits(c, line);
	}
}

static void
start_tls(struct client *c)
{
	buf_add(&c->out, STR("STARTTLS"));
	client_command(c, V_STARTTLS, RCPT_NONE);
}

/* The server has introduced itself: TLS, then AUTH, then ready. */
static void
after_hello(struct client *c)
{
	struct reply r;

	if (c->tls || c->o.tls == CLIENT_TLS_OFF) {
		client_auth_start(c);
	} else if (c->ext & EXT_STARTTLS) {
		start_tls(c);
	} else if (c->o.tls == CLIENT_TLS_MAY) {
		client_auth_start(c);
	} else {
		r = client_words(c, "4.7.4",
		    "TLS is required, but the server does not offer it");
		client_refused(c, TEMPFAIL, STEP_STARTTLS, &r);
	}
}

void
client_on_ehlo(struct client *c, const struct reply *r)
{
	struct str line, rest = r->text;
	bool first = true, more = true;

	if (r->code / 100 == 5 && !c->o.lmtp) {
		say_hello(c, STR("HELO "), V_HELO);
		return;
	}
	if (r->code / 100 != 2) {
		client_on_helo(c, r);
		return;
	}
	while (more) {
		more = str_cut(rest, '\n', &line, &rest);
		if (!first)
			take_keyword(c, line);
		first = false;
	}
	after_hello(c);
}

void
client_on_helo(struct client *c, const struct reply *r)
{
	if (r->code / 100 == 2)
		after_hello(c);
	else if (r->code / 100 == 3)
		client_protocol_error(c, STEP_EHLO, "code 3xx to EHLO");
	else
		client_refused(c, reply_outcome(r->code), STEP_EHLO, r);
}

void
client_on_starttls(struct client *c, const struct reply *r)
{
	struct reply own;

	if (r->code / 100 == 2 && c->in.n > 0) {
		own = client_words(c, "4.7.0",
		    "the server sent plain text after STARTTLS");
		client_give_up(c, TEMPFAIL, STEP_STARTTLS, &own);
	} else if (r->code / 100 == 2) {
		c->state = SECURING;
		c->ev->on_starttls(c->arg);
	} else if (c->o.tls == CLIENT_TLS_REQUIRED) {
		/* RFC 3207 4: 454 is a reason that passes. */
		own = client_words(c, r->code / 100 == 4 ? "4.7.0" : "4.7.4",
		    "TLS is required, but STARTTLS was refused: %d " STR_FMT,
		    r->code, STR_ARG(str_head(r->text, 500)));
		client_refused(c, TEMPFAIL, STEP_STARTTLS, &own);
	} else {
		client_auth_start(c);
	}
}

void
client_become_ready(struct client *c)
{
	c->state = READY;
	c->announced = false;
}

unsigned
client_extensions(const struct client *c)
{
	return c->ext;
}

const struct client_limits *
client_limits(const struct client *c)
{
	return &c->limits;
}
