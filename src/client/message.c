/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * message -- the envelope, and who of the recipients had which outcome.
 *
 * With PIPELINING MAIL, every RCPT and DATA go in one write (RFC 2920 3.1),
 * as far as the output has room; without it one command waits for the
 * reply to the one before.  A small message goes with its envelope by BDAT
 * (RFC 3030), a round trip in all, from the second of a session on: the
 * first shows by DATA whether the server's offers can be believed.
 *
 * What the server cannot take (size, 8-bit text, UTF-8 addresses) is refused
 * here without a word to it.  Each recipient gets exactly one outcome; a
 * failed one gets it at once.
 */

#include "engine.h"

/* Outcomes. */

void
client_rcpt_done(struct client *c, size_t i, enum outcome o,
    enum client_step step, const struct reply *r)
{
	if (c->rcpts[i] == RCPT_DONE)
		return;
	if (c->rcpts[i] == RCPT_TAKEN)
		c->taken--;
	c->rcpts[i] = RCPT_DONE;
	c->open--;
	c->ev->on_rcpt(c->arg, i, o, step, r,
	    o == DELIVERED && c->ext & EXT_DSN);
}

void
client_all_done(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r)
{
	for (size_t i = 0; c->open > 0 && i < c->m->rcpt_n; i++)
		client_rcpt_done(c, i, o, step, r);
}

void
client_taken_done(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r)
{
	for (size_t i = 0; c->taken > 0 && i < c->m->rcpt_n; i++)
		if (c->rcpts[i] == RCPT_TAKEN)
			client_rcpt_done(c, i, o, step, r);
}

static void
message_end(struct client *c)
{
	c->m = NULL;
	client_become_ready(c);
	/* An idle connection need not hold the room of a text. */
	if (client_pending(c) == 0 && c->out.size > TEXT_PIECE)
		buf_free(&c->out);
	c->ev->on_end(c->arg);
}

/* Writing. */

static bool
path_is_8bit(const struct path *p)
{
	return str_has_8bit(p->local) || str_has_8bit(p->domain);
}

static bool
needs_utf8(const struct client_message *m)
{
	bool utf8 = m->smtputf8 || path_is_8bit(&m->from);

	for (size_t i = 0; !utf8 && i < m->rcpt_n; i++)
		utf8 = path_is_8bit(&m->rcpts[i].path);
	return utf8;
}

/* True if the server said that it cannot take the message; R is why. */
static bool
cannot_take(struct client *c, struct reply *r)
{
	const struct client_message *m = c->m;

	/* RFC 1870 4, RFC 6152 3, RFC 6531 3.5. */
	if (c->size_max > 0 && m->size > c->size_max)
		*r = client_words(c, "5.3.4", "a message of %llu octets is"
		    " above the server's limit of %llu",
		    (unsigned long long)m->size,
		    (unsigned long long)c->size_max);
	else if (!(c->ext & EXT_SMTPUTF8) && needs_utf8(m))
		*r = client_words(c, "5.6.7",
		    "the message has UTF-8 addresses or header, which the"
		    " server does not take");
	else if (m->unfit)
		*r = client_words(c, m->binary ? "5.6.1" : "5.6.3", "%s",
		    m->unfit);
	else if (m->binary && ~c->ext & (EXT_BINARYMIME | EXT_CHUNKING))
		*r = client_words(c, "5.6.1",
		    "the message is binary, which the server does not take");
	else if (m->eight_bit && !(c->ext & EXT_8BITMIME))
		*r = client_words(c, "5.6.3",
		    "the message has 8-bit text, which the server does not"
		    " take");
	else
		return false;
	return true;
}

/* RFC 8689: what a server says of it in the clear counts for nothing. */
static bool
has_requiretls(const struct client *c)
{
	return c->tls && (c->ext & EXT_REQUIRETLS) != 0;
}

/* RFC 8689 4.2.1: another host may have it. */
static bool
lacks_requiretls(struct client *c, struct reply *r)
{
	if (!c->m->only_requiretls || has_requiretls(c))
		return false;
	*r = client_words(c, "4.7.30",
	    "the message requires TLS on its whole way, and the server does"
	    " not offer REQUIRETLS");
	return true;
}

/*
 * Another host may have it.  Who has the mailboxes is no relay: the time is
 * kept with the delivery.
 */
static bool
lacks_deliverby(struct client *c, struct reply *r)
{
	if (!c->m->only_deliverby || c->o.lmtp || (c->ext & EXT_DELIVERBY) != 0)
		return false;
	*r = client_words(c, "4.3.3",
	    "the message is to be returned when a time is over, and the"
	    " server does not offer DELIVERBY");
	return true;
}

static void
write_start(struct client *c)
{
	struct reply r;

	if (c->m->rcpt_n == 0) {
		c->phase = GO_DRAIN;
		return;
	}
	if (lacks_requiretls(c, &r) || lacks_deliverby(c, &r)) {
		client_all_done(c, TEMPFAIL, STEP_MAIL, &r);
		c->phase = GO_DRAIN;
		return;
	}
	if (cannot_take(c, &r)) {
		client_all_done(c, PERMFAIL, STEP_MAIL, &r);
		c->phase = GO_DRAIN;
		return;
	}
	c->phase = GO_MAIL;
	if (!c->dirty)
		return;
	c->dirty = false;
	buf_add(&c->out, STR("RSET"));
	client_command(c, V_RSET, RCPT_NONE);
}

/* A parameter whose value comes from elsewhere: no way to smuggle lines. */
static void
add_param(struct buf *b, const char *name, struct str value)
{
	if (value.n == 0 || str_has_ctl(value) || str_has_8bit(value) ||
	    str_find(value, ' ') != -1)
		return;
	buf_adds(b, name);
	buf_add(b, value);
}

/* The octets of the UTF-8 character that S begins with; 0: it is none. */
static size_t
utf8_char(struct str s, uint32_t *c)
{
	unsigned char first = (unsigned char)s.p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (!str_is_utf8(str_head(s, n)) || s.n < n)
		return 0;
	*c = n == 1 ? first : first & (0x7fU >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return n;
}

/*
 * RFC 6533 3: an original recipient in UTF-8 goes without SMTPUTF8 in the
 * form that is ASCII, each such character as "\x{HEX}".
 */
static void
add_orcpt(const struct client *c, struct buf *b, struct str orcpt)
{
	struct buf ascii;
	uint32_t v = 0;
	size_t n;

	if (!str_has_8bit(orcpt)) {
		add_param(b, " ORCPT=", orcpt);
		return;
	}
	if (str_has_ctl(orcpt) || str_find(orcpt, ' ') != -1)
		return;
	buf_init(&ascii, SMTP_COMMAND_MAX);
	for (; orcpt.n > 0; orcpt = str_skip(orcpt, n)) {
		n = utf8_char(orcpt, &v);
		if (n == 0)
			break;
		if (v < 0x80 || c->utf8)
			buf_add(&ascii, str_head(orcpt, n));
		else
			buf_addf(&ascii, "\\x{%X}", (unsigned)v);
	}
	if (orcpt.n == 0 && buf_ok(&ascii)) {
		buf_add(b, STR(" ORCPT="));
		buf_add(b, buf_str(&ascii));
	}
	buf_free(&ascii);
}

static void
add_path(struct buf *b, const char *verb, const struct path *p)
{
	buf_adds(b, verb);
	path_add(b, p);
	buf_addc(b, '>');
}

/* How the message is to be treated from here on. */
static void
add_wishes(const struct client *c, const struct client_message *m,
    struct buf *b)
{
	if (m->requiretls && has_requiretls(c))
		buf_add(b, STR(" REQUIRETLS"));
	if (m->priority != 0 && (c->ext & EXT_MT_PRIORITY) != 0)
		buf_addf(b, " MT-PRIORITY=%d", m->priority);
	if ((c->ext & EXT_DELIVERBY) != 0)
		add_param(b, " BY=", str_c(m->by));
	/* RFC 4954 5: to a server that knows who we are. */
	if (c->o.user != NULL && (c->ext & EXT_AUTH) != 0)
		add_param(b, " AUTH=", m->auth);
}

static void
write_mail(struct client *c)
{
	const struct client_message *m = c->m;
	struct buf *b = &c->out;

	add_path(b, "MAIL FROM:<", &m->from);
	if (c->ext & EXT_SIZE) {
		buf_add(b, STR(" SIZE="));
		buf_addu(b, m->size);
	}
	if (m->binary)
		buf_add(b, STR(" BODY=BINARYMIME"));
	else if (m->eight_bit)
		buf_add(b, STR(" BODY=8BITMIME"));
	c->utf8 = c->ext & EXT_SMTPUTF8 && needs_utf8(m);
	if (c->utf8)
		buf_add(b, STR(" SMTPUTF8"));
	add_wishes(c, m, b);
	if (c->ext & EXT_DSN) {
		if (m->ret != RET_UNSAID)
			buf_adds(b, m->ret == RET_FULL ? " RET=FULL" :
			    " RET=HDRS");
		add_param(b, " ENVID=", m->envid);
	}
	client_command(c, V_MAIL, RCPT_ALL);
	c->dirty = true;
	c->phase = GO_RCPT;
}

static void
write_rcpt(struct client *c)
{
	const struct client_rcpt *to = &c->m->rcpts[c->next];
	struct buf *b = &c->out;

	add_path(b, "RCPT TO:<", &to->path);
	if (c->ext & EXT_DSN) {
		if (to->notify != 0) {
			buf_add(b, STR(" NOTIFY="));
			notify_add(b, to->notify);
		}
		add_orcpt(c, b, to->orcpt);
	}
	client_command(c, V_RCPT, c->next);
	if (++c->next == c->m->rcpt_n)
		c->phase = GO_DATA;
}

/*
 * True if the text goes with the envelope.  It is lost on a server that
 * refuses all recipients, so that it has to be small.  LMTP's replies are
 * as many as there are recipients, which is not known yet.
 */
static bool
goes_along(const struct client *c)
{
	return c->m->chunk && c->m->size <= CHUNK_ALONG && c->text_taken &&
	    !c->o.lmtp && (~c->ext & (EXT_CHUNKING | EXT_PIPELINING)) == 0;
}

static void
write_data(struct client *c)
{
	/* Every reply is here, and nobody is left to write to. */
	if (c->list_n == 0 && c->taken == 0) {
		c->phase = GO_DRAIN;
		return;
	}
	if (c->m->binary) {
		c->phase = GO_CHUNK;
		return;
	}
	if (goes_along(c)) {
		client_chunk_whole(c);
		return;
	}
	buf_add(&c->out, STR("DATA"));
	client_command(c, V_DATA, RCPT_ALL);
	c->phase = GO_WAIT;
}

static void
write_command(struct client *c)
{
	switch (c->phase) {
	case GO_START:
		write_start(c);
		break;
	case GO_MAIL:
		write_mail(c);
		break;
	case GO_RCPT:
		write_rcpt(c);
		break;
	default:
		write_data(c);
	}
}

bool
client_write_message(struct client *c)
{
	struct reply r;

	while (c->phase <= GO_DATA && client_may_write(c))
		write_command(c);
	if (c->phase == GO_CHUNK && c->list_n == 0)
		client_chunk_start(c);
	if (c->phase == GO_TEXT)
		client_write_text(c);
	if (c->state == SENDING && !buf_ok(&c->out)) {
		r = client_words(c, "4.3.0", "a command is too long");
		client_give_up(c, TEMPFAIL, STEP_MAIL, &r);
	}
	if (c->state != SENDING || c->phase != GO_DRAIN || c->list_n > 0)
		return false;
	message_end(c);
	return true;
}

/* Replies. */

/* A code 3xx that answers no question leaves the line unusable. */
static bool
is_refusal(struct client *c, enum client_step step, const struct reply *r)
{
	if (r->code / 100 == 3)
		client_protocol_error(c, step, "code 3xx where none belongs");
	return r->code / 100 == 4 || r->code / 100 == 5;
}

void
client_on_rset(struct client *c, const struct reply *r)
{
	/* A server that refuses RSET will say at MAIL what is wrong. */
	(void)is_refusal(c, STEP_RSET, r);
}

void
client_on_mail(struct client *c, const struct reply *r)
{
	c->answered = true;
	if (!is_refusal(c, STEP_MAIL, r))
		return;
	client_all_done(c, reply_outcome(r->code), STEP_MAIL, r);
	/* What was written already is answered yet; nothing more is written. */
	c->phase = GO_DRAIN;
}

/*
 * RFC 5321 4.5.3.1.10: 552 may mean "too many recipients", and is then
 * only temporary: the ones that were accepted are served, the others later.
 */
static bool
is_too_many(const struct client *c, const struct reply *r)
{
	return r->code == 552 && c->taken > 0 &&
	    (r->enhanced[0] == '\0' || strcmp(r->enhanced, "5.5.3") == 0);
}

void
client_on_rcpt(struct client *c, const struct reply *r, size_t i)
{
	if (is_refusal(c, STEP_RCPT, r)) {
		client_rcpt_done(c, i,
		    is_too_many(c, r) ? TEMPFAIL : reply_outcome(r->code),
		    STEP_RCPT, r);
	} else if (c->state == SENDING && c->rcpts[i] == RCPT_OPEN) {
		c->rcpts[i] = RCPT_TAKEN;
		c->taken++;
	}
}

/*
 * RFC 2920 3.1: a server may say 354 though it refused every recipient;
 * it then gets an empty text, and what it says to that counts for nobody.
 * LMTP has no reply for nobody (RFC 2033 4.2), so that the line is lost.
 */
static void
end_nothing(struct client *c)
{
	if (c->o.lmtp) {
		client_protocol_error(c, STEP_DATA,
		    "354 without a recipient");
		return;
	}
	buf_add(&c->out, STR("."));
	client_command(c, V_TEXT, RCPT_NONE);
	c->phase = GO_DRAIN;
}

void
client_on_data(struct client *c, const struct reply *r)
{
	switch (r->code / 100) {
	case 3:
		if (c->taken > 0)
			client_text_start(c);
		else
			end_nothing(c);
		break;
	case 2:
		client_protocol_error(c, STEP_DATA, "code 2xx to DATA");
		break;
	default:
		client_taken_done(c, reply_outcome(r->code), STEP_DATA, r);
		c->phase = GO_DRAIN;
	}
}
