/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text -- the message's text, and the replies to it.
 *
 * The text is read in pieces as the output drains, so that a connection
 * holds a bounded amount of it.  The last piece and the final dot are in
 * one output: the dot alone in a packet would wait for the acknowledgement
 * of the one before.  A text that cannot be read to its end is never ended:
 * without the final dot, or the octets that BDAT promised, the server must
 * throw it away.
 *
 * BDAT has one chunk, the last: its size is known.
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
	if (!c->bdat)
		dot_encode_end(&c->dots, &c->out);
	expect_finals(c);
	c->bdat_end = c->bdat ? c->gone + client_pending(c) : 0;
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
	if (c->bdat)
		buf_add(&c->out, str_n(p, (size_t)n));
	else
		dot_encode(&c->dots, str_n(p, (size_t)n), &c->out);
}

/* RFC 3030 2: the octets follow at once. */
static void
say_bdat(struct client *c)
{
	c->bdat = true;
	buf_add(&c->out, STR("BDAT "));
	buf_addu(&c->out, c->m->size);
	buf_add(&c->out, STR(" LAST\r\n"));
}

void
client_chunk_start(struct client *c)
{
	if (c->taken == 0) {
		c->phase = GO_DRAIN;
		return;
	}
	say_bdat(c);
	c->text_at = 0;
	c->phase = GO_TEXT;
}

void
client_chunk_whole(struct client *c)
{
	say_bdat(c);
	c->text_at = 0;
	c->phase = GO_TEXT;
	/* Small as it is it goes in one go, and its end with it. */
	while (c->state == SENDING && c->phase == GO_TEXT)
		write_piece(c);
}

bool
client_in_doubt(const struct client *c)
{
	return c->state == SENDING && c->bdat_end > 0 &&
	    c->gone >= c->bdat_end;
}

void
client_write_text(struct client *c)
{
	/* At its end the text is asked once more, for the dot to go along. */
	while (c->state == SENDING && c->phase == GO_TEXT &&
	    (client_pending(c) < OUT_HIGH || c->text_at == c->m->size))
		write_piece(c);
}

/* A command that the server offered, and does not know. */
static bool
is_no_command(int code)
{
	return code >= 500 && code <= 504;
}

/* It will take our text for commands: not another word.  False: that is not so. */
static bool
no_bdat(struct client *c, const struct reply *r)
{
	struct reply own;

	if (!c->bdat || !is_no_command(r->code) || c->taken == 0)
		return false;
	own = client_words(c, "4.5.0",
	    "the server offers CHUNKING, but refuses BDAT: %d " STR_FMT,
	    r->code, STR_ARG(str_head(r->text, 500)));
	client_give_up(c, TEMPFAIL, STEP_DATA, &own);
	return true;
}

void
client_on_text(struct client *c, const struct reply *r, size_t rcpt)
{
	/*
	 * RFC 5321 4.1.1.4: whatever it says, the transaction is over.  After
	 * BDAT that failed it has to be told (RFC 3030 2).
	 */
	c->dirty = c->bdat && r->code / 100 != 2;
	c->text_taken = c->text_taken || r->code / 100 == 2;
	if (rcpt == RCPT_NONE)
		return;
	if (no_bdat(c, r))
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
	if (no_bdat(c, r))
		return;
	/* It has made up its mind, but what it still reads is unknown. */
	client_taken_done(c, reply_outcome(r->code), STEP_TEXT, r);
	own = client_words(c, "4.5.0",
	    "the server refused before the end of the text");
	client_give_up(c, TEMPFAIL, STEP_TEXT, &own);
}
