/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_xclient -- XCLIENT and XFORWARD, from listed peers alone.
 *
 * XCLIENT: the peer is a proxy that speaks for a client.  What follows is a
 * session of that client, from the greeting on: access, limits, rights and
 * logs are his, what was said before is forgotten, and a LOGIN has logged in.
 * Who may say it is decided by the connection, once: the client that is named
 * need not be listed for another XCLIENT, and being listed does not help him.
 *
 * XFORWARD: the peer is a filter that hands a message on; what it says of the
 * client and the queue id there is for the log of the next transaction.
 */

#include "smtpd_attr.h"

#include "lib/log.h"
#include "policy/blocklist.h"
#include "policy/recipient.h"

#define XCLIENT_ATTRS (ATTR_BIT(ATTR_NAME) | ATTR_BIT(ATTR_ADDR) | \
	ATTR_BIT(ATTR_PORT) | ATTR_BIT(ATTR_PROTO) | ATTR_BIT(ATTR_HELO) | \
	ATTR_BIT(ATTR_LOGIN) | ATTR_BIT(ATTR_DESTADDR) | ATTR_BIT(ATTR_DESTPORT))
#define XFORWARD_ATTRS (ATTR_BIT(ATTR_NAME) | ATTR_BIT(ATTR_ADDR) | \
	ATTR_BIT(ATTR_PORT) | ATTR_BIT(ATTR_PROTO) | ATTR_BIT(ATTR_HELO) | \
	ATTR_BIT(ATTR_IDENT) | ATTR_BIT(ATTR_SOURCE))

/* Each is a client that others are asked about. */
#define XCLIENT_MAX 100

static struct answer
not_you(struct session *s, const char *verb)
{
	log_warn(NULL, "%s from %s, which may not say it", verb, s->client);
	return ANSWER(550, "5.7.0", "You are not authorized to say that");
}

/* ---- XCLIENT -------------------------------------------------------------- */

/* Why the client of E may not come in, or NULL; the scoreboard has him. */
static const char *
unwelcome(const struct session *s, const struct session_env *e)
{
	const struct conf *c = s->conf;
	struct block block;
	size_t others;
	struct buf b;

	/* Of whom no address is known nothing is; he has no right by it. */
	if (addr_octets(&e->peer) == NULL)
		return NULL;
	if (access_listed(&c->access.blocked, &e->peer) ||
	    !access_may_connect(&c->access.connect, &e->peer))
		return "you may not connect here";
	if (e->score != NULL && blocklist_has(score_blocks(e->score), &e->peer, &block))
		return block.by_hand ? "you are blocked here" :
				       "too many wrong passwords, come back later";
	if (e->slot == NULL || e->score == NULL)
		return NULL;
	buf_init(&b, 128);
	addr_add(&b, &e->peer);
	others = score_speak_for(e->score, e->slot, addr_key(&e->peer),
	    buf_cstr(&b));
	buf_free(&b);
	return others >= c->limits.connections_per_address ?
	    "too many connections from your address" : NULL;
}

/* The proxy says "[UNAVAILABLE]" or nothing: nobody knows who. */
static void
speak_for(struct session_env *e, const struct attrs *a)
{
	if ((a->given & ATTR_BIT(ATTR_ADDR)) != 0)
		e->peer = attr_addr(a, ATTR_ADDR, ATTR_PORT);
	if ((a->given & ATTR_BIT(ATTR_DESTADDR)) != 0)
		e->local = attr_addr(a, ATTR_DESTADDR, ATTR_DESTPORT);
}

/* A client that logged in at the proxy. */
static void
log_in(struct session *s, const struct attrs *a)
{
	const char *user = attr_get(a, ATTR_LOGIN);

	if (user == NULL)
		return;
	s->user = arena_cstr(&s->client_arena, str_c(user));
	s->auth_mechanism = "XCLIENT";
}

static struct answer
begin_anew(struct session *s, const struct attrs *a)
{
	const char *helo = attr_get(a, ATTR_HELO);
	const char *why;

	log_disconnect(s);
	session_forget(s);
	speak_for(&s->spoken_for, a);
	s->env = &s->spoken_for;
	s->said_helo = helo != NULL && helo_valid(str_c(helo)) ?
	    arena_cstr(&s->client_arena, str_c(helo)) : NULL;
	s->said_proto = attr_get(a, ATTR_PROTO) != NULL ?
	    arena_cstr(&s->client_arena, str_c(attr_get(a, ATTR_PROTO))) : NULL;
	session_meet(s, attr_get(a, ATTR_NAME));
	log_in(s, a);
	log_connect(s);
	why = unwelcome(s, s->env);
	if (why == NULL)
		return (struct answer){ .code = 220,
			.text = str_c(arena_printf(&s->line_arena,
			    "%s ESMTP barid", s->env->hostname)) };
	log_warn(NULL, "refused a session of %s: %s", s->client, why);
	return (struct answer){ .code = 421, .enhanced = "4.7.0",
		.text = str_c(why), .then = THEN_CLOSE };
}

/*
 * A proxy may need two lines: what the second does not say is as the first
 * said it.  But with an address it is another client, of whom nothing is known.
 */
struct answer
smtpd_xclient(struct session *s, const struct command *c)
{
	struct attrs now = { .given = 0 };
	struct answer answer;

	if (!s->may_xclient)
		return not_you(s, "XCLIENT");
	if (s->xclients == XCLIENT_MAX)
		return (struct answer){ .code = 421, .enhanced = "4.7.0",
			.text = STR("Too many XCLIENT"), .then = THEN_CLOSE };
	if (s->xclients > 0)
		now = *s->xclient;
	now.given &= ~ATTR_BIT(ATTR_ADDR);
	answer = attrs_parse(&now, XCLIENT_ATTRS, c->arg);
	if (answer.code == 0 && (now.given & ATTR_BIT(ATTR_ADDR)) != 0) {
		now.given = now.known = 0;
		answer = attrs_parse(&now, XCLIENT_ATTRS, c->arg);
	}
	if (answer.code != 0)
		return answer;
	if (s->xclients++ == 0) {
		s->xclient = arena_alloc(&s->arena, sizeof(*s->xclient));
		s->spoken_for = *s->env;
	}
	*s->xclient = now;
	return begin_anew(s, &now);
}

/* ---- XFORWARD ------------------------------------------------------------- */

struct answer
smtpd_xforward(struct session *s, const struct command *c)
{
	struct answer answer;

	if (!s->may_xforward)
		return not_you(s, "XFORWARD");
	if (s->forwarded == NULL)
		s->forwarded = arena_alloc(&s->arena, sizeof(*s->forwarded));
	answer = attrs_parse(s->forwarded, XFORWARD_ATTRS, c->arg);
	if (answer.code == 0)
		return ANSWER(250, "2.0.0", "Ok");
	forwarded_forget(s);
	return answer;
}

void
forwarded_forget(struct session *s)
{
	if (s->forwarded != NULL)
		s->forwarded->given = s->forwarded->known = 0;
}

bool
forwarded_add(const struct session *s, struct buf *b)
{
	const char *name = attr_get(s->forwarded, ATTR_NAME);
	const char *address = attr_get(s->forwarded, ATTR_ADDR);

	if (s->forwarded == NULL || s->forwarded->given == 0)
		return false;
	if (address != NULL && str_istarts(str_c(address), STR("IPV6:")))
		address += 5;
	buf_addf(b, "%s[%s]", name != NULL ? name : "unknown",
	    address != NULL ? address : "unknown");
	return true;
}
