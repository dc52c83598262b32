/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_log -- the lines of a session in the log.
 *
 * Their shapes are those that pflogsumm, fail2ban and their like know, to
 * the letter.  What a client said is escaped by the log itself.  The line
 * "client=" comes before the runner's first line of the same message, since
 * readers count a message as received by the pair.
 */

#include "smtpd.h"

#include <strings.h>

#include "lib/log.h"
#include "smtpd_attr.h"

void
log_connect(const struct session *s)
{
	log_info(NULL, "connect from %s", s->client);
}

/* "ehlo=1 auth=0/3 quit=1 commands=2/5": done/tried, or one number for both. */
void
log_disconnect(const struct session *s)
{
	unsigned done = 0, tried = 0;
	const char *name;
	struct buf b;

	buf_init(&b, 1024);
	for (size_t i = 0; (name = session_verb_name(i)) != NULL; i++) {
		if (s->tried[i] == 0)
			continue;
		done += s->done[i];
		tried += s->tried[i];
		buf_addf(&b, " %s=%u", name, s->done[i]);
		if (s->done[i] != s->tried[i])
			buf_addf(&b, "/%u", s->tried[i]);
	}
	buf_addf(&b, " commands=%u", done);
	if (done != tried)
		buf_addf(&b, "/%u", tried);
	log_info(NULL, "disconnect from %s%s", s->client, buf_cstr(&b));
	buf_free(&b);
}

/* RFC 3848. */
const char *
session_proto(const struct session *s)
{
	bool auth = s->user[0] != '\0';

	/* RFC 6531 4.3. */
	if (s->txn.env.smtputf8)
		return s->tls != NULL ? (auth ? "UTF8SMTPSA" : "UTF8SMTPS") :
					(auth ? "UTF8SMTPA" : "UTF8SMTP");
	if (s->said_proto != NULL ? strcasecmp(s->said_proto, "SMTP") == 0 :
				    !s->esmtp)
		return "SMTP";
	if (s->tls != NULL)
		return auth ? "ESMTPSA" : "ESMTPS";
	return auth ? "ESMTPA" : "ESMTP";
}

static void
add_angle(struct buf *b, const char *key, const struct path *p)
{
	if (p == NULL)
		return;
	buf_adds(b, key);
	buf_addc(b, '<');
	path_add(b, p);
	buf_addc(b, '>');
}

void
log_reject(const struct session *s, const char *step, const struct answer *a,
    const struct path *from, const struct path *to)
{
	bool at_rcpt = strcmp(step, "RCPT") == 0;
	const char *proto, *helo;
	struct buf b;

	buf_init(&b, 4096);
	buf_addf(&b, "reject: %s from ", step);
	if (!forwarded_add(s, &b))
		buf_adds(&b, s->client);
	buf_addf(&b, ": %d %s", a->code, a->enhanced);
	add_angle(&b, " ", at_rcpt ? to : NULL);
	buf_addf(&b, "%s " STR_FMT ";", at_rcpt ? ":" : "", STR_ARG(a->text));
	add_angle(&b, " from=", from);
	add_angle(&b, " to=", to);
	proto = attr_get(s->forwarded, ATTR_PROTO);
	helo = attr_get(s->forwarded, ATTR_HELO);
	buf_addf(&b, " proto=%s helo=<" STR_FMT ">",
	    proto != NULL ? proto : session_proto(s),
	    STR_ARG(helo != NULL ? str_c(helo) : s->helo));
	log_info("NOQUEUE", "%s", buf_cstr(&b));
	buf_free(&b);
}

/* What a filter in front says of the message: ", orig_queue_id=..., orig_client=..." */
static void
add_origin(const struct session *s, struct buf *b)
{
	const char *id = attr_get(s->forwarded, ATTR_IDENT);

	if (id != NULL)
		buf_addf(b, ", orig_queue_id=%s", id);
	if (s->forwarded == NULL || s->forwarded->given == 0)
		return;
	buf_adds(b, ", orig_client=");
	(void)forwarded_add(s, b);
}

void
log_accepted(const struct session *s, struct str message_id)
{
	const char *id = s->txn.env.id;
	struct buf b;

	buf_init(&b, 2048);
	buf_addf(&b, "client=%s", s->client);
	if (s->user[0] != '\0')
		buf_addf(&b, ", sasl_method=%s, sasl_username=%s",
		    s->auth_mechanism, s->user);
	if (s->app[0] != '\0')
		buf_addf(&b, ", sasl_app=%s", s->app);
	add_origin(s, &b);
	log_info(id, "%s", buf_cstr(&b));
	buf_free(&b);
	if (message_id.n == 0)
		message_id = STR("<>");
	log_as("cleanup", LOG_LEVEL_INFO, id, "message-id=" STR_FMT,
	    STR_ARG(message_id));
}
