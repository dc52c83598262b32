/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * client -- the engine's frame: input, output, expectations, the end.
 *
 * Promises that every reply is held against the command that it answers,
 * that a reply which comes before its command was sent is refused, and that
 * events are never nested: all work is done by pump(), which runs until
 * nothing more can be done and which a call from within an event leaves to
 * the one that is running.
 *
 * What is read is bounded whatever the server sends: a line, a reply, and
 * the number of replies, which is that of the commands.
 */

#include "engine.h"

#include "lib/log.h"
#include "lib/mem.h"

/* What is kept of a line, and how much of a reply is read at all. */
#define LINE_KEPT 4096
#define REPLY_MAX (1U << 20)

#define MINUTE 60000

/* In the order of enum verb.  RFC 5321 4.5.3.2 has the times. */
static const struct verb_info {
	enum client_step step;
	int64_t timeout;
	const char *words;
} verbs[] = {
	{ STEP_GREETING, 5 * MINUTE, "waiting for the greeting" },
	{ STEP_EHLO, 5 * MINUTE, "saying EHLO" },
	{ STEP_EHLO, 5 * MINUTE, "saying HELO" },
	{ STEP_STARTTLS, 5 * MINUTE, "starting TLS" },
	{ STEP_AUTH, 5 * MINUTE, "logging in" },
	{ STEP_RSET, 5 * MINUTE, "saying RSET" },
	{ STEP_MAIL, 5 * MINUTE, "sending MAIL FROM" },
	{ STEP_RCPT, 5 * MINUTE, "sending RCPT TO" },
	{ STEP_DATA, 2 * MINUTE, "sending DATA" },
	/* The peer may be scanning: ten minutes, or it gets a duplicate. */
	{ STEP_TEXT, 10 * MINUTE, "waiting for the reply to the text" },
	/* No time is given for QUIT; nothing depends on its reply. */
	{ STEP_QUIT, MINUTE / 2, "saying QUIT" },
};
#define TEXT_BLOCK_TIMEOUT (3 * MINUTE)
#define HANDSHAKE_TIMEOUT (5 * MINUTE)

/* True if O has states. */
static bool
copy_states(struct client *c, const struct client_options *o)
{
	bool any = false;

	for (int i = 0; i < HMAC_HASHES; i++) {
		if (o->cram[i] == NULL)
			continue;
		c->cram[i] = *o->cram[i];
		c->o.cram[i] = &c->cram[i];
		any = true;
	}
	return any;
}

static void
copy_secrets(struct client *c, const struct client_options *o)
{
	bool others = copy_states(c, o) || o->token != NULL || o->prepared != NULL;

	c->o.user = c->user = mem_dup(str_c(o->user));
	if (o->password || !others)
		c->o.password = c->password = mem_dup(str_c(o->password));
	if (o->token)
		c->o.token = c->token = mem_dup(str_c(o->token));
	if (o->prepared)
		c->o.prepared = c->prepared = mem_dup(str_c(o->prepared));
}

struct client *
client_new(const struct client_options *o, const struct client_events *ev,
    void *arg)
{
	struct client *c = mem_alloc(sizeof(*c));

	if (!o->ehlo_name || str_has_ctl(str_c(o->ehlo_name)))
		panic("client_new: a bad EHLO name");
	c->o = *o;
	c->o.ehlo_name = c->ehlo_name = mem_dup(str_c(o->ehlo_name));
	if (o->user)
		copy_secrets(c, o);
	c->ev = ev;
	c->arg = arg;
	c->tls = o->tls_already;
	c->in = STR("");
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->line, LINE_KEPT);
	buf_init(&c->words, 2048);
	buf_init(&c->binding, 64);
	buf_init(&c->auth_error, 1024);
	reply_reader_init(&c->reader);
	client_expect(c, V_GREETING, RCPT_NONE);
	return c;
}

static void
free_secret(char *s)
{
	if (s)
		mem_wipe(s, strlen(s));
	mem_free(s);
}

void
client_free(struct client *c)
{
	if (!c)
		return;
	if (c->pumping)
		panic("client_free: called from within an event");
	mem_free(c->ehlo_name);
	free_secret(c->user);
	free_secret(c->password);
	free_secret(c->token);
	free_secret(c->prepared);
	mem_wipe(c->cram, sizeof(c->cram));
	scram_free(c->scram);
	buf_wipe(&c->binding);
	buf_free(&c->binding);
	buf_free(&c->auth_error);
	if (c->secret)
		buf_wipe(&c->out);
	buf_free(&c->out);
	buf_free(&c->line);
	buf_free(&c->words);
	reply_reader_free(&c->reader);
	mem_free(c->list);
	mem_free(c->rcpts);
	mem_free(c);
}

/* Expectations. */

void
client_expect(struct client *c, enum verb v, size_t rcpt)
{
	if (c->list_n == 0)
		c->head = 0;
	if (c->head + c->list_n == c->list_size && c->head > 0) {
		memmove(c->list, c->list + c->head,
		    c->list_n * sizeof(*c->list));
		c->head = 0;
	}
	if (c->list_n == c->list_size) {
		c->list_size = c->list_size ? 2 * c->list_size : 8;
		c->list = mem_grow(c->list, c->list_size, sizeof(*c->list));
	}
	c->list[c->head + c->list_n++] = (struct expect){
		.verb = v,
		.rcpt = rcpt,
		.end = c->gone + client_pending(c),
	};
}

void
client_command(struct client *c, enum verb v, size_t rcpt)
{
	buf_add(&c->out, STR("\r\n"));
	client_expect(c, v, rcpt);
}

/* What the server is at: the reply that it owes, the text, the last one. */
static enum client_step
current_step(const struct client *c)
{
	if (c->list_n > 0)
		return verbs[c->list[c->head].verb].step;
	return c->state == SENDING && c->phase == GO_TEXT ? STEP_TEXT : c->step;
}

static bool
text_is_going(const struct client *c)
{
	if (c->state != SENDING)
		return false;
	if (c->phase == GO_TEXT)
		return true;
	return c->list_n > 0 && c->list[c->head].verb == V_TEXT &&
	    c->gone < c->list[c->head].end;
}

static const char *
current_words(const struct client *c)
{
	if (text_is_going(c))
		return "sending the text";
	if (c->state == SECURING)
		return "starting TLS";
	return c->list_n > 0 ? verbs[c->list[c->head].verb].words : "idle";
}

int64_t
client_timeout(const struct client *c)
{
	if (c->state == CLOSED)
		return 0;
	if (c->state == SECURING)
		return HANDSHAKE_TIMEOUT;
	if (text_is_going(c))
		return TEXT_BLOCK_TIMEOUT;
	return c->list_n > 0 ? verbs[c->list[c->head].verb].timeout : 0;
}

/* The end. */

/* Foreign words go into logs and DSNs: no line of theirs becomes ours. */
static void
clean(struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if ((unsigned char)b->p[i] < 0x20 || b->p[i] == 0x7f)
			b->p[i] = ' ';
}

struct reply
client_words(struct client *c, const char *enhanced, const char *fmt, ...)
{
	struct reply r = { 0 };
	struct str code = str_head(str_c(enhanced), sizeof(r.enhanced) - 1);
	va_list ap;

	buf_reset(&c->words);
	va_start(ap, fmt);
	buf_vaddf(&c->words, fmt, ap);
	va_end(ap);
	clean(&c->words);
	memcpy(r.enhanced, code.p, code.n);
	r.text = buf_str(&c->words);
	return r;
}

static void
drop_output(struct client *c)
{
	if (c->secret)
		buf_wipe(&c->out);
	buf_reset(&c->out);
	c->out_at = 0;
	c->secret = false;
}

static void
close_session(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r, bool say_quit)
{
	bool pumping = c->pumping, message = c->state == SENDING;

	if (c->state == CLOSED)
		return;
	c->pumping = true;
	/* Half a text must not be followed by anything. */
	drop_output(c);
	if (say_quit)
		buf_add(&c->out, STR("QUIT\r\n"));
	if (c->state == QUITTING)
		o = DELIVERED;
	if (message)
		client_all_done(c, TEMPFAIL, step, r);
	c->state = CLOSED;
	c->m = NULL;
	c->list_n = 0;
	if (message)
		c->ev->on_end(c->arg);
	c->ev->on_close(c->arg, o, step, r);
	c->pumping = pumping;
}

void
client_give_up(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r)
{
	close_session(c, o, step, r, false);
}

void
client_refused(struct client *c, enum outcome o, enum client_step step,
    const struct reply *r)
{
	close_session(c, o, step, r, true);
}

void
client_protocol_error(struct client *c, enum client_step step,
    const char *what)
{
	struct reply r = client_words(c, "4.5.0", "protocol error: %s", what);

	if (client_in_doubt(c))
		step = STEP_TEXT;
	client_give_up(c, TEMPFAIL, step, &r);
}

/*
 * Where a session broke: who has all of the text may have delivered it.  But
 * one that closes in order and has not answered at all (CLEAN) did not read
 * it: the end of an idle connection has crossed our message.
 */
static enum client_step
lost_step(const struct client *c, bool clean)
{
	if (client_in_doubt(c) && (c->answered || !clean))
		return STEP_TEXT;
	return current_step(c);
}

void
client_eof(struct client *c, const char *why)
{
	struct reply r;

	if (c->state == CLOSED)
		return;
	c->lost = true;
	r = client_words(c, "4.4.2", "connection lost while %s%s%.500s",
	    current_words(c), why ? ": " : "", why ? why : "");
	client_give_up(c, TEMPFAIL, lost_step(c, why == NULL), &r);
}

void
client_expired(struct client *c)
{
	struct reply r;

	if (c->state == CLOSED)
		return;
	r = client_words(c, "4.4.2", "timed out while %s", current_words(c));
	client_give_up(c, TEMPFAIL, lost_step(c, false), &r);
}

/* Input. */

/* RFC 5321 3.8: the server closes, whatever was asked. */
static void
on_421(struct client *c, const struct reply *r)
{
	client_give_up(c, TEMPFAIL, current_step(c), r);
}

/* RFC 5321 4.5.1: QUIT's reply changes nothing. */
static void
on_quit(struct client *c, const struct reply *r)
{
	client_give_up(c, DELIVERED, STEP_QUIT, r);
}

static void
dispatch(struct client *c, const struct expect *e, const struct reply *r)
{
	switch (e->verb) {
	case V_GREETING:
		client_on_greeting(c, r);
		break;
	case V_EHLO:
		client_on_ehlo(c, r);
		break;
	case V_HELO:
		client_on_helo(c, r);
		break;
	case V_STARTTLS:
		client_on_starttls(c, r);
		break;
	case V_AUTH:
		client_on_auth(c, r);
		break;
	case V_RSET:
		client_on_rset(c, r);
		break;
	case V_MAIL:
		client_on_mail(c, r);
		break;
	case V_RCPT:
		client_on_rcpt(c, r, e->rcpt);
		break;
	case V_DATA:
		client_on_data(c, r);
		break;
	case V_TEXT:
		client_on_text(c, r, e->rcpt);
		break;
	case V_QUIT:
		on_quit(c, r);
		break;
	}
}

static void
take_reply(struct client *c, const struct reply *r)
{
	struct expect e;

	c->reply_n = 0;
	if (r->code == 421) {
		on_421(c, r);
		return;
	}
	if (text_is_going(c)) {
		client_on_early_text(c, r);
		return;
	}
	c->step = current_step(c);
	if (c->list_n == 0) {
		client_protocol_error(c, c->step, "a reply to nothing");
		return;
	}
	e = c->list[c->head++];
	c->list_n--;
	if (c->gone < e.end) {
		/* Answers that were sent before the question are a guess, or a trick. */
		client_protocol_error(c, c->step, "a reply before the command");
		return;
	}
	dispatch(c, &e, r);
}

static void
take_line(struct client *c, struct str line)
{
	struct reply r;

	switch (reply_reader_line(&c->reader, line)) {
	case 1:
		r = reply_reader_get(&c->reader);
		take_reply(c, &r);
		break;
	case 0:
		break;
	default:
		r = client_words(c, "4.5.0", "protocol error: not a reply: "
		    STR_FMT, STR_ARG(str_head(line, 100)));
		client_give_up(c, TEMPFAIL, lost_step(c, false), &r);
	}
	buf_reset(&c->line);
}

/* Takes a line off the input; false: it has no end yet. */
static bool
next_line(struct client *c, struct str *line)
{
	const char *lf = c->in.n > 0 ? memchr(c->in.p, '\n', c->in.n) : NULL;
	size_t n = lf ? (size_t)(lf + 1 - c->in.p) : c->in.n;
	struct str part = str_head(c->in, n);

	c->in = str_skip(c->in, n);
	c->reply_n += n;
	if (!lf || c->line.n > 0) {
		size_t room = LINE_KEPT - c->line.n;

		buf_add(&c->line, str_head(part, room));
		part = buf_str(&c->line);
	}
	if (!lf)
		return false;
	/* A bare LF ends a line too; a cut one loses an octet nobody reads. */
	part.n--;
	if (part.n > 0 && part.p[part.n - 1] == '\r')
		part.n--;
	*line = str_head(part, LINE_KEPT);
	return true;
}

static void
say_quit(struct client *c)
{
	c->state = QUITTING;
	buf_add(&c->out, STR("QUIT"));
	client_command(c, V_QUIT, RCPT_NONE);
}

/* Does one thing that can be done; false: there is none. */
static bool
work(struct client *c)
{
	struct str line;

	if (c->state == SENDING && client_write_message(c))
		return true;
	if (c->state == CLOSED)
		return false;
	if (next_line(c, &line)) {
		take_line(c, line);
		return true;
	}
	if (c->reply_n > REPLY_MAX) {
		client_protocol_error(c, current_step(c),
		    "a reply without end");
		return false;
	}
	if (c->state != READY)
		return false;
	if (c->quit) {
		say_quit(c);
		return true;
	}
	if (c->announced)
		return false;
	c->announced = true;
	c->ev->on_ready(c->arg);
	return true;
}

static void
pump(struct client *c)
{
	if (c->pumping)
		return;
	c->pumping = true;
	while (c->state != CLOSED && work(c))
		;
	c->in = STR("");
	c->pumping = false;
}

void
client_input(struct client *c, struct str bytes)
{
	struct reply r;

	if (c->state == CLOSED || bytes.n == 0)
		return;
	if (c->state == SECURING) {
		/* Plain bytes behind STARTTLS's reply (CVE-2021-38371). */
		r = client_words(c, "4.7.0",
		    "the server sent plain text after STARTTLS");
		client_give_up(c, TEMPFAIL, STEP_STARTTLS, &r);
		return;
	}
	c->in = bytes;
	pump(c);
}

/* Output. */

size_t
client_pending(const struct client *c)
{
	return c->out.n - c->out_at;
}

bool
client_may_write(const struct client *c)
{
	if (c->list_n > 0 && !(c->ext & EXT_PIPELINING))
		return false;
	return client_pending(c) < OUT_HIGH;
}

struct str
client_output(struct client *c)
{
	return str_skip(buf_str(&c->out), c->out_at);
}

void
client_sent(struct client *c, size_t n)
{
	if (n > client_pending(c))
		panic("client_sent: more than there was");
	c->out_at += n;
	c->gone += n;
	if (c->out_at == c->out.n) {
		drop_output(c);
	} else if (c->out_at > client_pending(c)) {
		buf_drop(&c->out, c->out_at);
		c->out_at = 0;
	}
	pump(c);
}

bool
client_ready(const struct client *c)
{
	return c->state == READY && !c->quit;
}

void
client_send(struct client *c, const struct client_message *m)
{
	if (!client_ready(c))
		panic("client_send: not ready");
	if (m->rcpt_n > c->rcpts_size) {
		c->rcpts = mem_grow(c->rcpts, m->rcpt_n, sizeof(*c->rcpts));
		c->rcpts_size = m->rcpt_n;
	}
	if (m->rcpt_n > 0)
		memset(c->rcpts, RCPT_OPEN, m->rcpt_n);
	c->m = m;
	c->next = 0;
	c->open = m->rcpt_n;
	c->taken = 0;
	c->bdat = c->answered = false;
	c->bdat_end = 0;
	c->phase = GO_START;
	c->announced = false;
	c->state = SENDING;
	pump(c);
}

void
client_quit(struct client *c)
{
	c->quit = true;
	pump(c);
}

bool
client_lost(const struct client *c)
{
	return c->lost;
}

void
client_secured(struct client *c, bool ok, const char *why)
{
	struct reply r;

	if (c->state != SECURING)
		return;
	if (!ok) {
		/* Who is slow says nothing of what TLS there would be. */
		r = why ? client_words(c, "4.7.5", "TLS handshake failed: %.500s", why) :
			  client_words(c, "4.4.2", "TLS handshake timed out");
		client_give_up(c, TEMPFAIL, STEP_STARTTLS, &r);
		return;
	}
	c->tls = true;
	c->state = SETUP;
	client_say_ehlo(c);
	pump(c);
}
