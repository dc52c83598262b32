/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- the message's text, and the replies to it.
 *
 * The text is read in pieces as the output drains, so that a connection
 * holds a bounded amount of it.  The last piece and the final dot are in
 * one output: the dot alone in a packet would wait for the acknowledgement
 * of the one before.  A text that cannot be read to its end is never ended:
 * without the final dot the server must throw it away.
 */

#include "engine.h"

#include <errno.h>

void
client_text_start(struct client *c)
{
	uint64_t n = c->m->size < TEXT_PIECE ? c->m->size : TEXT_PIECE;

	dot_encoder_init(&c->dots);
	c->text_at = 0;
	c->phase = GO_TEXT;
	/* Room in one step for a small message, dots and ends included. */
	if (!buf_room(&c->out, (size_t)(n + n / 64 + 16)))
		client_protocol_error(c, STEP_TEXT, "too much is pending");
}

/* LMTP answers for each recipient that it accepted, in their order. */
static void
expect_finals(struct client *c)
{
	if (!c->o.lmtp) {
		client_expect(c, V_TEXT, RCPT_ALL);
		return;
	}
	for (size_t i = 0; i < c->m->rcpt_n; i++)
		if (c->rcpts[i] == RCPT_TAKEN)
			client_expect(c, V_TEXT, i);
}

static void
end_text(struct client *c)
{
	struct reply r;

	if (c->text_at < c->m->size) {
		r = client_words(c, "4.3.0",
		    "the message is shorter than it was: %llu of %llu octets",
		    (unsigned long long)c->text_at,
		    (unsigned long long)c->m->size);
		client_give_up(c, TEMPFAIL, STEP_TEXT, &r);
		return;
	}
	dot_encode_end(&c->dots, &c->out);
	expect_finals(c);
	c->phase = GO_DRAIN;
}

static void
write_piece(struct client *c)
{
	char p[TEXT_PIECE];
	struct reply r;
	ssize_t n = c->m->read(c->arg, c->text_at, p, sizeof(p));

	if (n < 0) {
		r = client_words(c, "4.3.0", "cannot read the message: %s",
		    strerror(errno));
		client_give_up(c, TEMPFAIL, STEP_TEXT, &r);
		return;
	}
	if (n == 0) {
		end_text(c);
		return;
	}
	c->text_at += (uint64_t)n;
	buf_drop(&c->out, c->out_at);
	c->out_at = 0;
	dot_encode(&c->dots, str_n(p, (size_t)n), &c->out);
}

void
client_write_text(struct client *c)
{
	/* At its end the text is asked once more, for the dot to go along. */
	while (c->state == SENDING && c->phase == GO_TEXT &&
	    (client_pending(c) < OUT_HIGH || c->text_at == c->m->size))
		write_piece(c);
}

void
client_on_text(struct client *c, const struct reply *r, size_t rcpt)
{
	/* RFC 5321 4.1.1.4: whatever it says, the transaction is over. */
	c->dirty = false;
	if (rcpt == RCPT_NONE)
		return;
	if (r->code / 100 == 3)
		client_protocol_error(c, STEP_TEXT, "code 3xx to the text");
	else if (rcpt == RCPT_ALL)
		client_taken_done(c, reply_outcome(r->code), STEP_TEXT, r);
	else
		client_rcpt_done(c, rcpt, reply_outcome(r->code), STEP_TEXT,
		    r);
}

void
client_on_early_text(struct client *c, const struct reply *r)
{
	struct reply own;

	if (r->code / 100 != 4 && r->code / 100 != 5) {
		client_protocol_error(c, STEP_TEXT,
		    "a reply before the end of the text");
		return;
	}
	/* It has made up its mind, but what it still reads is unknown. */
	client_taken_done(c, reply_outcome(r->code), STEP_TEXT, r);
	own = client_words(c, "4.5.0",
	    "the server refused before the end of the text");
	client_give_up(c, TEMPFAIL, STEP_TEXT, &own);
}
