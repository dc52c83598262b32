/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * questions -- the channel: what sessions ask, and who takes it.
 *
 * Questions come as packets on descriptor 3, each with the way to answer.  How
 * many of them are worked at is for each kind to say (places.c), so that none
 * keeps another from being heard.  What is no question is dropped: its sender has
 * a deadline.  What is told of a message has no way to answer, and nobody who
 * waits.
 */

#include "checkd.h"

#include <errno.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/log.h"

/* Of one turn: the answers of DNS come in between. */
#define TURN_MAX 32

/*
 * Who takes a question of each kind, and its way to answer; MSG_DMARC is none.
 * PLACES_N: it needs no place, or counts them itself.
 */
static const struct {
	unsigned type;
	enum place place;
	take_fn *take;
} kinds[] = {
	{ MSG_LISTS, PLACE_LISTS, lists_take },
	{ MSG_TXT, PLACE_TEXTS, text_take },
	{ MSG_SPF, PLACE_SPF, spf_take },
	{ MSG_IPREV, PLACE_NAMES, iprev_take },
	{ MSG_EXISTS, PLACE_NAMES, exists_take },
	{ MSG_SCAN, PLACES_N, scan_take_question },
	{ MSG_GREY, PLACES_N, grey_take },
	{ MSG_FEEDBACK, PLACES_N, feedback_take },
};

void
question_answer(int reply, struct str packet)
{
	if (channel_send(reply, packet, -1) < 0 && errno != EPIPE)
		log_warn(NULL, "cannot answer: %s", strerror(errno));
	close(reply);
}

static void
take(struct checkd *d, struct str packet, int reply)
{
	struct frame f;

	if (reply < 0) {
		if (frame_open_as(&f, packet, MSG_DMARC))
			dmarc_take(d, packet);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (frame_open_as(&f, packet, kinds[i].type)) {
			if (kinds[i].place == PLACES_N)
				kinds[i].take(d, packet, reply);
			else
				place_ask(d, kinds[i].place, kinds[i].take, packet, reply);
			return;
		}
	log_error(NULL, "a question is of no kind");
	close(reply);
}

static void
on_channel(void *arg, bool readable UNUSED, bool writable UNUSED)
{
	struct checkd *d = arg;
	struct buf packet;
	int reply = -1, got = 1;

	buf_init(&packet, FRAME_MAX);
	for (int n = 0; n < TURN_MAX; n++) {
		got = channel_recv(d->channel, &packet, &reply);
		if (got <= 0)
			break;
		take(d, buf_str(&packet), reply);
	}
	buf_free(&packet);
	if (got < 0)
		loop_stop(d->loop);
}

void
questions_open(struct checkd *d)
{
	d->io = loop_io_new(d->loop, d->channel, on_channel, d);
	loop_io_want(d->io, true, false);
}

void
questions_close(struct checkd *d)
{
	loop_io_free(d->io);
	d->io = NULL;
	places_close(d);
}
